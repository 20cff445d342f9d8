"""Files that are private from birth and survive a power cut."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from twisted.logger import Logger

__all__ = ["make_folder", "replace", "set_aside"]

_log = Logger()


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, unless it exists."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


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
    try:
        _sync_folder(path.parent)
    except OSError as error:
        # From the rename on the new content is what everybody reads, so this is no failure to write it.
        _log.warn(
            "{path} is written, but a power cut in the next seconds may bring its old content back ({reason}).",
            path=str(path),
            reason=str(error),
        )


def set_aside(path: Path) -> Path:
    """Rename what can't be used to ``path``.damaged-TIME and return that. Raises OSError."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return path.rename(path.with_name(f"{path.name}.damaged-{stamp}"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
