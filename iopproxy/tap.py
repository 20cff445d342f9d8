"""``python -m twisted iopproxy``: the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import attrs
from twisted.application.service import MultiService
from twisted.python import usage

from iopproxy.http.limits import Limits
from iopproxy.listening import Listen
from iopproxy.logs import Logs
from iopproxy.service import Settings, make_service

__all__ = ["Options", "makeService"]

_MOST_WORKERS = 256
_MAY_BE_NONE = frozenset({"body_rate", "interim_count", "log_buffer", "pool_size"})


class Options(usage.Options):
    """What the plugin's command line takes."""

    synopsis = "[options]"
    longdesc = "A reverse proxy that switches apps between colours without losing a request."
    optParameters: ClassVar = [
        ["http", None, "tcp:80", "Where the apps' traffic comes in: tcp:PORT[:interface=ADDRESS]."],
        ["https", None, "", "Where it comes in over TLS, if it does: as for --http."],
        ["admin", None, "tcp:8080:interface=127.0.0.1", "Where the admin API listens."],
        ["state", None, "/var/lib/iop-proxy", "Folder of state.json, admin.token and certs."],
        ["drain-timeout", None, "30", "Seconds that requests in flight get after SIGTERM."],
        ["access-log", None, "-", "Where each request gets a line of JSON: - is stdout, off is nowhere."],
        ["workers", None, "", "Processes that carry the traffic; by default one for each processor."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._limits: dict[str, float] = {}

    def opt_limit(self, assignment: str) -> None:
        """A limit, as NAME=VALUE; sizes are bytes, times are seconds. docs/proxy.md names them all."""
        name, _, text = assignment.partition("=")
        known = attrs.fields_dict(Limits)
        if name not in known:
            raise usage.UsageError(f"--limit: there is no {name!r}; there are {', '.join(known)}.")
        whole = isinstance(known[name].default, int)
        number = self._number(f"--limit {name}", text, whole)
        if whole and not number and name not in _MAY_BE_NONE:
            raise usage.UsageError(f"--limit {name}: with 0 nothing would work.")
        self._limits[name] = number

    def postOptions(self) -> None:
        """Check everything before anything starts. Raises UsageError, one sentence."""
        self.settings = Settings(
            http=self._listen("http"),
            https=self._listen("https") if self["https"] else None,
            admin=self._listen("admin"),
            state=Path(self["state"]),
            drain_timeout=self._number("--drain-timeout", self["drain-timeout"]),
            workers=self._workers(),
            logs=Logs(),
            access_log=self._access_log(),
            limits=Limits(**self._limits),  # type: ignore[arg-type]  # whole numbers where they must be
        )

    def _listen(self, name: str) -> Listen:
        try:
            return Listen.parse(self[name])
        except ValueError as error:
            raise usage.UsageError(f"--{name}: {error}.") from error

    def _access_log(self) -> bool:
        if self["access-log"] not in ("-", "off"):
            raise usage.UsageError(f"--access-log: {self['access-log']!r} is neither - nor off.")
        return bool(self["access-log"] == "-")

    def _workers(self) -> int:
        if not self["workers"]:
            return len(os.sched_getaffinity(0))
        count = int(self._number("--workers", self["workers"], whole=True))
        if not 1 <= count <= _MOST_WORKERS:
            raise usage.UsageError(f"--workers: {count} is not from 1 to {_MOST_WORKERS}.")
        return count

    def _number(self, option: str, text: str, whole: bool = False) -> float:
        try:
            number = int(text) if whole else float(text)
        except ValueError:
            number = -1
        if not 0 <= number < float("inf"):
            kind = "a whole number" if whole else "a number of seconds"
            raise usage.UsageError(f"{option}: {text!r} is not {kind}.")
        return number


def makeService(options: Options) -> MultiService:
    """The service that Twisted runs. What makes it impossible is said in one line, and the program exits with 1."""
    from twisted.internet import reactor  # noqa: PLC0415  importing it installs it; the command line may choose one

    try:
        # Not before: what Twisted was told of logging is complete by now.
        logs = Logs()
        if options.parent is not None:
            logs = Logs.of(options.parent)
            logs.unblock(options.parent, reactor, options.settings.limits.log_buffer)
        return make_service(attrs.evolve(options.settings, logs=logs), reactor)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise SystemExit(f"iopproxy can't start: {error.strerror or error}{place}.") from error
