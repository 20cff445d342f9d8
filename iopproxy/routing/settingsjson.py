"""A route's settings as JSON, read strictly. Each key may be left out; its default is the one of ``Settings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, fields

from iopproxy.routing.settings import BALANCES, HealthCheck, Settings
from iopproxy.routing.values import (
    InvalidError,
    read_count,
    read_flag,
    read_header_names,
    read_path,
    read_seconds,
    read_threshold,
    require_keys,
)

__all__ = ["SETTINGS_KEYS", "read_settings", "write_settings"]

SETTINGS_KEYS: Final = frozenset(field.name for field in fields(Settings))
_DEFAULT: Final = Settings()
_HEALTH_OPTIONAL: Final = frozenset({"interval", "timeout", "healthy", "unhealthy"})


def read_settings(body: Mapping[str, Any]) -> Settings:
    """The settings among a route's keys. Raises InvalidError."""
    balance = body.get("balance", _DEFAULT.balance)
    if balance not in BALANCES:
        raise InvalidError(f"balance must be one of {', '.join(sorted(BALANCES))}.")
    return Settings(
        response_timeout=read_seconds(
            body.get("response_timeout", _DEFAULT.response_timeout), "response_timeout"
        ),
        forward_headers=read_flag(body, "forward_headers"),
        ssl_redirect=read_flag(body, "ssl_redirect"),
        hsts=read_count(body, "hsts"),
        max_body=read_count(body, "max_body"),
        balance=balance,
        health_check=_read_health_check(body.get("health_check")),
        log_query=read_flag(body, "log_query"),
        log_headers=read_header_names(body.get("log_headers", [])),
    )


def write_settings(settings: Settings) -> dict[str, Any]:
    """The inverse of ``read_settings``, with every key."""
    return asdict(settings, value_serializer=lambda _, __, value: _plain(value))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read_health_check(body: Any) -> HealthCheck | None:
    if body is None:
        return None
    try:
        require_keys(body, frozenset({"path"}), _HEALTH_OPTIONAL)
        default = HealthCheck(read_path(body["path"]))
        return HealthCheck(
            path=default.path,
            interval=read_seconds(body.get("interval", default.interval), "interval"),
            timeout=read_seconds(body.get("timeout", default.timeout), "timeout"),
            healthy=read_threshold(body.get("healthy", default.healthy), "healthy"),
            unhealthy=read_threshold(body.get("unhealthy", default.unhealthy), "unhealthy"),
        )
    except InvalidError as error:
        raise InvalidError(f"In health_check: {error}") from error
