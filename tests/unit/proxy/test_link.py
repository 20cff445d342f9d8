"""What control and workers say to each other, and how a worker takes it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import StringTransport
from twisted.protocols.amp import AmpBox

from iopproxy.http.caps import Caps
from iopproxy.http.limits import Limits
from iopproxy.http.meter import Meter
from iopproxy.inbox import Inbox
from iopproxy.link import Entry, Link, Put, UnusableError


class Taker(Link):
    """The other end."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Any] = []

    @Put.responder
    def _put(self, entries: Any) -> dict[str, Any]:
        self.got.append(entries)
        return {}


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 200_000])
def test_values_of_any_size_go_through(size: int) -> None:
    sender, taker = Link(), Taker()
    there, back = StringTransport(), StringTransport()
    sender.makeConnection(there)
    taker.makeConnection(back)
    answered: list[Any] = []
    entries = [["routes", "demo/web", {"page": "ä" * size}], ["routes", "demo/api", None]]
    sender.ask(Put, entries=entries).addCallback(answered.append)
    taker.dataReceived(there.value())
    assert taker.got == [entries]
    sender.dataReceived(back.value())
    assert answered == [{}]


def test_a_value_is_cut_into_as_many_as_it_takes() -> None:
    box = AmpBox(Put.makeArguments({"entries": ["x" * 100_000]}, None))
    assert sorted(box) == [b"entries", b"entries.0", b"entries.1"]


class Setting:
    def __init__(self) -> None:
        self.inbox = Inbox()
        self.taken: list[tuple[str, Any]] = []
        self.waiting: dict[str, Deferred[None]] = {}
        self.inbox.on("routes", self.take)

    def take(self, key: str, value: Any) -> Deferred[None]:
        self.taken.append((key, value))
        return self.waiting.get(key, succeed(None))

    def put(self, *entries: Entry) -> list[Any]:
        over: list[Any] = []
        Deferred.fromCoroutine(self.inbox.put(list(entries))).addBoth(over.append)
        return over


def test_a_batch_waits_together_and_the_next_one_for_all_of_it() -> None:
    setting = Setting()
    setting.waiting = {"a": Deferred(), "b": Deferred()}
    first = setting.put(("routes", "a", 1), ("routes", "b", 1))
    second = setting.put(("routes", "a", 2))
    assert setting.taken == [("a", 1), ("b", 1)]
    waiting, setting.waiting = setting.waiting, {}
    waiting["b"].callback(None)
    assert (first, second) == ([], [])
    waiting["a"].callback(None)
    assert (first, second) == ([None], [None])
    assert setting.taken[2:] == [("a", 2)]


def test_what_can_not_be_applied_is_told_and_holds_nothing_up() -> None:
    setting = Setting()
    setting.waiting = {"a": fail(ValueError("it is a test"))}
    (failure,) = setting.put(("routes", "a", 1), ("routes", "b", 1))
    assert failure.check(UnusableError)
    assert setting.taken == [("a", 1), ("b", 1)]
    assert setting.put(("routes", "c", 1)) == [None]


def test_caps_count_in_all_and_by_address() -> None:
    caps = Caps(Limits(connections=3, connections_per_address=2), Meter())
    assert [caps.admit(host) for host in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    empty: list[None] = []
    caps.when_empty().addCallback(empty.append)
    caps.leave("a")
    assert caps.admit("c")
    for host in ("a", "b", "c"):
        assert empty == []
        caps.leave(host)
    assert empty == [None]
