"""``GET /metrics``: the totals and the present state, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from iopproxy import __version__
from iopproxy.control.totals import Totals
from iopproxy.http import meter

__all__ = ["Present", "render"]

_BOUNDS: Final = (*(str(bound) for bound in meter.BOUNDS), "+Inf")
_STATUSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
_ROUTE: Final = ("project", "app")

_EVENTS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    (meter.CONNECTION, "connections_accepted", "Connections of clients.", ("scheme", "protocol")),
    (meter.TURNED_AWAY, "connections_turned_away", "Connections closed at once for a limit.", ("limit",)),
    (meter.HANDSHAKE, "tls_handshakes", "TLS handshakes.", ("result", "detail")),
    (meter.REFUSAL, "requests_refused", "Messages that made no valid request.", ("status",)),
    (meter.CONNECT, "upstream_connections", "New connections to targets.", ()),
    (meter.CONNECT_FAILURE, "upstream_connection_failures", "Targets that could not be reached.", ()),
    (meter.RETRY, "retries", "Requests sent to another target, as one could not be reached.", ()),
    (meter.EJECTION, "ejections", "Targets left alone for a while, as they could not be reached.", ()),
    (meter.LOG_DROP, "access_log_dropped_lines", "Lines of the access log that nobody took in time.", ()),
)
"""What the meter calls it, the metric, its meaning, its labels (parted by "/" in the meter's one)."""


@frozen
class Present:
    """How things are just now, over all workers."""

    in_flight: Mapping[str, int]
    """Requests by target."""
    tunnels: Mapping[str, int]
    open: Mapping[str, int]
    """Connections of clients by SCHEME/PROTOCOL."""
    healthy: Mapping[str, bool]
    """Every routed target."""
    workers: int
    restarts: int


def render(totals: Totals, present: Present) -> bytes:
    """The page, UTF-8."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(totals, present))
    return generate_latest(registry)


class _Page(Collector):
    """Every metric, made from the values when it is asked."""

    def __init__(self, totals: Totals, present: Present) -> None:
        self._totals = totals
        self._present = present

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        for event, name, meaning, labels in _EVENTS:
            values = {label: times for (each, label), times in self._totals.events.items() if each == event}
            if not labels:
                values.setdefault("", 0)
            yield _counter(
                name, meaning, labels, ((tuple(label.split("/")), n) for label, n in values.items())
            )
        yield from self._state()

    def _requests(self) -> Iterator[Metric]:
        routes = [(_owner(key), totals) for key, totals in sorted(self._totals.routes.items())]
        yield _counter(
            "requests",
            "Requests answered, by the first digit of the status; none: the client left before.",
            (*_ROUTE, "status"),
            (
                ((*owner, status), count)
                for owner, totals in routes
                for status, count in zip(_STATUSES, totals.statuses, strict=True)
                if count
            ),
        )
        yield _counter(
            "received_bytes",
            "Of requests' bodies.",
            _ROUTE,
            ((owner, each.received) for owner, each in routes),
        )
        yield _counter(
            "sent_bytes", "Of responses' bodies.", _ROUTE, ((owner, each.sent) for owner, each in routes)
        )
        yield _histogram(
            "request_duration_seconds",
            "From a request's head to the end of its response.",
            ((owner, each.totals, each.seconds) for owner, each in routes),
        )
        yield _histogram(
            "first_byte_seconds",
            "From a request's head to that of the target's response.",
            ((owner, each.first_bytes, each.first_seconds) for owner, each in routes),
        )

    def _state(self) -> Iterator[Metric]:
        present = self._present
        target = ("target",)
        yield _gauge("requests_in_flight", "Requests a target has.", target, _by_name(present.in_flight))
        yield _gauge(
            "tunnels", "WebSockets and other tunnels to a target.", target, _by_name(present.tunnels)
        )
        yield _gauge(
            "connections",
            "Clients that are connected.",
            ("scheme", "protocol"),
            ((tuple(kind.split("/")), count) for kind, count in sorted(present.open.items())),
        )
        yield _gauge("target_healthy", "1: it gets requests.", target, _by_name(present.healthy))
        yield _gauge("workers", "Worker processes that serve.", (), [((), present.workers)])
        yield _counter("worker_restarts", "Workers replaced.", (), [((), present.restarts)])
        yield _gauge("build_info", "The version that runs.", ("version",), [((__version__,), 1)])


Values = Iterable[tuple[Sequence[str], float]]


def _owner(key: str) -> tuple[str, str]:
    project, _, app = key.partition("/")
    return project, app


def _by_name(values: Mapping[str, float]) -> Values:
    return (((name,), float(value)) for name, value in sorted(values.items()))


def _counter(name: str, meaning: str, labels: Sequence[str], values: Values) -> Metric:
    family = CounterMetricFamily(f"iop_proxy_{name}", meaning, labels=labels)
    return _filled(family, labels, values)


def _gauge(name: str, meaning: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(GaugeMetricFamily(f"iop_proxy_{name}", meaning, labels=labels), labels, values)


def _filled(family: Any, labels: Sequence[str], values: Values) -> Metric:
    for own, value in values:
        family.add_metric(own[: len(labels)], value)
    return family  # type: ignore[no-any-return]


def _histogram(
    name: str, meaning: str, values: Iterable[tuple[Sequence[str], Sequence[int], float]]
) -> Metric:
    family = HistogramMetricFamily(f"iop_proxy_{name}", meaning, labels=_ROUTE)
    for labels, counts, total in values:
        family.add_metric(labels, list(zip(_BOUNDS, accumulate(counts), strict=True)), total)
    return family
