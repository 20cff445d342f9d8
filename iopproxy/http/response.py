"""A response as the proxy understood it, and how it is read from an upstream's bytes (RFC 9112). No transport."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httptools

from iopproxy.http import headers
from iopproxy.http.headers import Header
from iopproxy.http.headers import kind as kind_of
from iopproxy.http.limits import Limits

__all__ = ["MalformedError", "Response", "ResponseReader"]

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search

_PLAIN = frozenset({headers.DATE, headers.EXPECT, headers.FORWARDED, headers.HOPS, headers.STRICT})


class MalformedError(Exception):
    """An upstream sent something that isn't a response to what it was asked."""


class Response:
    """The head of a response. ``headers`` are the lines that go on as they are.

    ``length`` is Content-Length; without it a body is ``chunked`` or lasts until the connection ends.
    """

    __slots__ = (
        "added",
        "chunked",
        "dated",
        "headers",
        "keep_alive",
        "length",
        "lines",
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
        self.added: list[Header] = []
        """Ours, after ``headers``."""
        self.lines = b""
        """What ``written`` gave, where it is kept."""
        self.length: int | None = None
        self.chunked = False
        self.dated = False
        """It has a Date."""
        self.strict = False
        """It has a Strict-Transport-Security."""
        self.upgrade: bytes | None = None
        """The protocols it names in Upgrade."""

    def written(self) -> bytes:
        """The status and ``headers`` as HTTP/1.1 writes them, without the last line end."""
        lines = [name + b": " + value for name, value in self.headers]
        return b"\r\n".join([b"HTTP/1.1 %d %b" % (self.status, self.reason), *lines])

    def again(self) -> Response:
        """One whose head was the same and told the body's length. They share what nobody changes."""
        response = Response(self.status, self.reason, self.keep_alive)
        response.headers = self.headers
        response.lines = self.lines or self.written()
        response.length = self.length
        response.dated = self.dated
        response.strict = self.strict
        return response


class ResponseReader:
    """What an upstream sends in answer to one request of the given method; it may be used again by ``begin``.

    After each ``feed`` the owner takes ``interim`` (1xx heads), ``head`` (the final one, while it is new) and
    ``parts`` (of the body), and looks at ``complete``, ``trailers``, ``surplus`` and ``switched``: after 101,
    ``parts`` are no longer HTTP, and nothing more is fed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self.interim: list[Response] = []
        self.parts: list[bytes] = []
        self.head: Response | None = None
        self.switched: Response | None = None
        """101: the protocol was switched."""
        self.surplus = False
        """More came than the response: the connection can't be used again."""
        self._reason = b""
        self._plain: list[Header] = []
        self._special: list[tuple[int, Header]] = []
        self.begin(b"GET")

    def begin(self, method: bytes, upgrade: bytes | None = None) -> None:
        """The next bytes answer a request of this method, which offers to upgrade.

        What the one before left behind was taken, or the connection isn't used again.
        """
        self.response: Response | None = None
        self.trailers: Sequence[Header] = ()
        self.complete = False
        """The response's last byte was there."""
        self.started = False
        """At least one byte came."""
        self._interims = 0
        self._offered = upgrade
        self._bodyless = method == b"HEAD"
        self._idle_bytes = 0
        """Without a complete head or a piece of a body."""
        self._size = 0
        """What has come since the current head began, and possibly before it in the same piece."""
        self._piece = 0

    def feed(self, data: bytes) -> None:
        """More bytes. Raises MalformedError; nothing of this feed is to be used then."""
        self.started = True
        self._piece = size = len(data)
        self._idle_bytes += size
        self._size += size
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
        if self._idle_bytes > self._limits.head_size:
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

    def on_status(self, piece: bytes) -> None:
        """A part of the reason phrase."""
        self._reason += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer line."""
        kind = kind_of(name)
        if kind:
            self._special.append((kind, (name, value)))
        else:
            self._plain.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._idle_bytes = 0
        if self.complete:
            return
        response = self._understand()
        self._size = self._piece
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
            return  # it was an interim one
        self.complete = True
        if self._plain or self._special:
            self._check_size()
            self.trailers = headers.trailers(self._plain)
            self._plain, self._special = [], []

    def _understand(self) -> Response:
        parser, limits = self._parser, self._limits
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise MalformedError("its version is neither HTTP/1.1 nor HTTP/1.0")
        status = parser.get_status_code()
        if not 100 <= status <= 599 or _CONTROL(self._reason):
            raise MalformedError("its status line isn't valid")
        if self._size > limits.head_size or len(self._plain) + len(self._special) > limits.header_count:
            self._check_size()
        response = Response(status, self._reason, parser.should_keep_alive())
        response.headers, self._plain = self._plain, []
        if self._special:
            self._sort(response)
        if response.chunked and (response.length is not None or version == "1.0"):
            raise MalformedError("its length isn't clear")
        return response

    def _sort(self, response: Response) -> None:
        """Do what the special lines say."""
        special, self._special = self._special, []
        taken: frozenset[bytes] = frozenset()
        announced: list[Header] = []
        for kind, line in special:
            if kind == headers.LENGTH:
                response.length = int(line[1])
            elif kind in _PLAIN:
                response.headers.append(line)
                response.dated |= kind == headers.DATE
                response.strict |= kind == headers.STRICT
            elif kind == headers.CONNECTION:
                taken |= headers.named(line[1])
            elif kind == headers.TRAILER:
                announced.append(line)
            else:
                _note(response, kind, line[1])
        if announced and response.chunked:
            response.headers += announced
        if taken:
            response.headers = headers.without(response.headers, taken)

    def _check_size(self) -> None:
        limits, lines = self._limits, [*self._plain, *(line for _, line in self._special)]
        size = sum([len(name) + len(value) + 4 for name, value in lines])
        if size > limits.head_size or len(lines) > limits.header_count:
            raise MalformedError("its head is too large")


def _note(response: Response, kind: int, value: bytes) -> None:
    """What a line says that doesn't go on as it is."""
    if kind == headers.ENCODING:
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
