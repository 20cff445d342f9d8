"""A Docker daemon of our own, for as long as we need one."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iop.disposable import cache
from iop.disposable.packages import system_path
from iop.errors import MissingError

__all__ = ["daemon", "route_mtu"]

START_SECONDS = 90.0


@contextmanager
def daemon() -> Iterator[int]:
    """Start ``dockerd``, yield its process id once it answers, and stop it (and nothing else) at the end.

    It is told to end when we die, so that a killed run leaves none behind. Raises MissingError with the
    end of its log when it does not come up.
    """
    log = cache.folder() / "dockerd.log"
    with tempfile.TemporaryDirectory(prefix="iop-dockerd-") as scratch, log.open("wb") as output:
        ready = Path(scratch) / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(ready))
            process = subprocess.Popen(
                _command(Path(scratch) / "pid"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": system_path(), "NOTIFY_SOCKET": str(ready)},
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
            try:
                if not _came_up(process, notify):
                    raise MissingError(f"dockerd did not start: {_last_line(log)}", f"its log is {log}")
                yield process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()


def route_mtu() -> int:
    """The MTU (bytes) of the interface with the default route; 1500 when there is none.

    Docker gives its networks 1500 whatever the machine has; where the machine has less, large packets
    from afar would vanish.
    """
    table = Path("/proc/net/route")
    for line in table.read_text().splitlines()[1:] if table.exists() else ():
        interface, destination, *_ = line.split()
        if destination == "00000000":
            return min(1500, int((Path("/sys/class/net") / interface / "mtu").read_text()))
    return 1500


def _command(pidfile: Path) -> list[str]:
    # setpriv makes the kernel send dockerd SIGTERM when the thread that started it is gone.
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    return [*tied, "dockerd", "--pidfile", str(pidfile), "--mtu", str(route_mtu())]


def _came_up(process: subprocess.Popen[bytes], notify: socket.socket) -> bool:
    """Wait for dockerd's READY=1 (sd_notify(3)), its end, or START_SECONDS: whichever comes first."""
    ended = os.pidfd_open(process.pid)
    deadline = time.monotonic() + START_SECONDS
    try:
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([notify.fileno(), ended], [], [], left)
            if ended in readable:
                return False
            if readable and b"READY=1" in notify.recv(4096):
                return True
    finally:
        os.close(ended)
    return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
