"""Targets by name: containers that come back with another address, and names that are away for a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import contract
from tests.proxy.running import Proxy, wait_until
from tests.proxy.upstreams import Upstream, answer, constant, once
from tests.proxy.wire import Wire

REFRESH = 0.5
OLD, NEW = "127.0.0.2", "127.0.0.3"


def environment(hosts: Path) -> dict[str, str]:
    """What makes a program ask ``hosts`` for names."""
    return {"PYTHONPATH": str(Path(__file__).parent / "names"), "TEST_HOSTS": str(hosts)}


class Named:
    """A proxy for which ``web.test`` is where ``lead`` says, and two servers on one port of two addresses."""

    def __init__(self, hosts: Path, start_proxy: Callable[..., Proxy]) -> None:
        self._hosts = hosts
        self.lead(OLD)
        self.proxy = start_proxy(
            *("--workers", "1", "--limit", f"refresh_time={REFRESH}"),
            environment=environment(hosts),
        )
        # Each request makes a connection, so each one needs an address.
        self.old = Upstream(once(answer(b"old", extra="Connection: close\r\n")), address=OLD)
        self.new = Upstream(constant(answer(b"new")), address=NEW, port=self.old.port)
        self.host = self.proxy.route(f"web.test:{self.old.port}")

    def lead(self, address: str | None) -> None:
        self._hosts.with_suffix(".new").write_text("" if address is None else f"web.test {address}\n")
        self._hosts.with_suffix(".new").replace(self._hosts)

    def ask(self) -> bytes:
        with Wire(self.proxy.port) as wire:
            return wire.get(self.host).body


@pytest.fixture
def named(tmp_path: Path, start_proxy: Callable[..., Proxy]) -> Iterator[Named]:
    made = Named(tmp_path / "hosts", start_proxy)
    yield made
    made.old.stop()
    made.new.stop()


def test_a_container_that_came_back_elsewhere_is_found_by_the_next_request(named: Named) -> None:
    assert named.ask() == b"old"
    named.old.stop()
    named.lead(NEW)
    assert named.ask() == b"new"


def test_the_names_of_a_route_are_known_once_it_is_put(named: Named) -> None:
    """So its first request doesn't wait for them."""
    named.lead(None)
    assert named.ask() == b"old"


def test_an_address_that_is_somebody_elses_by_now_is_left(named: Named) -> None:
    """It still answers, so only asking for the name again tells."""
    assert named.ask() == b"old"
    named.lead(NEW)
    wait_until(lambda: named.ask() == b"new")
    assert [named.ask() for _ in range(5)] == [b"new"] * 5


def test_a_name_that_is_away_for_a_moment_is_no_reason_to_fail(named: Named) -> None:
    assert named.ask() == b"old"
    named.lead(None)
    seen: list[bytes] = []
    wait_until(lambda: seen.append(named.ask()) or len(named.old.seen) > 20)  # type: ignore[func-returns-value]
    assert set(seen) == {b"old"}


def test_names_that_are_never_answered_hold_up_no_start(
    tmp_path: Path, start_proxy: Callable[..., Proxy]
) -> None:
    """However many there are. Their requests are answered once it took too long, and those of others at once."""
    routes = [
        {
            **contract.ROUTE,
            "health_check": None,
            "app": f"a{n}",
            "hosts": [f"h{n}.example"],
            "targets": [f"n{n}.hanging.test:80"],
        }
        for n in range(3000)
    ]
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "state.json").write_text(json.dumps({"version": 1, "routes": routes}))
    (tmp_path / "hosts").touch()
    proxy = start_proxy(environment=environment(tmp_path / "hosts"))
    with Wire(proxy.port) as wire:
        assert wire.get("h7.example").status == 502
        assert wire.get("nobody.example").status == 404


def test_a_check_asks_whoever_has_the_name_now(named: Named) -> None:
    assert named.ask() == b"old"
    named.lead(None)
    body = {"target": f"web.test:{named.old.port}", "path": "/", "host": named.host}
    times = {"interval": 0.1, "timeout": 2, "attempts": 1}
    verdict = named.proxy.api("POST", "/v1/check", {**body, **times})[1]
    assert (verdict["healthy"], verdict["reason"]) == (False, "name not known on the network")
