"""Where the program's own log goes, so that a worker's goes there too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from attrs import frozen
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from iopproxy.http.spool import Spool

__all__ = ["Logs"]


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
    file: str = "<stdout>"
    level: str = "info"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Logs:
        """From the options of ``python -m twisted``."""
        return cls(options["fileLogObserverFactory"], options["logFile"].name, options["logLevel"].name)

    def begin(self, stdout: Spool) -> None:
        """Log to the same place as the process that was started with these options."""
        file: TextIO | _Lines
        if self.file == "<stdout>":
            file = _Lines(stdout)
        else:
            file = sys.stderr if self.file == "<stderr>" else Path(self.file).open("a")  # noqa: SIM115  for good
        level: Any = LogLevelFilterPredicate(LogLevel.levelWithName(self.level))
        filtering: Any = FilteringLogObserver(self.observer(file), [level])
        globalLogBeginner.beginLoggingTo([filtering])
