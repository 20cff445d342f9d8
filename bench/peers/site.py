"""The servers behind the proxies, and proxies started in front of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from peers import upstream
from peers.certificate import Certificate, certificate
from peers.process import Process
from peers.proxy import HOST, Job, Proxy

Start = Callable[[Job], Proxy]


class Site:
    """Both upstreams, running."""

    def __init__(self, folder: Path, certificate: Certificate, app: int, echo: int) -> None:
        self.app = app
        self._folder = folder
        self._certificate = certificate
        self._echo = echo
        self._numbers = itertools.count(1)

    @contextmanager
    def proxies(self, starts: Sequence[Start], workers: int = 1) -> Iterator[list[Proxy]]:
        """These, started anew, each in a folder of its own; stopped at the end of the block."""
        with ExitStack() as stack:
            started = []
            for start in starts:
                folder = self._folder / str(next(self._numbers))
                folder.mkdir(mode=0o755)
                proxy = start(Job(folder, self._certificate, self.app, self._echo, workers))
                stack.callback(proxy.stop)
                proxy.await_ports()
                started.append(proxy)
            yield started


@contextmanager
def site() -> Iterator[Site]:
    """Upstreams and a certificate, gone at the end of the block."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        started: list[tuple[Process, int]] = []
        for start in (upstream.app, upstream.echo):
            started.append(start(folder))
            stack.callback(started[-1][0].stop)
            started[-1][0].await_ports()
        (_, app), (_, echo) = started
        yield Site(folder, certificate(folder, HOST), app, echo)
