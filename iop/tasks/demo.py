"""``iop demo``: see it work on a disposable local server."""

from __future__ import annotations

from invoke import Context, task

from iop.demo.story import tell

__all__ = ["demo"]


@task(auto_shortflags=False)
def demo(c: Context) -> None:
    """Deploy a sample app twice to a disposable local server, under load."""
    tell()
