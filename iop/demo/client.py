"""One client's connection: HTTP/1.1, kept open, and a reason for whatever goes wrong."""

from __future__ import annotations

import asyncio

import httptools
from attrs import frozen

__all__ = ["Answer", "Connection", "RequestFailed"]


class RequestFailed(Exception):
    """A request without a whole answer. The message is the reason."""


@frozen
class Answer:
    """A whole response; ``closes`` when the server announced that it ends the connection with it."""

    status: int
    body: str
    closes: bool


class Connection:
    """An open connection to a server. Use ``open``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: str, port: int) -> Connection:
        """Connect. Raises RequestFailed."""
        try:
            return cls(*await asyncio.open_connection(address, port))
        except OSError as error:
            raise RequestFailed(f"connect: {error.strerror or error}") from None

    @property
    def ended(self) -> bool:
        """Whether the server has ended the connection since the last answer."""
        return self._reader.at_eof() or self._reader.exception() is not None

    def close(self) -> None:
        """End the connection at once; a request in flight is lost."""
        self._writer.transport.abort()

    async def get(self, host: str, path: str) -> Answer:
        """Ask for ``path`` and wait for the whole answer. Raises RequestFailed."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode())
        response = _Response()
        try:
            while not response.complete:
                data = await self._reader.read(65536)
                if not data:
                    raise RequestFailed(
                        "the answer was cut short" if response.begun else "closed without an answer"
                    )
                response.feed(data)
        except OSError as error:
            where = "in the answer" if response.begun else "before the answer"
            raise RequestFailed(f"{error.strerror or type(error).__name__} {where}") from None
        except httptools.HttpParserError as error:
            raise RequestFailed(f"not HTTP: {error}") from None
        if response.surplus:
            raise RequestFailed("more bytes than the answer has")
        return response.answer()


class _Response:
    """Collects what the parser finds. Its method names are httptools' protocol."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._closes = False
        self.begun = False
        self.complete = False
        self.surplus = False

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def answer(self) -> Answer:
        return Answer(self._parser.get_status_code(), self._body.decode(errors="replace"), self._closes)

    def on_message_begin(self) -> None:
        self.surplus = self.complete
        self.begun = True

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self._closes = not self._parser.should_keep_alive()
        self.complete = True
