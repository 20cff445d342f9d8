"""Files that are private from birth and survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["make_folder", "replace"]


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, unless it exists."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, mode 0600: whole or not at all, and on the disk when this returns.

    Raises OSError; ``path`` is then as it was.
    """
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the rename itself
    finally:
        os.close(folder)
