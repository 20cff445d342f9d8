import hashlib
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iop.archive import common_prefix, read_index, thin, total
from iop.errors import ShipError
from tests.unit.archive import images

BASE, LIBS, APP = (images.layer(name, name.encode() * 900) for name in ("base", "libs", "app"))
LAYERS = [BASE, LIBS, APP]
LAYOUTS = {
    "20.10": images.legacy(LAYERS),
    "25": images.oci(LAYERS),
    "containerd": images.oci(LAYERS, packed=True),
}


def sent(archive: bytes, skip: int) -> bytes:
    return b"".join(thin(lambda: io.BytesIO(archive), read_index(io.BytesIO(archive)), skip))


def contents(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def layers_in(archive: bytes) -> set[str]:
    by_digest = {images.digest(content): name for name, content in contents(archive).items()}
    return {layer for layer in map(images.digest, LAYERS) if layer in by_digest}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("skip", range(4))
def test_only_the_layers_above_are_sent(layout: str, skip: int) -> None:
    assert layers_in(sent(LAYOUTS[layout], skip)) == set(map(images.digest, LAYERS[skip:]))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("skip", range(4))
def test_the_total_is_exactly_what_is_sent(layout: str, skip: int) -> None:
    assert total(read_index(io.BytesIO(LAYOUTS[layout])), skip) == len(sent(LAYOUTS[layout], skip))


def test_blobs_lie_under_their_digest() -> None:
    for name, content in contents(sent(LAYOUTS["containerd"], 0)).items():
        if name.startswith("blobs/sha256/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def test_both_manifests_list_every_layer() -> None:
    members = contents(sent(LAYOUTS["20.10"], 2))
    (docker,) = json.loads(members["manifest.json"])
    (entry,) = json.loads(members["index.json"])["manifests"]
    manifest = json.loads(members[f"blobs/{entry['digest'].replace(':', '/')}"])
    assert docker["Layers"] == [f"blobs/{images.digest(each).replace(':', '/')}" for each in LAYERS]
    assert [each["digest"] for each in manifest["layers"]] == [images.digest(each) for each in LAYERS]
    assert [each["size"] for each in manifest["layers"]] == [len(each) for each in LAYERS]
    assert members[docker["Config"]] == images.config(LAYERS)
    assert docker["RepoTags"] == ["shop/web:1"]


@pytest.mark.parametrize(
    ("tag", "full"),
    [
        ("web:1", "docker.io/library/web:1"),
        ("shop/web:1", "docker.io/shop/web:1"),
        ("registry.example/web:1", "registry.example/web:1"),
        ("localhost/web:1", "localhost/web:1"),
        ("host:5000/web:1", "host:5000/web:1"),
    ],
)
def test_containerd_is_told_the_full_name(tag: str, full: str) -> None:
    (entry,) = json.loads(contents(sent(images.oci(LAYERS, [tag]), 0))["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": full,
        "org.opencontainers.image.ref.name": "1",
    }


def test_a_skipped_layer_that_is_needed_again_is_sent() -> None:
    archive = images.legacy([BASE, LIBS, BASE])
    assert layers_in(sent(archive, 1)) == {images.digest(BASE), images.digest(LIBS)}
    assert layers_in(sent(archive, 3)) == set()


def test_a_layer_that_comes_twice_is_sent_once() -> None:
    archive = sent(images.oci([BASE, APP, APP]), 0)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert len(tar.getnames()) == len(set(tar.getnames()))


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5), st.sampled_from(sorted(LAYOUTS)))
def test_the_bytes_do_not_depend_on_how_the_pipe_cuts_the_stream(pieces: list[int], layout: str) -> None:
    archive = LAYOUTS[layout]
    cut = b"".join(thin(lambda: images.Trickle(archive, pieces), read_index(io.BytesIO(archive)), 1))
    assert cut == sent(archive, 1)


@pytest.mark.parametrize(
    "other",
    [
        images.oci([BASE, LIBS]),
        LAYOUTS["25"].replace(b"app" * 900, b"apq" * 900),
        LAYOUTS["25"][: len(LAYOUTS["25"]) // 2],
    ],
)
def test_an_image_that_changed_in_between_is_noticed(other: bytes) -> None:
    with pytest.raises(ShipError):
        list(thin(lambda: io.BytesIO(other), read_index(io.BytesIO(LAYOUTS["25"])), 0))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_small_layers_that_were_kept_need_no_second_pass(layout: str) -> None:
    index = read_index(io.BytesIO(LAYOUTS[layout]), keep=[images.digest(each) for each in LAYERS[1:]])
    archive = b"".join(thin(lambda: pytest.fail("a second pass"), index, 1))
    assert contents(archive) == contents(sent(LAYOUTS[layout], 1))
    assert len(archive) == total(index, 1)


def test_what_was_not_kept_comes_from_the_second_pass() -> None:
    index = read_index(io.BytesIO(LAYOUTS["25"]), keep=[images.digest(LIBS)])
    archive = b"".join(thin(lambda: io.BytesIO(LAYOUTS["25"]), index, 0))
    assert contents(archive) == contents(sent(LAYOUTS["25"], 0))


def test_only_so_much_is_kept() -> None:
    layers = [images.layer(name, name.encode() * (7 << 20)) for name in "abc"]
    index = read_index(io.BytesIO(images.oci(layers)), keep=list(map(images.digest, layers)))
    assert sorted(index.kept) == sorted(map(images.digest, layers[:2]))


@pytest.mark.parametrize(
    ("ours", "theirs", "shared"),
    [
        ("abc", [], 0),
        ("abc", ["abc"], 3),
        ("abc", ["abd", "ab"], 2),
        ("abc", ["bc", "c"], 0),
        ("abc", ["xbc", "axc", "abcd"], 3),
        ("", ["abc"], 0),
    ],
)
def test_only_a_prefix_counts_as_shared(ours: str, theirs: list[str], shared: int) -> None:
    assert common_prefix(ours, theirs) == shared
