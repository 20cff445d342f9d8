"""A proxy under test, and what all of them are given."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from pathlib import Path

from attrs import frozen

from peers.certificate import Certificate
from peers.process import Process, free_port

HOST = "localhost"
"""A name that every load generator can resolve: some take the name in the TLS handshake from the URL."""
ECHO_HOST = "echo.example"
"""The name of the WebSocket app."""


@frozen
class Job:
    """What a proxy has to do: ``workers`` processes or threads in front of two upstreams (their ports)."""

    folder: Path
    certificate: Certificate
    app: int
    echo: int
    workers: int = 1


class Proxy(Process):
    """One running proxy: plain HTTP on one port, HTTPS with HTTP/1.1 and HTTP/2 on another."""

    def __init__(
        self, name: str, http: int, https: int, argv: list[str], folder: Path, **environment: str
    ) -> None:
        super().__init__(name, argv, folder, http, https, **environment)
        self.http = http
        self.https = https

    def await_ports(self) -> None:
        """Until it serves the app."""
        super().await_ports()
        end = time.monotonic() + 120
        while self._status() != 200:
            if time.monotonic() > end:
                raise SystemExit(f"{self.name} doesn't serve the app")
            time.sleep(0.05)

    def _status(self) -> int:
        connection = HTTPConnection("127.0.0.1", self.http, timeout=20)
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


def two_ports() -> tuple[int, int]:
    return free_port(), free_port()
