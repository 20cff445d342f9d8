"""Files that are private from birth and survive a power cut."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from twisted.logger import Logger

__all__ = ["make_folder", "read_private", "remove", "replace", "set_aside"]

_log = Logger()


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, unless it exists."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_private(path: Path, size: int) -> bytes:
    """Up to ``size`` bytes of a file that from now on only its owner can read. Raises OSError, also for a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
        return file.read(size)


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, mode 0600: whole or not at all, and on the disk when this returns.

    Raises OSError; ``path`` is then as it was.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # of a write that was cut short; its mode and its owner are anybody's guess
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _settle(path, "old content")


def remove(path: Path) -> None:
    """Remove a file, unless it is gone already; its name is off the disk when this returns. Raises OSError."""
    path.unlink(missing_ok=True)
    _settle(path, "content")


def set_aside(path: Path) -> Path:
    """Rename what can't be used to ``path``.damaged-TIME and return that. Raises OSError."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return path.rename(path.with_name(f"{path.name}.damaged-{stamp}"))


def _settle(path: Path, old: str) -> None:
    """Bring a change of the folder to the disk. It is what everybody sees already, so it hasn't failed if this does."""
    try:
        _sync_folder(path.parent)
    except OSError as error:
        _log.warn(
            "{path} is changed, but a power cut in the next seconds may bring its {old} back ({reason}).",
            path=str(path),
            old=old,
            reason=str(error),
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
