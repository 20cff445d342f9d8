"""The console itself: plain lines for pipes and logs, a live tree for a terminal."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TextIO

from rich import console as rich_console
from rich.live import Live
from rich.text import Text

from iop.console import text
from iop.console.steps import Progress, Row, Steps
from iop.console.tree import THIS_MACHINE, tree

__all__ = ["Console", "console", "use"]

_REDRAWS_PER_SECOND = 10


class Console:
    """Prints on ``stream`` and, for warnings and errors, ``err``. Any thread may call any method."""

    def __init__(
        self, stream: TextIO, err: TextIO, *, live: bool, verbose: bool, answers: TextIO | None = None
    ) -> None:
        self._stream = stream
        self._err = err
        self._verbose = verbose
        self._answers = answers
        self._steps = Steps()
        self._lock = Lock()
        self._rich = rich_console.Console(file=stream, highlight=False, markup=False) if live else None
        self._live: Live | None = None

    @classmethod
    def of_process(cls, *, verbose: bool = False) -> Console:
        """The console of standard output; live when that is a terminal that can move its cursor."""
        tty = sys.stdout.isatty()
        live = tty and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
        answers = sys.stdin if tty and sys.stdin.isatty() else None
        return cls(sys.stdout, sys.stderr, live=live, verbose=verbose, answers=answers)

    def say(self, message: str) -> None:
        """One plain line (or several)."""
        self._write(self._stream, message)

    def warn(self, message: str) -> None:
        """A line a person should read though nothing failed."""
        self._write(self._err, f"warning: {message}")

    def output(self, message: str) -> None:
        """What a command said; shown with ``--verbose`` only."""
        if self._verbose and message:
            self._write(self._stream, message.rstrip("\n"))

    def fail(self, error: BaseException) -> None:
        """Print why the run ends. A live tree is closed first, so that the message stays below it."""
        self._close()
        self._write(self._err, f"error: {error}")

    def trace(self, error: BaseException) -> None:
        """The traceback of an error, for ``--debug``."""
        self._close()
        self._write(self._err, "".join(traceback.format_exception(error)).rstrip())

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to answer."""
        return self._answers is not None

    def ask(self, question: str, default: str) -> str:
        """Ask a person; an empty answer, or no terminal to ask on, gives ``default``."""
        if self._answers is None:
            return default
        hint = f" [{default}]" if default else ""
        self._stream.write(text.encodable(f"{question}{hint}: ", self._encoding(self._stream)))
        self._stream.flush()
        return self._answers.readline().strip() or default

    @contextmanager
    def run(self, titles: Sequence[tuple[str | None, str]]) -> Iterator[None]:
        """Announce the steps to come as (host, title), host None for this machine, and show them."""
        self._steps = Steps.announced(titles)
        if self._rich is not None and titles:
            self._live = Live(
                console=self._rich,
                get_renderable=self._tree,
                refresh_per_second=_REDRAWS_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)
        try:
            yield
        finally:
            self._close()
            self._steps = Steps()

    @contextmanager
    def step(self, title: str, host: str | None = None) -> Iterator[Progress]:
        """Show one step while it runs. Works outside of ``run`` as well, as a plain line at its end."""
        row = None
        try:
            with self._steps.running(title, host) as row:
                yield Progress(row)
        finally:
            if row is not None and self._live is None:
                self._write(self._stream, self._plain(row))

    def plan(self, rows: Sequence[tuple[str | None, str]]) -> None:
        """Print (host, title) steps that were not run, each host's under its name."""
        groups: dict[str | None, list[str]] = {}
        for host, title in rows:
            groups.setdefault(host, []).append(text.one_line(title))
        for host, titles in groups.items():
            self.say("\n".join([host or THIS_MACHINE, *(f"  · {title}" for title in titles)]))

    def urls(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print where each app answers, as (app, url)."""
        width = max((len(app) for app, _ in pairs), default=0)
        for app, url in pairs:
            self.say(f"{app:<{width}}  {url}")

    def _tree(self) -> rich_console.RenderableType:
        utf = self._encoding(self._stream).lower().startswith("utf")
        return tree(self._steps.rows(), time.monotonic(), unicode=utf)

    def _plain(self, row: Row) -> str:
        where = f"{row.host}: " if row.host is not None and len(self._steps.hosts()) > 1 else ""
        line = f"{where}{text.one_line(row.title)}{text.finished(row, time.monotonic())}"
        return f"[{text.UNICODE[row.state]}] {line}"

    def _close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _write(self, stream: TextIO, message: str) -> None:
        message = text.encodable(message, self._encoding(stream))
        if self._live is not None and self._rich is not None and (stream is self._stream or stream.isatty()):
            # Above the tree: a terminal has one cursor, whichever stream the text is meant for.
            self._rich.print(Text.from_ansi(message), soft_wrap=True)
            return
        with self._lock:
            stream.write(f"{message}\n")
            stream.flush()

    @staticmethod
    def _encoding(stream: TextIO) -> str:
        return getattr(stream, "encoding", None) or "utf-8"


_current: Console | None = None


def console() -> Console:
    """The process's console."""
    return use(Console.of_process()) if _current is None else _current


def use(replacement: Console) -> Console:
    """Make ``replacement`` the process's console, and return it."""
    global _current  # noqa: PLW0603 - a process has one standard output
    _current = replacement
    return replacement
