"""Tasks that make the proxy's image and bring the proxy up."""

from __future__ import annotations

from invoke import Context, task

from iop import proxyimage
from iop.commands import proxy as commands
from iop.commands.shell import script
from iop.errors import RemoteError
from iop.proxyapi import ProxyApi
from iop.tasks.context import project, server

__all__ = ["boot", "build", "delete_host", "join"]


@task(auto_shortflags=False)
def build(c: Context, image: str, platform: str) -> None:
    """Build the proxy's image with the Docker of this machine."""
    proxyimage.build(image, project(c).proxy, platform)


@task(auto_shortflags=False)
def boot(c: Context, image: str) -> None:
    """Start the edge and the proxy, each unless it runs, and wait until the proxy answers."""
    remote = server(c)
    try:
        remote.script(script(*commands.boot(image)), "starting the proxy")
    except RemoteError as error:
        if "address already in use" not in str(error) and "port is already allocated" not in str(error):
            raise
        raise RemoteError(
            f"{remote.original_host}: another program has port 80, 443 or 8080, which the proxy needs",
            "see which, and stop it: ss -ltnp '( sport = :80 or sport = :443 or sport = :8080 )'",
        ) from error


@task(name="delete-host", auto_shortflags=False)
def delete_host(c: Context, name: str) -> None:
    """Route a host no more, whichever app it belongs to."""
    ProxyApi(server(c)).delete_host(name)


@task(auto_shortflags=False)
def join(c: Context, network: str) -> None:
    """Connect the proxy to a project's network."""
    server(c).script(script(commands.join(network)), f"connecting the proxy to {network}")
