"""Tasks that prepare a server."""

from __future__ import annotations

from invoke import Context, task

from iop.commands import server as commands
from iop.commands.shell import script
from iop.tasks.context import note, server

__all__ = ["install_docker", "network"]


@task(auto_shortflags=False)
def install_docker(c: Context) -> None:
    """Install Docker from the distribution and see that it runs."""
    result = server(c).script(script(*commands.install_docker()), "installing Docker")
    note(f"Docker {result.stdout.strip()}")


@task(auto_shortflags=False)
def network(c: Context, name: str) -> None:
    """Create a project's network."""
    server(c).script(script(commands.network(name)), f"creating network {name}")
