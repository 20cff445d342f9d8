"""A response as the proxy understood it, and how it is read from an upstream's bytes (RFC 9112). No transport."""

from __future__ import annotations

import re

import httptools

from iopproxy.http import headers
from iopproxy.http.headers import Header
from iopproxy.http.limits import Limits

__all__ = ["MalformedError", "Response", "ResponseReader"]

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_PLAIN = frozenset({headers.OTHER, headers.EXPECT, headers.FORWARDED})


class MalformedError(Exception):
    """An upstream sent something that isn't a response to what it was asked."""


class Response:
    """The head of a response. ``headers`` are the lines that go on as they are.

    ``length`` is Content-Length; without it a body is ``chunked`` or lasts until the connection ends.
    """

    __slots__ = (
        "chunked",
        "dated",
        "headers",
        "keep_alive",
        "length",
        "reason",
        "status",
        "strict",
        "upgrade",
    )

    def __init__(self, status: int, reason: bytes, keep_alive: bool) -> None:
        self.status = status
        self.reason = reason
        self.keep_alive = keep_alive
        self.headers: list[Header] = []
        self.length: int | None = None
        self.chunked = False
        self.dated = False
        """It has a Date."""
        self.strict = False
        """It has a Strict-Transport-Security."""
        self.upgrade: bytes | None = None
        """The protocols it names in Upgrade."""


class ResponseReader:
    """What an upstream sends in answer to one request of the given method; it may be used again by ``begin``.

    After each ``feed`` the owner takes ``interim`` (1xx heads), ``head`` (the final one, while it is new) and
    ``parts`` (of the body), and looks at ``complete``, ``trailers``, ``surplus`` and ``switched``: after 101,
    ``parts`` are no longer HTTP, and nothing more is fed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self.begin(b"GET")

    def begin(self, method: bytes, upgrade: bytes | None = None) -> None:
        """The next bytes answer a request of this method, which offers to upgrade."""
        self.interim: list[Response] = []
        self.response: Response | None = None
        self.head: Response | None = None
        self.parts: list[bytes] = []
        self.trailers: list[Header] = []
        self.complete = False
        """The response's last byte was there."""
        self.switched: Response | None = None
        """101: the protocol was switched."""
        self.surplus = False
        """More came than the response: the connection can't be used again."""
        self.started = False
        """At least one byte came."""
        self._interims = 0
        self._offered = upgrade
        self._bodyless = method == b"HEAD"
        self._idle_bytes = 0
        self._most = 0
        """No head or trailers that end in this feed can have more bytes."""
        self._reason = b""
        self._lines: list[tuple[bytes, bytes]] = []

    def feed(self, data: bytes) -> None:
        """More bytes. Raises MalformedError; nothing of this feed is to be used then."""
        self.started = True
        self._idle_bytes += len(data)
        self._most = self._idle_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.switched is None:
                raise MalformedError("it sent more than it was asked for") from upgrade
            self.parts = [data[upgrade.args[0] :]]
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            raise cause if isinstance(cause, MalformedError) else MalformedError(str(error)) from error
        except httptools.HttpParserError as error:
            if not self.complete:
                raise MalformedError(str(error)) from error
            self.surplus = True
        if self._idle_bytes > self._limits.head_size or len(self._lines) > self._limits.header_count:
            raise MalformedError("its head is too large")

    def closed(self, clean: bool) -> bool:
        """The connection ended. Whether the response is complete now: only if nothing else tells its end."""
        if self.response is not None and clean:
            self.complete = self.complete or (self.response.length is None and not self.response.chunked)
        return self.complete

    # What the parser calls

    def on_message_begin(self) -> None:
        """The first byte of a response."""
        if self.complete:
            self.surplus = True
        self._reason = b""
        self._lines = []

    def on_status(self, piece: bytes) -> None:
        """A part of the reason phrase."""
        self._reason += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer line."""
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._idle_bytes = 0
        if self.complete:
            return
        response = self._understand()
        self._lines = []
        if response.status < 200:
            self._interims += 1
            if self._interims > self._limits.interim_count:
                raise MalformedError("it sent too many 1xx responses")
            if response.status != 101:
                self.interim.append(response)
            elif self._parser.should_upgrade() and _is_offered(response.upgrade, self._offered):
                self.switched = response
            else:
                raise MalformedError("it switched to a protocol that it wasn't asked for")
            return
        self.response = self.head = response
        if self._bodyless:
            # The parser can't be told that no body follows, so it can't be used for what comes next.
            self.complete = True
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, piece: bytes) -> None:
        """A part of the body, without chunk framing."""
        self._idle_bytes = 0
        if self.complete:
            self.surplus = True
        else:
            self.parts.append(piece)

    def on_message_complete(self) -> None:
        """The end of a response, possibly of an interim one."""
        if self.response is None or self.complete:
            self._lines = []
            return  # it was an interim one
        self.complete = True
        if self._lines:
            self._check_size()
            self.trailers = headers.trailers(self._lines)
            self._lines = []

    def _understand(self) -> Response:
        if self._parser.get_http_version() not in ("1.1", "1.0"):
            raise MalformedError("its version is neither HTTP/1.1 nor HTTP/1.0")
        status = self._parser.get_status_code()
        if not 100 <= status <= 599 or _CONTROL.search(self._reason):
            raise MalformedError("its status line isn't valid")
        response = Response(status, self._reason, self._parser.should_keep_alive())
        self._sort(response)
        return response

    def _sort(self, response: Response) -> None:
        """Put each line where it belongs."""
        self._check_size()
        announced: list[Header] = []
        taken: frozenset[bytes] = frozenset()
        known, on = headers.KNOWN, response.headers.append
        for line in self._lines:
            name, value = line
            kind = known.get(name)
            if kind is None:
                kind = headers.kind(name)
            if kind in _PLAIN:
                on(line)
            elif kind == headers.DATE:
                response.dated = True
                on(line)
            elif kind == headers.STRICT:
                response.strict = True
                on(line)
            elif kind == headers.TRAILER:
                announced.append(line)
            elif kind == headers.CONNECTION:
                taken |= headers.named(value)
            else:
                _note(response, kind, value)
        if response.chunked and (response.length is not None or self._parser.get_http_version() == "1.0"):
            raise MalformedError("its length isn't clear")
        if announced and response.chunked:
            response.headers += announced
        if taken:
            response.headers = headers.without(response.headers, taken)

    def _check_size(self) -> None:
        size, lines = self._limits.head_size, self._lines
        if len(lines) > self._limits.header_count or (
            self._most + len(lines) > size and sum([len(each[0]) + len(each[1]) + 4 for each in lines]) > size
        ):
            raise MalformedError("its head is too large")


def _note(response: Response, kind: int, value: bytes) -> None:
    """What a line says that doesn't go on as it is."""
    if kind == headers.LENGTH:
        response.length = int(value)
    elif kind == headers.ENCODING:
        if response.chunked or value.strip(b" \t").lower() != b"chunked":
            raise MalformedError("its transfer encoding isn't chunked")
        response.chunked = True
    elif kind == headers.UPGRADE:
        response.upgrade = value if response.upgrade is None else response.upgrade + b", " + value


def _is_offered(protocols: bytes | None, offered: bytes | None) -> bool:
    """Whether a 101 names protocols that the request offered, and nothing else (RFC 9110 section 7.8)."""
    if not protocols or not offered:
        return False
    return set(headers.options(protocols)) <= set(headers.options(offered))
