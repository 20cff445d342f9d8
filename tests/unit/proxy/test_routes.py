"""Route changes: what is on the disk and what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from iopproxy.control import routes
from iopproxy.control.routes import Routes
from iopproxy.link import Entry
from iopproxy.routing.state import HostTakenError, Route, Table, Version
from iopproxy.routing.wire import write_route


class Setting:
    """Everything around Routes; ``saving`` holds the writes that the disk hasn't finished."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.saving: list[tuple[Table, Deferred[None]]] = []
        self.shared: dict[str, Any] = {}
        """What the workers know, by key."""
        self.telling: Deferred[None] = succeed(None)
        """Fires once the workers have it."""
        store: Any = self
        self.routes = Routes(store, Workers(self))
        monkeypatch.setattr(routes, "deferToThread", self.write)

    def load(self) -> Table:
        return Table()

    def save(self, table: Table) -> None:
        """The store's; never called, its writing is what ``write`` stands for."""

    def write(self, save: Any, table: Table) -> Deferred[None]:
        self.saving.append((table, Deferred()))
        return self.saving[-1][1]

    def put(self, app: str, host: str = "a.example") -> tuple[Deferred[Any], list[Any]]:
        results: list[Any] = []
        route = Route("demo", app, (host,), Version((f"{app}:1",), "blue", "r1"))
        putting = Deferred.fromCoroutine(self.routes.put(route))
        putting.addBoth(results.append)
        return putting, results


class Workers:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    async def put(self, entries: Sequence[Entry]) -> None:
        await self._setting.telling
        self._setting.shared.update({key: value for kind, key, value in entries if kind == "routes"})


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    return Setting(monkeypatch)


def test_saved_first_then_in_force_in_the_workers_then_answered(setting: Setting) -> None:
    setting.telling = Deferred()
    _, answered = setting.put("web")
    assert (setting.shared, answered) == ({}, [])
    setting.saving[0][1].callback(None)
    assert answered == []
    setting.telling.callback(None)
    assert setting.shared == {"demo/web": write_route(answered[0])}


def test_the_same_again_is_not_written_again(setting: Setting) -> None:
    for app, host in (("web", "a.example"), ("api", "b.example")):
        setting.put(app, host)
        setting.saving[-1][1].callback(None)
    _, answered = setting.put("web")
    assert setting.shared["demo/web"] == write_route(answered[0])
    assert len(setting.saving) == 2


def test_what_can_not_be_saved_is_not_in_force(setting: Setting) -> None:
    _, answered = setting.put("web")
    setting.saving[0][1].errback(OSError(28, "No space left on device"))
    assert setting.shared == {}
    assert answered[0].check(OSError)


def test_a_caller_who_leaves_does_not_stop_a_change_half_way(setting: Setting) -> None:
    """The disk may have it already, so it must come into force."""
    putting, answered = setting.put("web")
    putting.cancel()
    assert answered[0].check(CancelledError)
    setting.saving[0][1].callback(None)
    assert "demo/web" in setting.shared
    assert setting.put("web")[1]  # and the next change isn't locked out


def test_changes_take_their_turns(setting: Setting) -> None:
    """The second is judged by what the first one made of the table."""
    _, first = setting.put("web")
    _, second = setting.put("api")
    assert len(setting.saving) == 1
    setting.saving[0][1].callback(None)
    assert isinstance(first[0], Route)
    assert isinstance(second[0], Failure)
    assert second[0].check(HostTakenError)
