from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from iopproxy.http.headers import DROPPED, FORWARDED, OTHER, kind, named
from iopproxy.routing.hosts import normalise


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        (b"X-Forwarded-For", FORWARDED),
        (b"x-forwarded-whatever", FORWARDED),
        (b"X-Forwarded-" + b"a" * 100, FORWARDED),
        (b"X_Forwarded_Whatever", DROPPED),
        (b"x-forwarded_for", DROPPED),
        (b"Content_Length", DROPPED),
        (b"Keep-Alive", DROPPED),
        (b"X-Forward", OTHER),
        (b"my_header", OTHER),
        (b"a" * 1000, OTHER),
    ],
)
def test_what_a_name_means(name: bytes, meaning: int) -> None:
    assert kind(name) == meaning


def test_what_a_connection_line_takes_away() -> None:
    assert named(b"close, X-Mine,\tTE") == {b"x-mine"}
    assert named(b",".join([b"X-Mine"] * 100)) == {b"x-mine"}


@pytest.mark.parametrize("understand", [kind, named, normalise])
def test_nobody_can_fill_the_memory_with_long_values(understand: Callable[[bytes], object]) -> None:
    """They are a client's own bytes, and as many different ones as it likes."""
    tracemalloc.start()
    try:
        for number in range(500):
            understand(b"%d" % number + b"a" * 30_000)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
