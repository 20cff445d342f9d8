from __future__ import annotations

import pytest

from iopproxy.routing.state import (
    HostTakenError,
    NoPreviousError,
    NoRouteError,
    Route,
    Table,
    Version,
)
from iopproxy.routing.values import InvalidError
from iopproxy.routing.wire import read_table, write_table

BLUE = Version(("web-blue:3000",), "blue", "r1")
GREEN = Version(("web-green:3000",), "green", "r2")


def route(live: Version = BLUE, app: str = "web", hosts: tuple[str, ...] = ("a.example",)) -> Route:
    return Route("demo", app, hosts, live)


def test_put_remembers_what_was_there() -> None:
    table = Table().put(route()).put(route(GREEN))
    assert (table.get("demo", "web").live, table.get("demo", "web").previous) == (GREEN, BLUE)
    assert len(table.routes) == 1


def test_put_of_the_same_targets_keeps_the_previous_version() -> None:
    table = Table().put(route()).put(route(GREEN))
    assert table.put(route(GREEN)) == table
    relabelled = Version(GREEN.targets, "green", "r3")
    assert table.put(route(relabelled)).get("demo", "web").previous == BLUE


def test_put_of_the_same_targets_in_another_order_keeps_the_previous_version() -> None:
    two = Version(("web-1:3000", "web-2:3000"), "green", "r2")
    other_way_round = Version(("web-2:3000", "web-1:3000"), "green", "r2")
    table = Table().put(route()).put(route(two)).put(route(other_way_round))
    assert (table.get("demo", "web").live, table.get("demo", "web").previous) == (other_way_round, BLUE)


def test_put_changes_nothing_about_the_other_routes() -> None:
    table = Table().put(route()).put(route(app="api", hosts=("c.example",)))
    assert table.put(route()) == table
    assert [each.app for each in table.put(route(GREEN)).routes] == ["web", "api"]


def test_a_host_belongs_to_one_app() -> None:
    with pytest.raises(HostTakenError, match=r"a\.example belongs to demo/web"):
        Table().put(route()).put(route(app="api"))


def test_switch_back_and_forth() -> None:
    table = Table().put(route()).put(route(GREEN))
    back = table.switch_back("demo", "web")
    assert (back.get("demo", "web").live, back.get("demo", "web").previous) == (BLUE, GREEN)
    assert back.switch_back("demo", "web") == table


def test_switch_back_needs_something_to_go_back_to() -> None:
    with pytest.raises(NoPreviousError):
        Table().put(route()).switch_back("demo", "web")
    with pytest.raises(NoRouteError):
        Table().switch_back("demo", "web")


def test_a_route_goes_with_its_last_host() -> None:
    table = Table().put(route(hosts=("a.example", "b.example"))).put(route(app="api", hosts=("c.example",)))
    table = table.without_host("a.example")
    assert table.get("demo", "web").hosts == ("b.example",)
    table = table.without_host("b.example")
    assert [each.app for each in table.routes] == ["api"]
    with pytest.raises(NoRouteError):
        table.without_host("a.example")


def test_json_there_and_back() -> None:
    table = Table().put(route()).put(route(GREEN)).put(route(app="api", hosts=("c.example",)))
    assert read_table(write_table(table)) == table


def test_json_of_two_apps_with_one_host_is_damaged() -> None:
    body = write_table(Table().put(route()))
    body["routes"].append({**body["routes"][0], "app": "api"})
    with pytest.raises(InvalidError, match="belongs to"):
        read_table(body)


def test_json_of_an_app_with_two_routes_is_damaged() -> None:
    body = write_table(Table().put(route()))
    body["routes"].append({**body["routes"][0], "hosts": ["b.example"]})
    with pytest.raises(InvalidError, match="demo/web has two routes"):
        read_table(body)
