"""Debian packages this machine needs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from iop.disposable.docker import follow
from iop.disposable.pace import Say, paced
from iop.errors import MissingError

__all__ = ["install", "system_path"]

OS_RELEASE = Path("/etc/os-release")


def install(needed: dict[str, str], say: Say, purpose: str) -> None:
    """Install with apt-get what is missing. ``needed`` maps a program, or a file's path, to its package.

    Raises MissingError when something is missing and this isn't Debian or Ubuntu, or we aren't root.
    """
    missing = {what: package for what, package in needed.items() if not _there(what)}
    if not missing:
        return
    names = " ".join(sorted(set(missing.values())))
    lacking = f"{purpose} needs {' and '.join(missing)}, which this machine lacks"
    if sys.platform != "linux" or not _debian():
        raise MissingError(lacking, "install them by hand: only Debian and Ubuntu are known here")
    if os.geteuid() != 0:
        raise MissingError(lacking, f"run as root: apt-get install {names}")
    say(f"installing {names}")
    tell = paced(say, "apt-get")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l"]
    for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *names.split()]):
        for line in follow([*environment, "apt-get", *arguments]):
            tell(line)


def system_path() -> str:
    """PATH with the folders of system programs, which plain ``su`` leaves out."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _there(what: str) -> bool:
    return Path(what).exists() if what.startswith("/") else bool(shutil.which(what, path=system_path()))


def _debian() -> bool:
    text = OS_RELEASE.read_text() if OS_RELEASE.exists() else ""
    words = " ".join(line.partition("=")[2].strip('"') for line in text.splitlines() if line[:2] == "ID")
    return bool({"debian", "ubuntu"} & set(words.split())) and shutil.which("apt-get") is not None
