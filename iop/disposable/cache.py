"""The folder where slow results are kept between runs."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["folder", "locked", "replaced"]


def folder() -> Path:
    """``$IOP_CACHE``, else ``~/.cache/iop``; made when it is missing."""
    path = Path(os.environ.get("IOP_CACHE") or Path.home() / ".cache" / "iop").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock ``name``: what one run is making, another waits for instead of making it too."""
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released by the kernel when we die
        yield


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary file to write; it becomes ``path`` when the block ends, and is removed when it fails.

    An interrupted run thus leaves either the whole file or none.
    """
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
