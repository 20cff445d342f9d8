from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from iopproxy.routing.hosts import normalise
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.router import Router
from iopproxy.routing.state import Route, Table, Version, changes


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


def app(name: str, hosts: tuple[str, ...], *targets: str) -> Route:
    return Route("demo", name, hosts, Version(targets, "blue", "r1"))


def test_the_router_finds_what_is_in_force() -> None:
    router = Router()
    assert router.find("a.example") is None
    assert router.put(route("x:1", "y:2")) == frozenset()
    assert router.find("a.example") == route("x:1", "y:2")
    assert router.targets == {"x:1", "y:2"}
    assert router.put(route("y:2", "z:3")) == {"x:1"}
    assert router.find("a.example") == route("y:2", "z:3")
    assert router.drop("demo/web") == {"y:2", "z:3"}
    assert (router.find("a.example"), router.targets, router.drop("demo/web")) == (None, set(), frozenset())


def test_a_target_is_wanted_as_long_as_any_route_leads_to_it() -> None:
    router = Router()
    router.put(app("web", ("a.example",), "x:1"))
    router.put(app("api", ("b.example",), "x:1"))
    assert (router.drop("demo/web"), router.targets) == (frozenset(), {"x:1"})
    assert (router.drop("demo/api"), router.targets) == ({"x:1"}, set())


def test_a_host_that_moves_to_another_app_is_never_lost() -> None:
    router = Router()
    router.put(app("web", ("a.example", "b.example"), "x:1"))
    router.put(app("api", ("b.example",), "y:1"))
    router.put(app("web", ("a.example",), "x:1"))
    found = [router.find(host) for host in ("a.example", "b.example")]
    assert [each and each.app for each in found] == ["web", "api"]


class Counting(dict[str, Any]):
    """A dict that counts how often it is looked into, and can't be walked through."""

    looks = 0

    def __getitem__(self, key: str) -> Any:
        self.looks += 1
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        raise AssertionError("it was walked through")

    items = keys = values = __iter__

    def get(self, key: str, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)


@pytest.mark.parametrize("count", [10, 10_000])
def test_lookups_and_changes_cost_the_same_with_many_routes(count: int) -> None:
    router = Router()
    for number in range(count):
        router.put(app(f"app{number}", (f"h{number}.example",), f"t{number}:1"))
    tables = [Counting(getattr(router, name)) for name in ("_by_key", "_by_host", "_uses")]
    router._by_key, router._by_host, router._uses = tables
    router.find("h3.example")
    assert sum(table.looks for table in tables) == 1
    router.put(app("app3", ("h3.example",), "other:1"))
    router.drop("demo/app4")
    assert sum(table.looks for table in tables) < 20


def test_changes_between_two_tables() -> None:
    web, api, new = (app(name, (f"{name}.example",), "x:1") for name in ("web", "api", "new"))
    before = Table((web, api))
    after = Table((app("web", ("web.example",), "y:1"), new))
    assert changes(before, after) == [("demo/api", None), ("demo/web", after.routes[0]), ("demo/new", new)]
    assert changes(before, before.without_host("web.example")) == [("demo/web", None)]
    assert changes(before, Table((api, web))) == []


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
