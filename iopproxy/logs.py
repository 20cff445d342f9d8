"""Where the program's own log goes, so that a worker's goes there too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

from attrs import frozen
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from iopproxy.http.spool import Spool
from iopproxy.reactor import Reactor

__all__ = ["LAST_WORDS_TIME", "Logs"]

LAST_WORDS_TIME: Final = 1.0
"""Seconds that the last lines get."""
_STDOUT: Final = "<stdout>"


class _Lines:
    """A file that never blocks."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def write(self, text: str) -> None:
        self._spool.add(text.encode())

    def flush(self) -> None:
        self._spool.flush()


@frozen
class Logs:
    """What ``twist`` was told of logging, in a form that can be sent to another process."""

    observer: Callable[..., Any] = textFileLogObserver
    file: str = _STDOUT
    level: str = "info"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Logs:
        """From the options of ``python -m twisted``. Raises OSError when there is nowhere to log to."""
        if options["logFile"] is None:
            raise OSError("stdout is closed")
        return cls(options["fileLogObserverFactory"], options["logFile"].name, options["logLevel"].name)

    def unblock(self, options: MutableMapping[str, Any], reactor: Reactor, buffer: int) -> None:
        """Have ``twist`` itself log in a way that never blocks, up to ``buffer`` bytes, when it does to stdout."""
        if self.file == _STDOUT:
            spool = Spool(sys.stdout.fileno(), buffer)
            options["logFile"] = _Lines(spool)
            reactor.addSystemEventTrigger("after", "shutdown", spool.close, LAST_WORDS_TIME)

    def begin(self, stdout: Spool) -> None:
        """Log to the same place as the process that was started with these options."""
        file: TextIO | _Lines
        if self.file == _STDOUT:
            file = _Lines(stdout)
        else:
            file = sys.stderr if self.file == "<stderr>" else Path(self.file).open("a")  # noqa: SIM115  for good
        level: Any = LogLevelFilterPredicate(LogLevel.levelWithName(self.level))
        filtering: Any = FilteringLogObserver(self.observer(file), [level])
        globalLogBeginner.beginLoggingTo([filtering])
