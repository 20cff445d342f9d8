"""The load generator's own process: ``python -m iop.demo.traffic SETTINGS``.

It says ``ready`` when every quick client has had its first answer, runs until its standard input ends or the
time is up, lets the requests in flight finish, and prints its report as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable

from attrs import asdict, frozen

from iop.demo.client import Answer, Connection, RequestFailed
from iop.demo.report import Report, Tally

__all__ = ["Settings", "run"]


@frozen
class Settings:
    """Where the load goes and how much of it. ``rate`` is requests per second of one quick client."""

    address: str
    port: int
    host: str
    clients: int
    long_clients: int
    long_seconds: float
    rate: float
    duration: float
    patience: float
    expect: str

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> Report:
    """Send requests until ``stop`` is set or ``settings.duration`` seconds are over."""
    tally = Tally()
    waiting = settings.clients

    def warm() -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            ready()

    asyncio.get_running_loop().call_later(settings.duration, stop.set)
    quick = [_Client(settings, tally, "/", 1 / settings.rate) for _ in range(settings.clients)]
    path = f"/slow?seconds={settings.long_seconds:g}"
    long = [_Client(settings, tally, path, 0.0, long=True) for _ in range(settings.long_clients)]
    await asyncio.gather(*(each.run(stop, warm) for each in quick), *(each.run(stop) for each in long))
    return tally.report()


class _Client:
    def __init__(
        self, settings: Settings, tally: Tally, path: str, interval: float, *, long: bool = False
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._path = path
        self._interval = interval
        self._long = long
        self._expect = re.compile(settings.expect)
        self._connection: Connection | None = None

    async def run(self, stop: asyncio.Event, warm: Callable[[], None] = lambda: None) -> None:
        first = True
        while not stop.is_set():
            begun = time.monotonic()
            await self._request(begun)
            if first:
                first = False
                warm()
            pause = max(self._interval, 0.05 if self._connection is None else 0.0) - (
                time.monotonic() - begun
            )
            await _until(stop, pause)
        if self._connection:
            self._connection.close()

    async def _request(self, begun: float) -> None:
        """One request and its place in the tally."""
        wait = self._settings.patience + (self._settings.long_seconds if self._long else 0.0)
        try:
            async with asyncio.timeout(wait):
                answer = await self._get()
            self._judge(answer)
        except (RequestFailed, TimeoutError) as error:
            reason = str(error) or f"no answer within {wait:g} s"
            self._tally.failure(self._path, reason, time.monotonic() - begun, long=self._long)
            self._drop()
        else:
            self._tally.answered(answer.body.strip(), time.monotonic() - begun, long=self._long)
            if answer.closes:
                self._tally.reconnects += 1
                self._drop()

    async def _get(self) -> Answer:
        if self._connection and self._connection.ended:
            self._tally.reconnects += 1
            self._drop()
        if not self._connection:
            self._connection = await Connection.open(self._settings.address, self._settings.port)
        return await self._connection.get(self._settings.host, self._path)

    def _judge(self, answer: Answer) -> None:
        if answer.status != 200:
            raise RequestFailed(f"status {answer.status}: {answer.body.strip()[:80]}")
        if not self._expect.fullmatch(answer.body.strip()):
            raise RequestFailed(f"wrong body: {answer.body.strip()[:80]!r}")

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


async def _until(stop: asyncio.Event, seconds: float) -> None:
    """Keep the pace; a stop ends the pause."""
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _main() -> None:
    settings = Settings(**json.loads(sys.argv[1]))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Our parent holds the other end: it closes it to stop us, and the kernel does when it dies.
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ended = loop.create_task(reader.read())
    ended.add_done_callback(lambda _: stop.set())
    report = await run(settings, stop, lambda: _say("ready"))
    ended.cancel()
    _say(report.to_json())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
