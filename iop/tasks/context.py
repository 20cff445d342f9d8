"""What a task is about: the project of iop.yml, and the server it was given."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import fabric
from invoke import Context

from iop.config import load
from iop.config.project import App, Project
from iop.connection import Server
from iop.console import Progress
from iop.errors import UsageError

__all__ = ["PROGRESS", "app", "connect", "file", "note", "project", "server"]

DEFAULT_USER = "iop"

PROGRESS: ContextVar[Progress | None] = ContextVar("PROGRESS", default=None)
"""The line on the console of the step that runs; None for a task that somebody runs by hand."""


def file(c: Context) -> Path:
    """The configuration file of this run (``-c``; ``FABRIC_IOP_FILE`` for fab, ``INVOKE_IOP_FILE`` for inv)."""
    return Path(c.config.iop.file).resolve()


def project(c: Context) -> Project:
    """iop.yml, read once."""
    return _load(file(c))


def app(c: Context, name: str) -> App:
    """One app of iop.yml."""
    for each in project(c).apps:
        if each.name == name:
            return each
    raise UsageError(f"no app named {name!r} in {file(c).name}")


def connect(c: Context, host: str) -> Server:
    """A connection to ``host`` with the login of iop.yml; opened at its first use."""
    ssh, config = project(c).ssh, c.config.clone(into=fabric.Config)
    named = config.base_ssh_config.lookup(host).get("user")
    keys: dict[str, Any] = {"key_filename": str(ssh.key_file)} if ssh.key_file else {}
    user = ssh.username or named or DEFAULT_USER
    return Server(host, user=user, port=ssh.port, config=config, connect_kwargs=keys)


def server(c: Context) -> Server:
    """The server a task runs on. Fab's own connection is not used: it checks no host keys."""
    if isinstance(c, Server):
        return c
    if isinstance(c, fabric.Connection):
        return connect(c, c.original_host)
    raise UsageError("this task runs on a server", "name one: fab -c tasks -H HOST …")


def note(text: str) -> None:
    """A few words beside the running step."""
    progress = PROGRESS.get()
    if progress is not None:
        progress.note(text)


@cache
def _load(path: Path) -> Project:
    return load(path)
