from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from iopproxy.routing.balancer import Balancer
from iopproxy.routing.hosts import normalise
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route, Table, Version


def route(*targets: str) -> Route:
    return Route("demo", "web", ("a.example",), Version(targets, "blue", "r1"))


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        (b"a.example", "a.example"),
        (b"A.Example", "a.example"),
        (b"a.example.", "a.example"),
        (b"a.example:8080", "a.example"),
        (b"a.example.:8080", "a.example"),
        (b"a.example:", "a.example"),
        (b"my_app.example", "my_app.example"),
        (b"127.0.0.1:80", "127.0.0.1"),
        (b"[2001:DB8::1]:80", "[2001:db8::1]"),
        (b"a", "a"),
        (b"", None),
        (b".", None),
        (b":80", None),
        (b"-a.example", None),
        (b"a.example..", None),
        (b"a.example:http", None),
        (b"a.example:65536", None),
        (b"a example", None),
        (b"a.example,b.example", None),
        (b"me@a.example", None),
        (b"a.example/x", None),
        (b"a\xe9.example", None),
        (b"a" * 254, None),
    ],
)
def test_host_names(authority: bytes, name: str | None) -> None:
    assert normalise(authority) == name


def test_the_router_finds_what_is_in_force() -> None:
    router = Router(Table())
    assert router.find("a.example") is None
    router.use(Table((route("x:1", "y:2"),)))
    assert router.find("a.example") == route("x:1", "y:2")
    assert router.targets == {"x:1", "y:2"}


def test_round_robin() -> None:
    balancer = Balancer()
    assert [balancer.pick(route("a:1", "b:1", "c:1")) for _ in range(4)] == ["a:1", "b:1", "c:1", "a:1"]


def test_tried_targets_are_passed_over() -> None:
    balancer = Balancer()
    assert balancer.pick(route("a:1", "b:1")) == "a:1"
    assert balancer.pick(route("a:1", "b:1"), ("b:1",)) == "a:1"
    assert balancer.pick(route("a:1", "b:1"), ("a:1", "b:1")) is None


def test_fewer_targets_than_before() -> None:
    balancer = Balancer()
    for _ in range(3):
        balancer.pick(route("a:1", "b:1", "c:1"))
    assert balancer.pick(route("z:1")) == "z:1"


def fired(waiting: Deferred[None]) -> bool:
    return bool(waiting.called)


def test_waiting_for_idle_targets() -> None:
    busy = InFlight()
    for target in ("a:1", "a:1", "b:1", "c:1"):
        busy.begin(target)
    both, nobody = busy.when_idle(frozenset({"a:1", "b:1"})), busy.when_idle(frozenset({"x:1"}))
    assert (fired(both), fired(nobody)) == (False, True)
    busy.end("a:1")
    busy.end("b:1")
    assert (fired(both), busy.count("a:1"), busy.targets()) == (False, 1, {"a:1", "c:1"})
    busy.end("a:1")
    assert fired(both)


def test_waiting_can_be_given_up() -> None:
    busy = InFlight()
    busy.begin("a:1")
    waiting = busy.when_idle(frozenset({"a:1"}))
    failures: list[object] = []
    waiting.addErrback(lambda failure: failures.append(failure.check(CancelledError)))
    waiting.cancel()
    busy.end("a:1")
    assert failures == [CancelledError]


def test_a_request_can_not_end_twice() -> None:
    busy = InFlight()
    busy.begin("a:1")
    busy.end("a:1")
    with pytest.raises(KeyError):
        busy.end("a:1")
