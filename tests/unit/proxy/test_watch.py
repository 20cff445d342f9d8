"""The watch over targets, on a clock of ours: who is checked when, and who is told what."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from iopproxy.control.health import Check
from iopproxy.control.watch import Health, Watch
from iopproxy.http.limits import Limits
from iopproxy.routing.settings import HealthCheck, Settings
from iopproxy.routing.state import Route, Table, Version

CHECK = HealthCheck("/up", interval=10.0, timeout=1.0, healthy=2, unhealthy=3)


class Setting:
    """A watch whose checks get what ``sick`` says, at once unless ``hanging``."""

    def __init__(self, chance: float = 0.5, checks_at_once: int = 10) -> None:
        self.clock = Clock()
        self.sick: set[str] = set()
        self.asked: list[Check] = []
        self.hanging: list[Deferred[None]] | None = None
        self.told: list[tuple[str, Any]] = []
        self.acknowledging: list[Deferred[None]] | None = None
        checker: Any = self
        limits = Limits(checks_at_once=checks_at_once)
        self.watch = Watch(checker, self.push, self.clock, limits=limits, chance=lambda: chance)

    async def attempt(self, check: Check) -> tuple[bool, str]:
        self.asked.append(check)
        if self.hanging is not None:
            self.hanging.append(Deferred())
            await self.hanging[-1]
        return (False, "answered 500") if check.target in self.sick else (True, "200 OK")

    async def push(self, entries: list[tuple[str, str, Any]]) -> None:
        self.told += [(key, value) for kind, key, value in entries if kind == "health"]
        if self.acknowledging is not None:
            self.acknowledging.append(Deferred())
            await self.acknowledging[-1]

    def follow(self, *targets: str, check: HealthCheck | None = CHECK, app: str = "web") -> None:
        self.watch.follow(Table((route(*targets, check=check, app=app),)) if targets else Table())

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(CHECK.interval)


def route(*targets: str, check: HealthCheck | None = CHECK, app: str = "web") -> Route:
    live = Version(targets, "blue", "r1")
    return Route("demo", app, (f"{app}.example",), live, settings=Settings(health_check=check))


def test_a_target_goes_down_after_failures_in_a_row_and_comes_back_after_successes() -> None:
    setting = Setting()
    setting.follow("a:1", "b:1")
    setting.sick.add("a:1")
    setting.rounds(2)
    assert setting.told == []
    assert setting.watch.health("a:1") == Health(True, "answered 500")
    setting.rounds(1)
    assert setting.told == [("a:1", False)]
    assert setting.watch.health("a:1") == Health(False, "answered 500")
    setting.rounds(5)
    setting.sick.clear()
    setting.rounds(1)
    assert len(setting.told) == 1
    setting.rounds(1)
    assert setting.told == [("a:1", False), ("a:1", None)]
    assert setting.watch.health("a:1") == Health(True, "200 OK")


def test_failures_that_are_not_in_a_row_do_not_count() -> None:
    setting = Setting()
    setting.follow("a:1")
    for _ in range(3):
        setting.sick.add("a:1")
        setting.rounds(2)
        setting.sick.clear()
        setting.rounds(1)
    assert setting.told == []


def test_the_check_is_made_as_the_route_says() -> None:
    setting = Setting()
    setting.follow("a:1")
    setting.rounds(1)
    assert setting.asked == [Check("a:1", "/up", "web.example", 10.0, 1.0, attempts=1)]


def test_routes_without_a_check_are_not_watched() -> None:
    setting = Setting()
    setting.follow("a:1", check=None)
    setting.rounds(3)
    assert (setting.asked, setting.watch.health("a:1")) == ([], Health(True, None))


def test_first_checks_are_spread_over_the_interval() -> None:
    for chance in (0.0, 0.25, 0.99):
        setting = Setting(chance)
        setting.follow("a:1")
        setting.clock.advance(CHECK.interval * (0.5 + chance / 2) - 0.01)
        assert setting.asked == []
        setting.clock.advance(0.02)
        assert len(setting.asked) == 1


def test_only_so_many_checks_are_under_way() -> None:
    setting = Setting(checks_at_once=2)
    setting.hanging = []
    setting.follow("a:1", "b:1", "c:1")
    setting.rounds(1)
    assert len(setting.asked) == 2
    setting.hanging[0].callback(None)
    assert len(setting.asked) == 3


def test_a_target_that_is_no_longer_routed_is_forgotten() -> None:
    setting = Setting()
    setting.sick.add("a:1")
    setting.follow("a:1")
    setting.rounds(3)
    setting.follow("b:1")
    assert setting.told == [("a:1", False), ("a:1", None)]
    asked = len(setting.asked)
    setting.rounds(3)
    assert {check.target for check in setting.asked[asked:]} == {"b:1"}
    setting.follow("a:1")
    assert setting.watch.health("a:1") == Health(True, None)


def test_a_target_that_goes_while_the_workers_are_told_is_not_down_forever() -> None:
    setting = Setting()
    setting.acknowledging = []
    setting.sick.add("a:1")
    setting.follow("a:1")
    setting.rounds(3)
    assert setting.told == [("a:1", False)]
    setting.follow()
    assert setting.told == [("a:1", False), ("a:1", None)]
    for each in setting.acknowledging:
        each.callback(None)


def test_it_counts_as_down_once_the_workers_know() -> None:
    setting = Setting()
    setting.acknowledging = []
    setting.sick.add("a:1")
    setting.follow("a:1")
    setting.rounds(3)
    assert setting.watch.health("a:1").healthy
    setting.acknowledging[0].callback(None)
    assert not setting.watch.health("a:1").healthy


def test_a_change_elsewhere_does_not_begin_a_targets_checks_anew() -> None:
    setting = Setting()
    setting.sick.add("a:1")
    setting.follow("a:1")
    for _ in range(3):
        setting.rounds(1)
        setting.watch.follow(Table((route("a:1"), route("c:1", app="other"))))
        setting.follow("a:1")
    assert setting.told == [("a:1", False)]


def test_other_settings_change_how_a_target_is_checked_but_not_what_is_known_of_it() -> None:
    setting = Setting()
    setting.sick.add("a:1")
    setting.follow("a:1")
    setting.rounds(3)
    setting.follow("a:1", check=evolve(CHECK, path="/other", healthy=1))
    assert not setting.watch.health("a:1").healthy
    setting.sick.clear()
    setting.rounds(1)
    assert setting.asked[-1].path == "/other"
    assert setting.told == [("a:1", False), ("a:1", None)]


def test_nothing_is_checked_after_the_end() -> None:
    setting = Setting()
    setting.follow("a:1")
    setting.watch.stopService()
    setting.rounds(3)
    assert (setting.asked, setting.clock.getDelayedCalls()) == ([], [])
