"""The files that iop.yml names, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from iop.config.entries import dig, entries
from iop.config.problems import Problem

__all__ = ["build_paths", "check", "key_file"]


def build_paths(directory: Path, context: str | None, dockerfile: str | None) -> tuple[Path, Path]:
    """Return the absolute context and Dockerfile of a build.

    Both are written relative to the folder of iop.yml; a Dockerfile that isn't given is the context's own.
    """
    folder = (directory / (context or ".")).resolve()
    return folder, (directory / dockerfile).resolve() if dockerfile else folder / "Dockerfile"


def key_file(directory: Path, written: str) -> Path:
    """Return the absolute path of a private key; ``~`` is the user's home. Raises RuntimeError on an unknown ~user."""
    return directory / Path(written).expanduser()


def check(data: dict[str, Any], directory: Path) -> Iterator[Problem]:
    """Yield the files and folders that iop.yml names and that aren't there."""
    if written := dig(data, "ssh", "key_file", kind=str):
        try:
            found = _is(Path.is_file, key_file(directory, written))
        except RuntimeError:
            found = False
        if not found:
            yield Problem(("ssh", "key_file"), f"there is no file {written}; name your private key")
    for name, app in entries(data, "apps"):
        if "build" in app or "image" not in app:
            yield from _build(name, dig(app, "build", kind=dict) or {}, directory)


def _build(name: str, build: dict[str, Any], directory: Path) -> Iterator[Problem]:
    path = ("apps", name, "build")
    written = {key: dig(build, key, kind=str) for key in ("context", "dockerfile")}
    context, dockerfile = build_paths(directory, written["context"], written["dockerfile"])
    if not _is(Path.is_dir, context):
        yield Problem((*path, "context"), f"there is no folder {written['context']}")
    elif not _is(Path.is_file, dockerfile):
        shown = dockerfile.relative_to(directory) if dockerfile.is_relative_to(directory) else dockerfile
        near = context / (written["dockerfile"] or "Dockerfile")
        if _is(Path.is_file, near) and near.is_relative_to(directory):
            remedy = f"paths begin at the folder of iop.yml: write {near.relative_to(directory)}"
        else:
            remedy = "add one, or name yours in build.dockerfile"
        yield Problem((*path, "dockerfile"), f"there is no file {shown}; {remedy}")


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    """Ask what ``path`` is; one that is too long or may not be looked at is nothing."""
    try:
        return kind(path)
    except OSError:
        return False
