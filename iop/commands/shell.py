"""Words into shell text: the one place where anything is quoted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

__all__ = ["BUSY", "FOLDER", "ensure", "exports", "feed", "line", "quiet", "script"]

FOLDER = "/run/iop"
"""Root's own, so that nobody else can hold a lock there; gone with a reboot, as locks should be."""
BUSY = f"{FOLDER}/busy.lock"
# Tried first with `true`: a shell whose `exec` can't open a file ends on the spot.
_MARK_BUSY = (
    f"mkdir -p -m 0700 {FOLDER} 2>/dev/null || :\n"
    f"if true 8>>{BUSY}; then exec 8>>{BUSY}; flock -s 8; fi 2>/dev/null"
)


def line(*argv: str) -> str:
    """One command as shell text, every word quoted."""
    return shlex.join(argv)


def quiet(command: str) -> str:
    """The command with its output thrown away; its exit status stays."""
    return f"{command} >/dev/null"


def ensure(check: str, act: str) -> str:
    """``act`` unless ``check`` already succeeds."""
    return f"if ! {check} >/dev/null 2>&1; then {act}; fi"


def exports(values: Mapping[str, str]) -> str:
    """Shell text that sets environment variables; multi-line values survive.

    ``export`` is built into the shell, so the values stand in no process list.
    """
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


def feed(text: str, command: str) -> str:
    """``command`` with ``text`` as its standard input (``printf`` is built into the shell as well)."""
    return f"printf %s {shlex.quote(text)} | {command}"


def script(*lines: str) -> str:
    """A whole script that stops at the first failure.

    The braces make the shell read all of it before it runs any of it: a connection that breaks
    half way through can't run half a script. HUP is ignored for the same reason, and a lock (see ``lock``)
    tells the next run that this one is still at work.
    """
    body = "\n".join(lines)
    return f"{{\nset -eu\ntrap '' HUP\n{_MARK_BUSY}\n{body}\n}}\n"
