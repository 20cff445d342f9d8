"""A server as a child process: its ports, its CPU time, its memory."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """One that nobody listens on, below those that the kernel gives to outgoing connections."""
    while True:
        port = secrets.randbelow(12_000) + 20_000
        with suppress(OSError), socket.create_server(("", port)):
            return port


class Process:
    """One running server with all its processes. What it prints goes to ``folder/NAME.output``."""

    def __init__(self, name: str, argv: list[str], folder: Path, *ports: int, **environment: str) -> None:
        self.name = name
        self._ports = ports
        self._output = (folder / f"{name}.output").open("wb")
        self._process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def await_ports(self) -> None:
        """Until it listens."""
        for port in self._ports:
            end = time.monotonic() + 20
            while not listens(port):
                if time.monotonic() > end or self._process.poll() is not None:
                    said = Path(self._output.name).read_text(errors="replace")
                    raise SystemExit(f"{self.name} did not start: {said[-1000:]}")
                time.sleep(0.05)

    def cpu(self) -> float:
        """Seconds of user and system time of all its processes so far."""
        return sum(self.cpu_by_process().values())

    def cpu_by_process(self) -> dict[int, float]:
        """The same for each process, by its id."""
        return {pid: _cpu(pid) for pid in _family(self._process.pid)}

    def memory(self) -> int:
        """Bytes of all its processes; what several share is counted once (PSS)."""
        return sum(_memory(pid) for pid in _family(self._process.pid))


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"the kernel doesn't tell the memory of process {pid}")
