"""A request that is over, as the journal sees it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from iopproxy.routing.settings import Settings
from iopproxy.routing.state import Route, Version

ROUTE = Route("demo", "web", ("a.example",), Version(("web:1",), "blue", "r1"))


def exchange(route: Route | None = ROUTE, **different: Any) -> Any:
    """One that took 20 ms, the first byte 10.

    ``different``: attributes of it and, where it has none of that name, of its request; ``path`` is what it asks for.
    """
    made: dict[str, Any] = {
        "route": route,
        "client": SimpleNamespace(address=b"192.0.2.1", scheme=b"https", protocol=b"HTTP/2"),
        "target": None if route is None else route.live.targets[0],
        "status": 200,
        "sent": 5,
        "began": 100.0,
        "first_byte_at": 100.010,
        "ended_at": 100.020,
        "fate": "complete",
    }
    request: dict[str, Any] = {
        "id": b"0123",
        "method": b"GET",
        "target": different.pop("path", b"/path?token=secret"),
        "host": "a.example",
        "modern": True,
        "received": 10,
        "headers": [],
        "forwarded": [],
    }
    for key, value in different.items():
        (made if key in made else request)[key] = value
    return SimpleNamespace(request=SimpleNamespace(**request), **made)


def route_with(**settings: Any) -> Route:
    return Route("demo", "web", ("a.example",), ROUTE.live, settings=Settings(**settings))
