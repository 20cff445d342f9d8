"""Who a disposable thing belongs to, so that what an interrupted run left behind is found and removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from iop.disposable import cache
from iop.disposable.docker import docker

__all__ = ["LABEL", "label", "me", "private_folder", "remove_leftovers", "remove_of", "runs", "started"]

LABEL = "iop.disposable.owner"
_FOLDER = "iop-servers-"


def me() -> str:
    """This process: its id and when it started (clock ticks since boot), which no later one shares."""
    return f"{os.getpid()}-{started(os.getpid())}"


def label() -> tuple[str, str]:
    """``--label`` for ``docker create``: the thing is ours."""
    return "--label", f"{LABEL}={me()}"


def private_folder() -> Path:
    """This process's folder for keys and sockets (0700), made once."""
    path = Path(tempfile.gettempdir()) / f"{_FOLDER}{me()}"
    path.mkdir(mode=0o700)  # fails when somebody else was there first: never trust what lies there
    return path


def remove_leftovers() -> None:
    """Remove the servers, volumes, networks and folders of every owner that no longer runs."""
    owners = set()
    for listing in (["ps", "--all"], ["volume", "ls"], ["network", "ls"]):
        form = f'{{{{.Label "{LABEL}"}}}}'
        owners |= set(docker(*listing, "--filter", f"label={LABEL}", "--format", form).split())
    folders = Path(tempfile.gettempdir()).glob(f"{_FOLDER}*")
    owners |= {path.name.removeprefix(_FOLDER) for path in folders if path.stat().st_uid == os.geteuid()}
    for owner in owners:
        if not runs(owner):
            with cache.locked("leftovers"):  # of two runs at once, one removes
                remove_of(owner)


def remove_of(owner: str) -> None:
    """Remove all that ``owner`` made."""
    mine = ("--filter", f"label={LABEL}={owner}", "--quiet")
    for listing, removal in (
        (("ps", "--all"), ("rm", "--force", "--volumes")),
        (("volume", "ls"), ("volume", "rm", "--force")),
        (("network", "ls"), ("network", "rm")),
    ):
        if names := docker(*listing, *mine).split():
            docker(*removal, *names)
    shutil.rmtree(Path(tempfile.gettempdir()) / f"{_FOLDER}{owner}", ignore_errors=True)


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is none of that number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()  # field 22 of proc_pid_stat(5)
    except OSError:
        return None
    # The second field, the program's name in parentheses, may hold anything.
    return int(stat.rpartition(")")[2].split()[19])


def runs(owner: str) -> bool:
    """Whether the process that ``me()`` named so still runs."""
    pid, _, since = owner.partition("-")
    return pid.isdigit() and since.isdigit() and started(int(pid)) == int(since)
