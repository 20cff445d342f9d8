"""Routes as JSON: the one form that the admin API and state.json share. Reading is strict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import asdict, evolve, fields

from iopproxy.routing.hosts import normalise
from iopproxy.routing.settings import BALANCES, ROUND_ROBIN, HealthCheck, Settings
from iopproxy.routing.state import Route, RouteError, Table, Version

__all__ = [
    "InvalidError",
    "read_name",
    "read_page",
    "read_path",
    "read_route",
    "read_seconds",
    "read_table",
    "read_target",
    "read_targets",
    "require_keys",
    "write_route",
    "write_table",
]

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TARGET = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,252}):([1-9][0-9]{0,4})")
_PATH = re.compile(r"/[!-~]{0,1023}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_PAGE_SIZE = 262144
"""Characters of a maintenance page."""
_LABEL_SIZE = 63
"""RFC 1035 section 2.3.4. A resolver that gets a longer or an empty label may never answer."""
_VERSION = 1


class InvalidError(Exception):
    """JSON that isn't what it should be. Its text is one sentence for a person."""


def require_keys(body: Any, required: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
    """Raise InvalidError unless ``body`` is an object with all required keys and no unknown one."""
    if not isinstance(body, dict):
        raise InvalidError("The body must be a JSON object.")
    if missing := required - body.keys():
        raise InvalidError(f"The key {min(missing)} is missing.")
    if unknown := body.keys() - required - optional:
        raise InvalidError(f"The key {min(unknown)} is unknown.")


def _strings(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise InvalidError(f"{key} must be a list of at least one string.")
    if len(set(value)) != len(value):
        raise InvalidError(f"{key} names something twice.")
    return tuple(value)


def read_name(value: Any, key: str) -> str:
    """A project's or an app's name."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidError(f"{key} must be lower-case letters, digits and dashes.")
    return value


def read_seconds(value: Any, key: str, most: float = 86400.0) -> float:
    """A time in seconds, above 0 and at most ``most``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= most:  # NaN isn't either
        raise InvalidError(f"{key} must be a number of seconds above 0 and at most {most:g}.")
    return float(value)


def read_target(value: Any, key: str = "target") -> str:
    """``name:port``, the port from 1 to 65535."""
    match = _TARGET.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 65535:
        raise InvalidError(f"{key} must be NAME:PORT, like demo-web-blue:3000.")
    if not all(1 <= len(label) <= _LABEL_SIZE for label in match[1].split(".")):
        raise InvalidError(f"{key} must have 1 to {_LABEL_SIZE} characters between the dots of its name.")
    return match[0]


def read_targets(value: Any) -> tuple[str, ...]:
    """A list of at least one ``name:port``, none twice."""
    return tuple(read_target(each, "Each of targets") for each in _strings(value, "targets"))


def _read_host(value: str) -> str:
    if ":" in value or normalise(value.encode("ascii", "replace")) != value:
        raise InvalidError(f"{value!r} in hosts must be a lower-case host name without port.")
    return value


def _read_text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isprintable():
        raise InvalidError(f"{key} must be a short string.")
    return value


def read_page(value: Any) -> str:
    """A maintenance page."""
    if not isinstance(value, str) or not 0 < len(value) <= _PAGE_SIZE:
        raise InvalidError(f"page must be text of 1 to {_PAGE_SIZE} characters.")
    return value


def _read_version(body: Mapping[str, Any]) -> Version:
    return Version(
        targets=read_targets(body["targets"]),
        color=_read_text(body["color"], "color"),
        release=_read_text(body["release"], "release"),
    )


_VERSION_KEYS = frozenset({"targets", "color", "release"})
_ROUTE_KEYS = _VERSION_KEYS | {"hosts"}
_STORED_KEYS = frozenset({"project", "app", "previous"})
_STORED_OPTIONAL = frozenset({"maintenance"})
_ROUTE_OPTIONAL = frozenset(field.name for field in fields(Settings))
_HEALTH_OPTIONAL = frozenset({"interval", "timeout", "healthy", "unhealthy"})


def read_route(project: str, app: str, body: Any) -> Route:
    """A route from the body of a PUT. Raises InvalidError."""
    require_keys(body, _ROUTE_KEYS, _ROUTE_OPTIONAL)
    return Route(
        project=read_name(project, "The project"),
        app=read_name(app, "The app"),
        hosts=tuple(_read_host(each) for each in _strings(body["hosts"], "hosts")),
        live=_read_version(body),
        settings=_read_settings(body),
    )


def _read_settings(body: Mapping[str, Any]) -> Settings:
    balance = body.get("balance", ROUND_ROBIN)
    if balance not in BALANCES:
        raise InvalidError(f"balance must be one of {', '.join(sorted(BALANCES))}.")
    return Settings(
        response_timeout=read_seconds(body.get("response_timeout", 30.0), "response_timeout"),
        forward_headers=_read_flag(body, "forward_headers"),
        ssl_redirect=_read_flag(body, "ssl_redirect"),
        hsts=_read_count(body, "hsts"),
        max_body=_read_count(body, "max_body"),
        balance=balance,
        health_check=_read_health_check(body.get("health_check")),
        log_query=_read_flag(body, "log_query"),
        log_headers=_read_header_names(body.get("log_headers", [])),
    )


def _read_flag(body: Mapping[str, Any], key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise InvalidError(f"{key} must be true or false.")
    return value


def _read_count(body: Mapping[str, Any], key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise InvalidError(f"{key} must be a whole number, or null.")
    return value


def _read_header_names(value: Any) -> tuple[str, ...]:
    if value == []:
        return ()
    names = _strings(value, "log_headers")
    if not all(_HEADER_NAME.fullmatch(name) for name in names):
        raise InvalidError("Each of log_headers must be a header's name in lower case.")
    return names


def read_path(value: Any) -> str:
    """A path to ask for, with or without a query."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise InvalidError("path must start with / and hold neither spaces nor control characters.")
    return value


def _read_health_check(body: Any) -> HealthCheck | None:
    if body is None:
        return None
    try:
        require_keys(body, frozenset({"path"}), _HEALTH_OPTIONAL)
        return HealthCheck(
            path=read_path(body["path"]),
            interval=read_seconds(body.get("interval", 5.0), "interval"),
            timeout=read_seconds(body.get("timeout", 5.0), "timeout"),
            healthy=_read_threshold(body.get("healthy", 2), "healthy"),
            unhealthy=_read_threshold(body.get("unhealthy", 3), "unhealthy"),
        )
    except InvalidError as error:
        raise InvalidError(f"In health_check: {error}") from error


def _read_threshold(value: Any, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1000:
        raise InvalidError(f"{key} must be a whole number from 1 to 1000.")
    return value


def _write_version(version: Version) -> dict[str, Any]:
    return {"targets": list(version.targets), "color": version.color, "release": version.release}


def write_route(route: Route) -> dict[str, Any]:
    """A route as the admin API answers it."""
    return {
        "project": route.project,
        "app": route.app,
        "hosts": list(route.hosts),
        **_write_version(route.live),
        **asdict(route.settings, value_serializer=lambda _, __, value: _plain(value)),
        "maintenance": route.maintenance,
        "previous": None if route.previous is None else _write_version(route.previous),
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


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
    table = Table()
    for each in body["routes"]:
        try:
            table = table.put(_read_stored(each))
        except RouteError as error:
            raise InvalidError(str(error)) from error
    return table


def _read_stored(body: Any) -> Route:
    require_keys(body, _ROUTE_KEYS | _STORED_KEYS, _ROUTE_OPTIONAL | _STORED_OPTIONAL)
    put = {key: value for key, value in body.items() if key not in _STORED_KEYS | _STORED_OPTIONAL}
    route = read_route(body["project"], body["app"], put)
    if body.get("maintenance") is not None:
        route = evolve(route, maintenance=read_page(body["maintenance"]))
    if body["previous"] is None:
        return route
    require_keys(body["previous"], _VERSION_KEYS)
    return evolve(route, previous=_read_version(body["previous"]))
