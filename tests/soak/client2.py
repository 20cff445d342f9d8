"""HTTP/2 clients: several requests at a time on one connection, some with bodies."""

from __future__ import annotations

import asyncio
import os
import random
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset

from tests.soak.app import DOWNLOAD
from tests.soak.clients import HOST, PATIENCE, Place, expect
from tests.soak.tally import Tally

CLIENTS = 4
_BODY = os.urandom(40_000)
_ASKED = {"/": b"hello", "/download": DOWNLOAD, "/upload": b"%d" % len(_BODY)}


class Connection2:
    """One connection over TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.initiate_connection()

    async def ask(self, paths: list[str]) -> None:
        """All of them at once. Raises what ``expect`` raises, or EOFError."""
        waiting: dict[int, str] = {}
        for path in paths:
            stream_id = self._h2.get_next_available_stream_id()
            waiting[stream_id] = path
            method = "POST" if path == "/upload" else "GET"
            fields = [(":method", method), (":scheme", "https"), (":authority", HOST), (":path", path)]
            self._h2.send_headers(stream_id, fields, end_stream=method == "GET")
            if method == "POST":
                for at in range(0, len(_BODY), 16384):
                    self._h2.send_data(stream_id, _BODY[at : at + 16384])
                self._h2.end_stream(stream_id)
        bodies = dict.fromkeys(waiting, b"")
        while waiting:
            if self._writer.is_closing():
                raise ConnectionResetError
            self._writer.write(self._h2.data_to_send())
            data = await self._reader.read(65536)
            if not data:
                raise EOFError
            for event in self._h2.receive_data(data):
                if isinstance(event, ResponseReceived):
                    expect(dict(event.headers)[b":status"], b"200")
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    expect(bodies[event.stream_id] == _ASKED[waiting.pop(event.stream_id)], True)
                elif isinstance(event, StreamReset | ConnectionTerminated):
                    expect(type(event).__name__, "an answer")
        self._writer.write(self._h2.data_to_send())


async def run(place: Place, tally: Tally, until: float) -> None:
    """One client, again and again."""
    while time.monotonic() < until:
        opened = time.monotonic()
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", place.https, ssl=place.trust_h2, server_hostname=HOST
                )
                connection = Connection2(reader, writer)
                for _ in range(random.randint(1, 20)):
                    paths = random.choices(list(_ASKED), weights=[8, 1, 1], k=random.randint(1, 8))
                    # Bodies are sent without waiting for windows: one for each connection's 64 KB.
                    if paths.count("/upload") > 1:
                        paths = ["/" if each == "/upload" else each for each in paths]
                    await connection.ask(paths)
                    tally.done["HTTP/2"] += len(paths)
                    await asyncio.sleep(random.random() / 10)
        except (OSError, EOFError, AssertionError, TimeoutError) as error:
            tally.failure("HTTP/2", opened, error)
        finally:
            if writer is not None:
                writer.close()
        await asyncio.sleep(random.random() / 5)
