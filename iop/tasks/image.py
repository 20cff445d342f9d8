"""Tasks that build an image here and bring it to a server."""

from __future__ import annotations

from invoke import Context, task

from iop.building import build as docker_build
from iop.config.secrets import SECRETS
from iop.console import size
from iop.plan import naming
from iop.shipping import ship as send
from iop.tasks.context import PROGRESS, app, note, project, server

__all__ = ["build", "ship"]


@task(auto_shortflags=False)
def build(c: Context, name: str, release: str, platform: str) -> None:
    """Build an app's image with the Docker of this machine."""
    wanted = app(c, name)
    environment = dict(wanted.environment.plain)
    docker_build(
        naming.image(wanted, release),
        context=wanted.build.context,
        dockerfile=wanted.build.dockerfile,
        args={key: environment[key] for key in wanted.build.args},
        target=wanted.build.target,
        platform=platform,
        secrets=project(c).directory / SECRETS,
    )


@task(auto_shortflags=False)
def ship(c: Context, image: str) -> None:
    """Send an image to a server, without the layers that are there already."""
    shipped = send(server(c), image, PROGRESS.get())
    note(
        f"{size(shipped.sent)} sent of a {size(shipped.size)} image"
        + (f", {shipped.how}" if shipped.how else "")
    )
