"""The release of a run; uncommitted changes are committed first, or nothing is deployed."""

from __future__ import annotations

from datetime import UTC, datetime

from invoke import Context

from iop import local
from iop.config.project import Project
from iop.console import console
from iop.facts.git import Release, release, require_clean

__all__ = ["announce", "committed"]


def committed(c: Context, owner: Project) -> Release:
    """The release to deploy. On a terminal a dirty tree is offered a commit; elsewhere, or with --yes, an error.

    Raises UsageError, with the paths, when they stay uncommitted.
    """
    found = release(owner.directory, datetime.now(UTC))
    if found.dirty and console().can_ask and not c.config.iop.yes:
        console().say("Uncommitted changes:\n" + "\n".join(f"    {path}" for path in found.dirty))
        message = console().ask("Commit all of them now? The message, or nothing to stop", "")
        if message:
            where = ("git", "-C", str(owner.directory))
            local.output((*where, "add", "--all"))
            local.output((*where, "commit", "--quiet", "--message", message))
            found = release(owner.directory, datetime.now(UTC))
    require_clean(found)
    return found


def announce(found: Release) -> None:
    """The first line of a run."""
    source = "Git SHA" if found.source == "git" else "the time"
    console().say(f"Using {source} for release ID: {found.id}")
