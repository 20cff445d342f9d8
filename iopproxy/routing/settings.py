"""What can be set for one route, beside where it leads."""

from __future__ import annotations

from typing import Final

from attrs import frozen

__all__ = ["BALANCES", "LEAST_CONNECTIONS", "ROUND_ROBIN", "HealthCheck", "Settings"]

ROUND_ROBIN: Final = "round-robin"
LEAST_CONNECTIONS: Final = "least-connections"
BALANCES: Final = frozenset({ROUND_ROBIN, LEAST_CONNECTIONS})


@frozen
class HealthCheck:
    """How a route's targets are watched while they are routed. Times are seconds."""

    path: str
    interval: float = 5.0
    timeout: float = 5.0
    healthy: int = 2
    """Answers with 2xx in a row after which a target that was down gets requests again."""
    unhealthy: int = 3
    """Failures in a row after which a target gets no more."""


@frozen
class Settings:
    """Each has the key of the same name in the admin API's route."""

    response_timeout: float = 30.0
    """Seconds to the response's first byte."""
    forward_headers: bool = False
    """Believe what the client side says of itself in X-Forwarded-*, Forwarded and X-Real-IP."""
    ssl_redirect: bool = False
    """Answer plain HTTP with a redirect once a certificate for the host is there."""
    hsts: int | None = None
    """Seconds of Strict-Transport-Security over HTTPS."""
    max_body: int | None = None
    """Bytes that a request's body may have; larger ones are answered 413."""
    balance: str = ROUND_ROBIN
    health_check: HealthCheck | None = None
    log_query: bool = False
    """Whether the access log shows query strings."""
    log_headers: tuple[str, ...] = ()
    """Request headers that the access log shows, in lower case."""
