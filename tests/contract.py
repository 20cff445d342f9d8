"""The admin API's JSON, as both sides must see it: what iop sends and reads, what iopproxy reads and sends."""

from __future__ import annotations

from typing import Any

HEALTHZ: dict[str, Any] = {"status": "ok", "version": "0.1.0"}

PUT_BODY: dict[str, Any] = {
    "hosts": ["a.example", "www.a.example"],
    "targets": ["demo-web-blue:3000"],
    "color": "blue",
    "release": "a1b2c3d",
    "response_timeout": 30.0,
    "forward_headers": False,
    "ssl_redirect": True,
    "hsts": 5184000,
    "max_body": None,
    "balance": "round-robin",
    "log_query": False,
    "log_headers": [],
    "health_check": {"path": "/up", "interval": 1.0, "timeout": 5.0},
}
"""PUT /v1/routes/demo/web"""

DEFAULTS: dict[str, Any] = {
    "health_check": {**PUT_BODY["health_check"], "healthy": 2, "unhealthy": 3},
    "maintenance": None,
}
"""What a PUT may leave out, as every answer shows it."""

ROUTE: dict[str, Any] = {"project": "demo", "app": "web", **PUT_BODY, **DEFAULTS, "previous": None}
"""Its answer."""

PUT_BODY_GREEN: dict[str, Any] = {
    **PUT_BODY,
    "targets": ["demo-web-green-1:3000", "demo-web-green-2:3000"],
    "color": "green",
    "release": "e4f5a6b",
}

ROUTE_GREEN: dict[str, Any] = {
    "project": "demo",
    "app": "web",
    **PUT_BODY_GREEN,
    **DEFAULTS,
    "previous": {"targets": ["demo-web-blue:3000"], "color": "blue", "release": "a1b2c3d"},
}
"""The answer to putting it over ROUTE."""

ROUTE_SWITCHED_BACK: dict[str, Any] = {
    **ROUTE,
    "previous": {
        "targets": ["demo-web-green-1:3000", "demo-web-green-2:3000"],
        "color": "green",
        "release": "e4f5a6b",
    },
}
"""The answer to POST /v1/routes/demo/web/switch-back after that."""

MAINTENANCE_BODY: dict[str, Any] = {"page": "<h1>Back at noon</h1>"}
"""PUT /v1/routes/demo/web/maintenance"""

ROUTE_UNDER_MAINTENANCE: dict[str, Any] = {**ROUTE, "maintenance": MAINTENANCE_BODY["page"]}
"""Its answer; that to DELETE is ROUTE."""

ROUTES: dict[str, Any] = {"routes": [ROUTE]}
"""GET /v1/routes, and DELETE /v1/hosts/{host} when ROUTE is left."""

TARGETS: dict[str, Any] = {
    "targets": [
        {
            "target": "demo-web-blue:3000",
            "in_flight": 0,
            "tunnels": 0,
            "routed": True,
            "healthy": True,
            "reason": None,
        }
    ]
}
"""GET /v1/targets; ``reason`` is what its last health check got."""

DRAIN_BODY: dict[str, Any] = {"targets": ["demo-web-blue:3000"], "timeout": 30.0}
"""POST /v1/drain"""

DRAINED: dict[str, Any] = {
    "drained": True,
    "in_flight": {"demo-web-blue:3000": 0},
    "tunnels": {"demo-web-blue:3000": 0},
}
NOT_DRAINED: dict[str, Any] = {**DRAINED, "drained": False, "in_flight": {"demo-web-blue:3000": 2}}

CHECK_BODY: dict[str, Any] = {
    "target": "demo-web-green:3000",
    "path": "/up",
    "host": "a.example",
    "interval": 1.0,
    "timeout": 5.0,
    "attempts": 5,
}
"""POST /v1/check"""

HEALTHY: dict[str, Any] = {"healthy": True, "attempts": 1, "reason": "200 OK"}
UNHEALTHY: dict[str, Any] = {"healthy": False, "attempts": 5, "reason": "connection refused on port 3000"}

CERTIFICATE: dict[str, Any] = {
    "name": "a.example",
    "names": ["a.example", "*.a.example"],
    "issuer": "CN=Test Intermediate",
    "not_before": "2020-11-20T00:00:00Z",
    "expiry": "2099-02-20T00:00:00Z",
    "file": "/var/lib/iop-proxy/certs/a.example.pem",
}
"""The answer to PUT /v1/certificates/a.example with ``certificate`` (its chain too) and ``private_key`` as PEM."""

CERTIFICATES: dict[str, Any] = {"certificates": [CERTIFICATE]}
"""GET /v1/certificates, and DELETE /v1/certificates/{name} when CERTIFICATE is left."""

CHALLENGE_TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
CHALLENGE_BODY: dict[str, Any] = {
    "key_authorization": f"{CHALLENGE_TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
}
"""PUT /v1/challenges/{token}; the answer, as that to DELETE, is {}."""

PROVE_BODY: dict[str, Any] = {"path": "/up", "interval": 1.0, "timeout": 5.0, "attempts": 5}
"""POST /v1/routes/demo/web/prove; the answers are those of a check."""

ERROR: dict[str, Any] = {"error": "The host a.example belongs to demo/web."}
"""Every answer but a 2xx has this shape."""
