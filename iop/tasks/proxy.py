"""Tasks that make the proxy's image and bring the proxy up."""

from __future__ import annotations

from invoke import Context, task

from iop import proxyimage
from iop.commands import proxy as commands
from iop.commands.shell import script
from iop.tasks.context import project, server

__all__ = ["boot", "build", "join"]


@task(auto_shortflags=False)
def build(c: Context, image: str, platform: str) -> None:
    """Build the proxy's image with the Docker of this machine."""
    proxyimage.build(image, project(c).proxy, platform)


@task(auto_shortflags=False)
def boot(c: Context, image: str) -> None:
    """Start the edge and the proxy, each unless it runs, and wait until the proxy answers."""
    server(c).script(script(*commands.boot(image)), "starting the proxy")


@task(auto_shortflags=False)
def join(c: Context, network: str) -> None:
    """Connect the proxy to a project's network."""
    server(c).script(script(commands.join(network)), f"connecting the proxy to {network}")
