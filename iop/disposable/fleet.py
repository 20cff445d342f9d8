"""The disposable servers of this process: started side by side, removed whatever happens."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType

from iop.disposable.bases import server_image
from iop.disposable.keys import KeyPair
from iop.disposable.network import Network
from iop.disposable.owner import me, private_folder, remove_leftovers, remove_of
from iop.disposable.pace import Say
from iop.disposable.server import DisposableServer, create, destroy, write_ssh_config
from iop.errors import IopError

__all__ = ["remove", "servers", "start_servers"]


@contextmanager
def servers(
    n: int, say: Say, release: str = "bookworm", prepared: bool = False
) -> Iterator[tuple[DisposableServer, ...]]:
    """``start_servers``, and ``remove`` at the end of the block."""
    started = start_servers(n, say, release, prepared)
    try:
        yield started
    finally:
        remove(started)


def start_servers(
    n: int, say: Say, release: str = "bookworm", prepared: bool = False
) -> tuple[DisposableServer, ...]:
    """``n`` new servers of a Debian ``release`` (bookworm, trixie), booted side by side.

    Prepared ones have Docker. They live until ``remove`` or the end of this process; what a process that was
    killed left behind is removed first. Raises MissingError or IopError, and then leaves none of the ``n``.
    """
    fleet = _fleet()
    image = server_image(release, prepared, say)
    say(f"starting {n} Debian {release} server{'s' if n != 1 else ''}")
    return fleet.start(n, image, release)


def remove(gone: Iterable[DisposableServer]) -> None:
    """Remove servers and all that is on them; those that are gone already are no error."""
    _fleet().remove(gone)


class _Fleet:
    """One network, one folder and one login key a process."""

    def __init__(self) -> None:
        self.folder = private_folder()
        self.network = Network()
        self.login = KeyPair.generate()
        self.login.save(self.folder / "login")
        self.running: dict[str, DisposableServer] = {}
        self._lock = threading.Lock()

    def start(self, n: int, image: str, release: str) -> tuple[DisposableServer, ...]:
        with ThreadPoolExecutor(max_workers=max(1, n)) as pool:
            starting = [pool.submit(self._start, image, release) for _ in range(n)]
        if failure := next(filter(None, (one.exception() for one in starting)), None):
            self.remove(one.result() for one in starting if not one.exception())
            raise failure
        return tuple(one.result() for one in starting)

    def remove(self, gone: Iterable[DisposableServer]) -> None:
        for server in gone:
            destroy([server])
            self._note(server, running=False)
        if not self.running:  # the engine may be stopped next
            self.network.remove()

    def _start(self, image: str, release: str) -> DisposableServer:
        host = KeyPair.generate()
        address = self.network.address()
        name = f"iop-{release}-{os.getpid()}-{address.rpartition('.')[2]}"
        server = DisposableServer(name, address, release, self.folder / name, host.public)
        try:
            create(server, image, self.network.name, self.login, host)
        except BaseException:
            destroy([server])
            raise
        self._note(server, running=True)
        return server

    def _note(self, server: DisposableServer, *, running: bool) -> None:
        with self._lock:
            self.running.pop(server.name, None)
            if running:
                self.running[server.name] = server
            write_ssh_config(self.running.values(), self.folder / "ssh_config")


@cache
def _fleet() -> _Fleet:
    remove_leftovers()
    atexit.register(_remove_the_rest)
    on_main_thread = threading.current_thread() is threading.main_thread()
    if on_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)  # or atexit would not run
    return _Fleet()


def _remove_the_rest() -> None:
    with suppress(IopError):  # the engine was stopped before us, and everything removed before that
        remove_of(me())


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
