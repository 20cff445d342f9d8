"""``python -m twisted iopproxy``: the command line."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twisted.application.service import MultiService
from twisted.python import usage

from iopproxy.listening import Listen
from iopproxy.service import Settings, make_service

__all__ = ["Options", "makeService"]


class Options(usage.Options):
    """What the plugin's command line takes."""

    synopsis = "[options]"
    longdesc = "A reverse proxy that switches apps between colours without losing a request."
    optParameters: ClassVar = [
        ["http", None, "tcp:80", "Where the apps' traffic comes in: tcp:PORT[:interface=ADDRESS]."],
        ["admin", None, "tcp:8080:interface=127.0.0.1", "Where the admin API listens."],
        ["state", None, "/var/lib/iop-proxy", "Folder of state.json and admin.token."],
        ["drain-timeout", None, "30", "Seconds that requests in flight get after SIGTERM."],
    ]

    def postOptions(self) -> None:
        """Check everything before anything starts. Raises UsageError, one sentence."""
        self.settings = Settings(
            http=self._listen("http"),
            admin=self._listen("admin"),
            state=Path(self["state"]),
            drain_timeout=self._seconds("drain-timeout"),
        )

    def _listen(self, name: str) -> Listen:
        try:
            return Listen.parse(self[name])
        except ValueError as error:
            raise usage.UsageError(f"--{name}: {error}.") from error

    def _seconds(self, name: str) -> float:
        try:
            seconds = float(self[name])
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise usage.UsageError(f"--{name}: {self[name]!r} is not a number of seconds.")
        return seconds


def makeService(options: Options) -> MultiService:
    """The service that Twisted runs. What makes it impossible is said in one line, and the program exits with 1."""
    from twisted.internet import reactor  # noqa: PLC0415  importing it installs it; the command line may choose one

    try:
        return make_service(options.settings, reactor)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise SystemExit(f"iopproxy can't start: {error.strerror or error}{place}.") from error
