"""docs/proxy.md names every option, limit, setting, call, metric and key of the log, with its default."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from iopproxy.control import api
from iopproxy.control.metrics import Present, render
from iopproxy.control.totals import Totals
from iopproxy.http.limits import Limits
from iopproxy.http.logline import LineWriter
from iopproxy.routing.settings import HealthCheck, Settings
from iopproxy.tap import Options
from tests.unit.proxy.exchanges import exchange, route_with

DOCS = (Path(__file__).parents[3] / "docs" / "proxy.md").read_text()


@cache
def rows(first: str) -> list[tuple[str, str]]:
    """The first and the last cell of each line in all tables whose first column has that heading."""
    found = []
    for table in re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", DOCS, re.M):
        for line in table.splitlines():
            cells = re.split(r"(?<!\\) \| ?", line.strip("| "))
            found.append((cells[0], cells[-1] if line.rstrip().endswith(" |") and len(cells) > 2 else ""))
    assert found, f"no table of {first}"
    return found


def defaults(first: str) -> dict[str, str]:
    """What such tables say by name; a row of several names has a default for each."""
    found: dict[str, str] = {}
    for names, said in rows(first):
        found |= dict(
            zip(re.findall("`([^`=]+)[^`]*`", names), map(str.strip, said.split(", ")), strict=False)
        )
    return found


def shown(value: Any) -> set[str]:
    """How a default may be written."""
    if value is attrs.NOTHING:
        return {"required"}
    if value is None:
        return {"none", "any", "not"}
    if isinstance(value, float) and value.is_integer():
        return {str(int(value))}
    return {"false" if value is False else "[]" if value == () else str(value), f"`{value}`"}


@pytest.mark.parametrize(
    ("values", "table"), [(Limits, "limit"), (Settings, "key"), (HealthCheck, "key of `health_check`")]
)
def test_every_value_with_its_default(values: type, table: str) -> None:
    said = defaults(table)
    wrong = {
        each.name: (each.default, said.get(each.name))
        for each in attrs.fields(values)
        if said.get(each.name) not in shown(each.default)
    }
    assert wrong == {}
    if values is not Settings:  # a route has more keys
        assert set(said) == {each.name for each in attrs.fields(values)}


def test_every_option_with_its_default() -> None:
    said = defaults("option")
    for name, _, default, _ in Options.optParameters:
        assert said.pop(f"--{name}") == {"https": "none", "workers": "one for each processor"}.get(
            name, default if default.isdigit() else f"`{default}`"
        )
    assert set(said) == {"--limit NAME"}


def test_every_call() -> None:
    made = re.findall(r'\("([A-Z]+)", re\.compile\("([^"]+)"\)', Path(api.__file__).read_text())
    said = set()
    for cell, _ in rows("call"):
        *others, last = re.findall("`([^`]+)`", cell)
        method, path = last.split(" ")
        said |= {(each, re.sub("/[A-Z]+", "/*", path)) for each in (*others, method)}
    assert {(method, path.replace("([^/]+)", "*")) for method, path in made} == said


def test_every_metric() -> None:
    present = Present(in_flight={}, tunnels={}, open={}, healthy={}, workers=0, restarts=0)
    page = render(Totals(), present).decode()
    made = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(page)
    }
    said = {name for cell, _ in rows("metric") for name in re.findall("`(iop_proxy_[a-z_]+)`", cell)}
    assert made == said


def test_every_key_of_the_access_log() -> None:
    line = LineWriter().line(exchange(route=route_with(log_headers=("user-agent",))), 0.0)
    said = {name for cell, _ in rows("key") for name in re.findall("`([a-z_]+)`", cell)}
    assert set(json.loads(line)) - said == set()
