"""Load on an app while it is deployed, from a process of its own so that the deploy can't slow it down."""

from __future__ import annotations

import subprocess
import sys
from typing import Self

from iop.demo.report import Report
from iop.demo.traffic import Settings
from iop.errors import IopError

__all__ = ["Load"]


class Load:
    """Clients that keep their connections open, and some that ask for answers of ``long_seconds`` each.

    ``with Load(...) as load: …; report = load.stop()``. Bounded: ``rate`` requests a second of one quick client,
    ``duration`` seconds. These count as failed: no connection, a reset, an answer cut short, a status other than
    200, a body other than ``expect`` (a regular expression for all of it), and an answer that takes more than
    ``patience`` seconds longer than it was asked to.
    """

    def __init__(
        self,
        address: str,
        port: int,
        host: str,
        *,
        clients: int = 8,
        long_clients: int = 4,
        long_seconds: float = 5.0,
        rate: float = 20.0,
        duration: float = 600.0,
        patience: float = 30.0,
        expect: str = r"hello from version \S+",
    ) -> None:
        self._settings = Settings(
            address, port, host, clients, long_clients, long_seconds, rate, duration, patience, expect
        )
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin. Returns when every quick client has had its first answer, or its first failure."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "iop.demo.traffic", self._settings.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for whoever started us
        )
        assert self._process.stdout  # noqa: S101  it was asked for
        if self._process.stdout.readline() != "ready\n":
            self._process.wait()
            raise IopError("the load generator did not start")

    def stop(self) -> Report:
        """Let the requests in flight finish (so this takes up to ``long_seconds``) and count."""
        if not self._process:
            raise IopError("the load generator has not been started")
        process, self._process = self._process, None
        with process:
            process.stdin.close()  # type: ignore[union-attr]  # start() asked for both pipes
            output = process.stdout.read()  # type: ignore[union-attr]
        if process.returncode:
            raise IopError("the load generator died; what it counted is lost")
        return Report.from_json(output)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the generator where the block failed before it came to ``stop``."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None
