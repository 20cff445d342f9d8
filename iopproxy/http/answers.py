"""What the proxy answers by itself: redirects to HTTPS, maintenance pages, refusals by a route's settings."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from attrs import frozen

from iopproxy.http.headers import Header
from iopproxy.http.pages import page
from iopproxy.http.relay import Client, Relay
from iopproxy.http.request import Request
from iopproxy.routing.state import Route

__all__ = ["RETRY_AFTER", "Answer", "answer_for", "be_strict", "message"]

RETRY_AFTER: Final = (b"Retry-After", b"10")
"""With every 503, in seconds: a health check that finds a target again, or a deployment, takes about as long."""

_PLAIN_REDIRECT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
"""Their redirect is 301; 308 keeps the method and the body of the others (RFC 9110 section 15.4.9)."""


@frozen
class Answer:
    """A response without a request to any target. ``body`` None: the status's own page."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes | None = None


_UNKNOWN: Final = Answer(404)
_TOO_LARGE: Final = Answer(413)
_LAST_HOP: Final = Answer(200, body=b"")
"""To an OPTIONS that may not be passed on any more (RFC 9110 section 7.6.2)."""
_TEXT: Final = ((b"Content-Type", b"text/plain"), (b"Cache-Control", b"no-store"))
_PAGE: Final = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Cache-Control", b"no-store"), RETRY_AFTER)


def answer_for(relay: Relay, request: Request, client: Client, route: Route | None) -> Answer | None:
    """What is answered instead of asking a target; None when one is to be asked."""
    if client.scheme == b"http" and (challenge := relay.challenges.find(request.target)) is not None:
        return Answer(200, _TEXT, challenge)
    if route is None:
        return _UNKNOWN
    if request.hops == 0:
        return _LAST_HOP
    settings = route.settings
    if settings.ssl_redirect and client.scheme == b"http" and _redirects(relay, request, route):
        location = b"https://%b%b" % (
            request.host.encode("ascii"),
            request.target if request.target != b"*" else b"/",
        )
        return Answer(301 if request.method in _PLAIN_REDIRECT else 308, ((b"Location", location),), b"")
    if route.maintenance is not None:
        return Answer(503, _PAGE, route.maintenance.encode())
    if settings.max_body is not None and (request.length or request.received) > settings.max_body:
        return _TOO_LARGE
    return None


def _redirects(relay: Relay, request: Request, route: Route) -> bool:
    """A proxy in front that is believed may have spoken HTTPS already."""
    if route.settings.forward_headers and request.told(b"x-forwarded-proto").lower() == b"https":
        return False
    return relay.secured(request.host)


def message(
    answer: Answer, request: Request, client: Client, route: Route | None
) -> tuple[list[Header], bytes]:
    """(header lines, body) of an answer."""
    lines, body = page(answer.status, request.id) if answer.body is None else ([], answer.body)
    lines = [*lines, *answer.headers, (b"X-Request-ID", request.id)]
    if client.scheme == b"https":
        be_strict(lines, route)
    return lines, body


def be_strict(lines: list[Header], route: Route | None) -> None:
    """Add what a response over HTTPS says by the route's ``hsts``."""
    if route is not None and route.settings.hsts is not None:
        lines.append(_strict_transport(route.settings.hsts))


@lru_cache(maxsize=64)
def _strict_transport(seconds: int) -> Header:
    """The header of RFC 6797."""
    return (b"Strict-Transport-Security", b"max-age=%d" % seconds)
