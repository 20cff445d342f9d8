import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iop.archive import read_index
from iop.errors import ShipError
from tests.unit.archive import images

BASE, APP, EMPTY = images.layer("base", b"b" * 5000), images.layer("app", b"a" * 700), images.layer("e", b"")
LAYERS = [BASE, APP, EMPTY, APP, BASE]
LAYOUTS = {
    "20.10": images.legacy(LAYERS),
    "25": images.oci(LAYERS),
    "containerd": images.oci(LAYERS, packed=True),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_layers(layout: str) -> None:
    index = read_index(io.BytesIO(LAYOUTS[layout]))
    assert index.diff_ids == tuple(map(images.digest, LAYERS))
    assert [layer.size for layer in index.layers] == list(map(len, LAYERS))
    assert {layer.compressed for layer in index.layers} == {layout == "containerd"}
    assert index.tags == ("shop/web:1",)
    assert index.image_id == images.digest(images.config(LAYERS))


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5), st.sampled_from(sorted(LAYOUTS)))
def test_the_index_does_not_depend_on_how_the_pipe_cuts_the_stream(pieces: list[int], layout: str) -> None:
    whole = io.BytesIO(LAYOUTS[layout])
    assert read_index(images.Trickle(LAYOUTS[layout], pieces)) == read_index(whole)


def test_the_stream_is_read_to_its_end() -> None:
    stream = io.BytesIO(LAYOUTS["25"] + bytes(3 << 20))
    read_index(stream)
    assert stream.read() == b""


def test_an_image_saved_by_id_has_no_tags() -> None:
    assert read_index(io.BytesIO(images.legacy([APP], tags=None))).tags == ()


def test_layers_that_were_left_out_are_named() -> None:
    with pytest.raises(ShipError, match=rf"left 2 of 5 layers out of shop/web:1: {images.digest(APP)}"):
        read_index(io.BytesIO(images.oci(LAYERS, packed=True, without=[1, 3])))


def test_a_layer_that_differs_from_its_digest_is_refused() -> None:
    damaged = LAYOUTS["25"].replace(b"a" * 700, b"a" * 699 + b"b")
    with pytest.raises(ShipError, match="a layer of shop/web:1 is damaged"):
        read_index(io.BytesIO(damaged))


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
def test_a_stream_that_ends_early_is_refused(layout: str, data: st.DataObject) -> None:
    whole = LAYOUTS[layout]
    needed = len(whole.partition(b"oci-layout")[0].rstrip(b"\0"))  # the last file says nothing about layers
    cut = data.draw(st.integers(0, needed - 1))
    with pytest.raises(ShipError):
        read_index(io.BytesIO(whole[:cut]))


@pytest.mark.parametrize(
    "content",
    [b"", b"no tar at all", bytes(10240), images.archive([("manifest.json", b"[]")])],
)
def test_what_is_no_image_archive_is_refused(content: bytes) -> None:
    with pytest.raises(ShipError):
        read_index(io.BytesIO(content))
