"""What goes on meanwhile: targets are replaced as a deploy does it, other routes change, a worker is killed."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sys
import time

from tests.proxy.running import ROOT, Proxy
from tests.soak.clients import HOST
from tests.soak.tally import Tally

SWITCH_TIME = 6.0
KILL_TIME = 10.0
STOP_TIME = 5.0


class Trouble:
    """Makes it, and counts it."""

    def __init__(self, proxy: Proxy, tally: Tally) -> None:
        self.switches = self.kills = self.changes = 0
        self._proxy = proxy
        self._tally = tally
        self._targets: list[tuple[asyncio.subprocess.Process, str]] = []
        self._numbers = itertools.count()

    async def begin(self) -> None:
        """Two targets, and a route to them."""
        self._targets = [await self._start(), await self._start()]
        await self._put()

    async def end(self) -> None:
        """Stop the targets."""
        for process, _ in self._targets:
            await self._stop(process)

    async def switch(self, until: float) -> None:
        """Replace a target by a new one: in the route, then drained, then stopped. Nobody is to notice."""
        while time.monotonic() < until:
            await asyncio.sleep(SWITCH_TIME)
            old, target = self._targets.pop(0)
            self._targets.append(await self._start())
            await self._put()
            await self._api("POST", "/v1/drain", {"targets": [target], "timeout": 20})
            await self._stop(old)
            self.switches += 1

    async def kill(self, until: float) -> None:
        """Kill a worker, but never the first: its memory is what is looked at."""
        while time.monotonic() < until:
            await asyncio.sleep(KILL_TIME)
            workers = await asyncio.to_thread(lambda: self._proxy.workers)
            pid = random.choice(workers[1:])
            self._tally.killed()
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    async def change(self, until: float) -> None:
        """Routes of other apps come, change and go."""
        while time.monotonic() < until:
            name = f"other{next(self._numbers) % 50}.example"
            app = name.partition(".")[0]
            body = {
                "hosts": [name],
                "targets": ["127.0.0.1:9"],
                "color": "blue",
                "release": str(random.random()),
            }
            if random.random() < 0.3:
                await self._api("DELETE", f"/v1/hosts/{name}")
            else:
                await self._api("PUT", f"/v1/routes/soak/{app}", body)
            self.changes += 1
            await asyncio.sleep(0.5)

    async def _start(self) -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.soak.app", cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        return process, f"127.0.0.1:{int(await process.stdout.readline())}"

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        """As Docker does: asked first, killed when it has had its time."""
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIME)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _put(self) -> None:
        targets = [target for _, target in self._targets]
        body = {"hosts": [HOST], "targets": targets, "color": "blue", "release": "r1"}
        await self._api("PUT", "/v1/routes/soak/web", {**body, "ssl_redirect": False})

    async def _api(self, method: str, path: str, body: object = None) -> None:
        status, answer = await asyncio.to_thread(self._proxy.api, method, path, body)
        if status not in (200, 404):
            self._tally.failed.append(f"{method} {path}: {status} {answer}")
