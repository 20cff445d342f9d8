from __future__ import annotations

from attrs import evolve

from iopproxy.http.limits import Limits
from iopproxy.http.meter import CONNECT_FAILURE, EJECTION, RETRY, Meter
from iopproxy.routing.balancer import Balancer
from iopproxy.routing.inflight import InFlight
from iopproxy.routing.settings import LEAST_CONNECTIONS, Settings
from iopproxy.routing.state import Route, Version

LIMITS = Limits(eject_failures=3, eject_time=10.0, eject_retry=1.0)


class Setting:
    """A balancer, the time, and who is busy."""

    now = 0.0

    def __init__(self) -> None:
        self.in_flight = InFlight()
        self.meter = Meter()
        routed = {"a:1", "b:1", "c:1"}
        self.balancer = Balancer(routed, self.in_flight, LIMITS, self, self.meter)

    def picks(self, wanted: Route, count: int) -> list[str | None]:
        return [self.balancer.pick(wanted) for _ in range(count)]

    def fail(self, target: str, times: int = LIMITS.eject_failures) -> None:
        for _ in range(times):
            self.balancer.failed(target)

    def counted(self, event: str) -> int:
        return sum(times for name, _, times in self.meter.take()["events"] if name == event)


def route(*targets: str) -> Route:
    return Route("demo", "web", ("a.example",), Version(targets, "blue", "r1"))


def least(*targets: str) -> Route:
    return evolve(route(*targets), settings=Settings(balance=LEAST_CONNECTIONS))


def test_round_robin() -> None:
    assert Setting().picks(route("a:1", "b:1", "c:1"), 4) == ["a:1", "b:1", "c:1", "a:1"]


def test_every_app_has_turns_of_its_own() -> None:
    """Two apps whose requests alternate don't take the same targets forever."""
    setting, other = Setting(), Route("demo", "api", ("b.example",), Version(("a:1", "b:1"), "blue", "r1"))
    picks = [setting.balancer.pick(each) for each in (route("a:1", "b:1"), other) * 2]
    assert picks == ["a:1", "a:1", "b:1", "b:1"]


def test_tried_targets_are_passed_over() -> None:
    setting = Setting()
    assert setting.balancer.pick(route("a:1", "b:1")) == "a:1"
    assert setting.balancer.pick(route("a:1", "b:1"), ("b:1",)) == "a:1"
    assert setting.balancer.pick(route("a:1", "b:1"), ("a:1", "b:1")) is None
    assert setting.counted(RETRY) == 1


def test_fewer_targets_than_before() -> None:
    setting = Setting()
    setting.picks(route("a:1", "b:1", "c:1"), 3)
    assert setting.picks(route("z:1"), 1) == ["z:1"]


def test_the_least_busy_gets_the_next_and_equals_take_turns() -> None:
    setting = Setting()
    for target in ("a:1", "a:1", "b:1", "b:1", "c:1"):
        setting.in_flight.begin(target)
    assert setting.picks(least("a:1", "b:1", "c:1"), 2) == ["c:1", "c:1"]
    setting.in_flight.begin("c:1")
    assert sorted(str(each) for each in setting.picks(least("a:1", "b:1", "c:1"), 3)) == ["a:1", "b:1", "c:1"]


def test_a_target_that_is_down_gets_nothing_until_it_is_up() -> None:
    setting = Setting()
    setting.balancer.mark("b:1", down=True)
    assert set(setting.picks(route("a:1", "b:1", "c:1"), 6)) == {"a:1", "c:1"}
    assert set(setting.picks(least("a:1", "b:1"), 3)) == {"a:1"}
    assert setting.balancer.pick(route("a:1", "b:1"), ("a:1",)) is None
    setting.balancer.mark("b:1", down=False)
    assert set(setting.picks(route("a:1", "b:1"), 2)) == {"a:1", "b:1"}


def test_nobody_is_picked_when_all_are_down_however_long_it_lasts() -> None:
    setting = Setting()
    for target in ("a:1", "b:1"):
        setting.fail(target)
        setting.balancer.mark(target, down=True)
    setting.now = 1e6
    assert setting.picks(route("a:1", "b:1"), 2) == [None, None]


def test_failed_connections_in_a_row_eject_a_target() -> None:
    setting = Setting()
    two = route("a:1", "b:1")
    setting.fail("a:1", 2)
    assert set(setting.picks(two, 4)) == {"a:1", "b:1"}
    setting.balancer.connected("a:1")
    setting.fail("a:1", 2)  # not in a row with the first two
    assert set(setting.picks(two, 4)) == {"a:1", "b:1"}
    setting.fail("a:1", 1)
    assert set(setting.picks(two, 4)) == {"b:1"}
    events = {event: times for event, _, times in setting.meter.take()["events"]}
    assert (events[EJECTION], events[CONNECT_FAILURE]) == (1, 5)


def test_one_request_tries_an_ejected_target_again() -> None:
    setting = Setting()
    two = route("a:1", "b:1")
    setting.fail("a:1")
    setting.now = 9.9
    assert set(setting.picks(two, 4)) == {"b:1"}
    setting.now = 10.0
    assert setting.picks(two, 5).count("a:1") == 1
    setting.balancer.failed("a:1")
    setting.now = 19.9
    assert set(setting.picks(two, 4)) == {"b:1"}
    setting.now = 20.0
    assert setting.picks(two, 5).count("a:1") == 1
    setting.balancer.connected("a:1")
    assert setting.picks(two, 4).count("a:1") == 2


def test_the_only_target_is_tried_again_sooner() -> None:
    """With nobody else to send requests to, every second without it is one without the app."""
    setting = Setting()
    setting.fail("a:1")
    assert setting.picks(route("a:1"), 2) == [None, None]
    setting.now = 1.0
    assert setting.picks(route("a:1"), 3) == ["a:1", None, None]
    setting.balancer.connected("a:1")
    assert setting.picks(route("a:1"), 2) == ["a:1", "a:1"]


def test_a_health_check_that_passes_ends_an_ejection() -> None:
    setting = Setting()
    setting.fail("a:1")
    setting.balancer.mark("a:1", down=False)
    assert setting.picks(route("a:1"), 2) == ["a:1", "a:1"]


def test_a_forgotten_target_starts_anew() -> None:
    setting = Setting()
    setting.fail("a:1")
    setting.balancer.forget("a:1")
    assert setting.picks(route("a:1"), 2) == ["a:1", "a:1"]


def test_nothing_is_kept_of_a_target_that_is_not_routed() -> None:
    """A request that was under way when its route went may fail after that."""
    setting = Setting()
    setting.fail("gone:1")
    assert setting.picks(route("gone:1"), 1) == ["gone:1"]
    assert setting.counted(EJECTION) == 0
