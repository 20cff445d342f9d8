"""What iop.yml says of an app's route, in the words of the proxy's admin API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iop.config.project import App

__all__ = ["matches", "settings"]


def settings(app: App) -> dict[str, Any]:
    """The keys of a route that come from iop.yml alone, as JSON. Times are seconds."""
    proxy, check = app.proxy, app.health_check
    return {
        "response_timeout": proxy.response_timeout,
        "forward_headers": proxy.forward_headers,
        "ssl_redirect": proxy.ssl_redirect,
        "hsts": proxy.hsts,
        "max_body": proxy.max_body,
        "balance": proxy.balance,
        "log_query": proxy.log_query,
        "log_headers": [each.lower() for each in proxy.log_headers],
        "health_check": {"path": check.path, "interval": check.interval, "timeout": check.timeout},
    }


def matches(app: App, told: Mapping[str, Any]) -> bool:
    """Whether a route that the proxy told of is set as iop.yml wants it; what only the proxy can set is its own."""
    return all(_agrees(value, told.get(key)) for key, value in settings(app).items())


def _agrees(wanted: Any, told: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(told, dict):
        return all(told.get(key) == value for key, value in wanted.items())
    return bool(wanted == told)
