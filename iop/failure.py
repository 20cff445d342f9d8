"""Any error at all, as one message and an exit code."""

from __future__ import annotations

from invoke.exceptions import Exit, Failure

from iop.console import console
from iop.errors import IopError, UsageError

__all__ = ["INTERRUPTED", "report"]

#: What a shell reports for a program that Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130


def report(error: Exception | KeyboardInterrupt, *, debug: bool) -> int:
    """Tell a person why the run ends, with the traceback first when ``debug``. Returns the exit code."""
    if isinstance(error, KeyboardInterrupt):
        console().fail(IopError("interrupted", "nothing is lost: run the same again, it goes on from there"))
        return INTERRUPTED
    if debug and not isinstance(error, UsageError):
        console().trace(error)
    told = _explained(error, hint="" if debug else "; run again with --debug")
    if told.message:
        console().fail(told)
    return int(told.code)


def _explained(error: Exception, hint: str) -> Exit:
    """``error`` itself when it was meant for people, else what can be said about it."""
    if isinstance(error, Exit):
        return error
    if isinstance(error, Failure):
        result = error.result
        said = (result.stderr or result.stdout).strip().splitlines()
        return IopError(f"`{result.command}` exited {result.exited}", *said[-1:])
    first = str(error).strip().partition("\n")[0]
    return IopError(f"unexpected {type(error).__name__}: {first}{hint}")
