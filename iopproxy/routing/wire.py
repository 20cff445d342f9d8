"""Routes as JSON: the one form that the admin API, state.json and the workers share. Reading is strict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from iopproxy.routing.settingsjson import SETTINGS_KEYS, read_settings, write_settings
from iopproxy.routing.state import Route, RouteError, Table, Version
from iopproxy.routing.values import (
    InvalidError,
    read_host,
    read_name,
    read_page,
    read_strings,
    read_targets,
    read_text,
    require_keys,
)

__all__ = ["read_route", "read_stored", "read_table", "write_route", "write_table"]

_VERSION = 1
_VERSION_KEYS = frozenset({"targets", "color", "release"})
_ROUTE_KEYS = _VERSION_KEYS | {"hosts"}
_STORED_KEYS = frozenset({"project", "app", "previous"})
_STORED_OPTIONAL = frozenset({"maintenance"})


def read_route(project: str, app: str, body: Any) -> Route:
    """A route from the body of a PUT. Raises InvalidError."""
    require_keys(body, _ROUTE_KEYS, SETTINGS_KEYS)
    return Route(
        project=read_name(project, "The project"),
        app=read_name(app, "The app"),
        hosts=tuple(read_host(each) for each in read_strings(body["hosts"], "hosts")),
        live=_read_version(body),
        settings=read_settings(body),
    )


def _read_version(body: Mapping[str, Any]) -> Version:
    return Version(
        targets=read_targets(body["targets"]),
        color=read_text(body["color"], "color"),
        release=read_text(body["release"], "release"),
    )


def _write_version(version: Version) -> dict[str, Any]:
    return {"targets": list(version.targets), "color": version.color, "release": version.release}


def write_route(route: Route) -> dict[str, Any]:
    """A route as the admin API answers it."""
    return {
        "project": route.project,
        "app": route.app,
        "hosts": list(route.hosts),
        **_write_version(route.live),
        **write_settings(route.settings),
        "maintenance": route.maintenance,
        "previous": None if route.previous is None else _write_version(route.previous),
    }


def read_stored(body: Any) -> Route:
    """The inverse of ``write_route``. Raises InvalidError."""
    require_keys(body, _ROUTE_KEYS | _STORED_KEYS, SETTINGS_KEYS | _STORED_OPTIONAL)
    put = {key: value for key, value in body.items() if key not in _STORED_KEYS | _STORED_OPTIONAL}
    route = read_route(body["project"], body["app"], put)
    if body.get("maintenance") is not None:
        route = evolve(route, maintenance=read_page(body["maintenance"]))
    if body["previous"] is None:
        return route
    require_keys(body["previous"], _VERSION_KEYS)
    return evolve(route, previous=_read_version(body["previous"]))


def write_table(table: Table) -> dict[str, Any]:
    """What state.json holds."""
    return {"version": _VERSION, "routes": [write_route(route) for route in table.routes]}


def read_table(body: Any) -> Table:
    """The inverse of ``write_table``. Raises InvalidError, also for a version this program doesn't know."""
    if not isinstance(body, dict) or body.get("version") != _VERSION:
        raise InvalidError(f"It isn't of version {_VERSION}.")
    require_keys(body, frozenset({"version", "routes"}))
    if not isinstance(body["routes"], list):
        raise InvalidError("routes must be a list.")
    try:
        return Table.of([read_stored(each) for each in body["routes"]])
    except RouteError as error:
        raise InvalidError(str(error)) from error
