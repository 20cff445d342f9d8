"""Which release this is: the commit of the project's folder, or the time where there is no git."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from attrs import frozen

from iop.errors import IopError, UsageError

__all__ = ["Release", "release", "require_clean"]

#: What a git hook that runs iop exports; it would name the hook's repository instead of ours.
_OF_A_HOOK = frozenset(
    {"GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE"}
)

#: How many uncommitted paths an error names.
_SHOWN = 10


@frozen
class Release:
    """``id`` is a valid Docker tag; ``dirty`` are the uncommitted paths, as git writes them."""

    id: str
    source: Literal["git", "time"]
    dirty: tuple[str, ...] = ()


def release(directory: Path, now: datetime) -> Release:
    """Return the release of the project in ``directory``: the short SHA, or ``now`` (aware) in UTC without git.

    Raises UsageError for a repository without commits or owned by another user, IopError when git fails.
    """
    if not _in_repository(directory):
        return Release(now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"), "time")
    if _git(directory, "rev-parse", "--verify", "--quiet", "HEAD").returncode:
        raise UsageError(
            f"the git repository of {directory} has no commit yet", "commit first: git add -A && git commit"
        )
    sha = _output(_git(directory, "rev-parse", "--short", "HEAD"), directory).strip()
    status = _output(_git(directory, "status", "--porcelain=v1", "-z", "--untracked-files=normal"), directory)
    return Release(sha, "git", _paths(status))


def require_clean(found: Release) -> None:
    """Raise UsageError unless everything is committed: a release must be what its SHA says."""
    if not found.dirty:
        return
    listed = "\n".join(f"    {path}" for path in found.dirty[:_SHOWN])
    more = len(found.dirty) - _SHOWN
    rest = f"\n    … and {more} more" if more > 0 else ""
    raise UsageError(
        f"there are uncommitted changes, so {found.id} would not be what is deployed:\n{listed}{rest}",
        "commit first, or add to .gitignore what doesn't belong to the project",
    )


def _in_repository(directory: Path) -> bool:
    """Tell whether git knows the files of ``directory``: no git, no repository and an ignored folder don't."""
    try:
        inside = _git(directory, "rev-parse", "--is-inside-work-tree")
    except FileNotFoundError:
        return False
    if inside.returncode and "not a git repository" in inside.stderr:
        return False
    if _output(inside, directory).strip() != "true":
        return False
    return _git(directory, "check-ignore", "--quiet", ".").returncode != 0


def _git(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in _OF_A_HOOK}
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(directory), *words],
        env={**environment, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _output(result: subprocess.CompletedProcess[str], directory: Path) -> str:
    if result.returncode == 0:
        return result.stdout
    if "dubious ownership" in result.stderr:
        raise UsageError(
            f"git won't read {directory}: another user owns the repository",
            "if you trust it: git config --global --add safe.directory "
            + (_quoted_path(result.stderr) or str(directory)),
        )
    said = (result.stderr.strip().splitlines() or ["no reason given"])[0]
    raise IopError(f"git failed in {directory}: {said}", "run `git status` there to see why")


def _quoted_path(stderr: str) -> str | None:
    """Find the repository that git names: it may lie above our folder."""
    _, found, rest = stderr.partition("dubious ownership in repository at '")
    return rest.partition("'")[0] if found else None


def _paths(status: str) -> tuple[str, ...]:
    """Read ``git status --porcelain -z``: NUL-ended ``XY path``; a rename or copy adds its old path."""
    fields = iter(status.split("\0"))
    paths = []
    for entry in fields:
        if entry:
            paths.append(entry[3:])
            if "R" in entry[:2] or "C" in entry[:2]:
                next(fields, None)
    return tuple(paths)
