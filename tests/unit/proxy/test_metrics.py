"""From what a worker counts to the page that Prometheus reads."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from iopproxy import __version__
from iopproxy.control.metrics import Present, render
from iopproxy.control.totals import Totals
from iopproxy.http.meter import CONNECT, HANDSHAKE, REFUSAL, Meter
from iopproxy.routing.state import Table
from tests.unit.proxy.exchanges import exchange

NOTHING = Present(in_flight={}, tunnels={}, open={}, healthy={}, workers=0, restarts=0)


def take(meter: Meter) -> Any:
    """What arrives at the control process."""
    return json.loads(json.dumps(meter.take()))


def read(totals: Totals, present: Present = NOTHING) -> dict[tuple[Any, ...], float]:
    """(name, label values …) -> value."""
    order = ["project", "app", "scheme", "protocol", "status", "result", "detail", "target", "version", "le"]
    return {
        (sample.name, *(sample.labels[label] for label in order if label in sample.labels)): sample.value
        for family in text_string_to_metric_families(render(totals, present).decode())
        for sample in family.samples
    }


def test_requests_by_route_and_status() -> None:
    meter, totals = Meter(), Totals()
    for status in (200, 204, 404, 503, 0):
        meter.request(exchange(status=status))
    meter.request(exchange(route=None, status=404, first_byte_at=0.0))
    totals.add(take(meter))
    found = read(totals)
    name = "iop_proxy_requests_total"
    assert {key[1:]: value for key, value in found.items() if key[0] == name} == {
        ("demo", "web", "none"): 1,
        ("demo", "web", "2xx"): 2,
        ("demo", "web", "4xx"): 1,
        ("demo", "web", "5xx"): 1,
        ("", "", "4xx"): 1,
    }
    assert found["iop_proxy_received_bytes_total", "demo", "web"] == 50
    assert found["iop_proxy_sent_bytes_total", "demo", "web"] == 25


def test_histograms() -> None:
    meter, totals = Meter(), Totals()
    for seconds in (0.001, 0.25, 0.3, 100.0):
        meter.request(exchange(began=64.0, first_byte_at=64.0 + seconds / 2, ended_at=64.0 + seconds))
    meter.request(exchange(began=64.0, first_byte_at=0.0, ended_at=64.02))
    totals.add(take(meter))
    found = read(totals)
    name = "iop_proxy_request_duration_seconds"
    buckets = {key[3]: value for key, value in found.items() if key[0] == f"{name}_bucket"}
    assert [buckets[bound] for bound in ("0.005", "0.01", "0.025", "0.1", "0.25", "0.5", "30.0", "+Inf")] == [
        *(1, 1, 2, 2, 3, 4, 4, 5)
    ]
    assert found[f"{name}_count", "demo", "web"] == 5
    assert round(found[f"{name}_sum", "demo", "web"], 3) == 100.571
    assert found["iop_proxy_first_byte_seconds_count", "demo", "web"] == 4
    assert found["iop_proxy_first_byte_seconds_bucket", "demo", "web", "0.25"] == 3


def test_what_is_taken_is_taken_once() -> None:
    """So the sum stays right whichever of its workers dies, and whenever."""
    totals, meters = Totals(), [Meter(), Meter()]
    for _ in range(3):
        for meter in meters:
            meter.request(exchange())
            meter.count(REFUSAL, "400")
            totals.add(take(meter))
            totals.add(take(meter))
    found = read(totals)
    assert found["iop_proxy_requests_total", "demo", "web", "2xx"] == 6
    assert found["iop_proxy_requests_refused_total", "400"] == 6


def test_events() -> None:
    meter, totals = Meter(), Totals()
    meter.opened("https/h2")
    meter.count(HANDSHAKE, "ok/TLSv1.3")
    meter.count(HANDSHAKE, "failed/unknown name", times=2)
    meter.count(CONNECT)
    totals.add(take(meter))
    found = read(totals)
    assert found["iop_proxy_connections_accepted_total", "https", "h2"] == 1
    assert found["iop_proxy_tls_handshakes_total", "failed", "unknown name"] == 2
    assert found["iop_proxy_upstream_connections_total",] == 1
    assert found["iop_proxy_retries_total",] == 0


def test_open_connections() -> None:
    meter = Meter()
    meter.opened("https/h2")
    meter.opened("http/http1")
    meter.opened("http/http1")
    meter.closed("https/h2")
    take(meter)
    assert meter.open == {"https/h2": 0, "http/http1": 2}


def test_the_present() -> None:
    present = Present(
        in_flight={"web:1": 2},
        tunnels={"web:1": 1},
        open={"https/h2": 3},
        healthy={"web:1": True, "web:2": False},
        workers=2,
        restarts=4,
    )
    found = read(Totals(), present)
    assert found["iop_proxy_requests_in_flight", "web:1"] == 2
    assert found["iop_proxy_tunnels", "web:1"] == 1
    assert found["iop_proxy_connections", "https", "h2"] == 3
    assert (found["iop_proxy_target_healthy", "web:1"], found["iop_proxy_target_healthy", "web:2"]) == (1, 0)
    assert (found["iop_proxy_workers",], found["iop_proxy_worker_restarts_total",]) == (2, 4)
    assert found["iop_proxy_build_info", __version__] == 1


def test_routes_that_are_no_more_are_forgotten() -> None:
    meter, totals = Meter(), Totals()
    meter.request(exchange())
    meter.request(exchange(route=None))
    totals.add(take(meter))
    totals.follow(Table())
    assert set(totals.routes) == {""}


def test_a_meter_has_no_more_after_it_was_read() -> None:
    meter = Meter()
    meter.request(exchange())
    meter.count(REFUSAL, "400")
    take(meter)
    assert take(meter) == {"routes": {}, "events": []}


def test_a_report_may_come_without_counts() -> None:
    totals = Totals()
    totals.hear({"meter": None})
    totals.hear({"meter": {"routes": {}, "events": [[REFUSAL, "400", 2]]}})
    assert read(totals)["iop_proxy_requests_refused_total", "400"] == 2


def test_a_copy_stays_as_it_is() -> None:
    meter, totals = Meter(), Totals()
    for _ in range(2):
        meter.request(exchange())
        meter.count(CONNECT)
        copied = totals.copy()
        totals.add(take(meter))
    page = read(copied)
    assert page["iop_proxy_requests_total", "demo", "web", "2xx"] == 1
    assert page["iop_proxy_upstream_connections_total",] == 1
    assert read(totals)["iop_proxy_requests_total", "demo", "web", "2xx"] == 2
