"""Steps that bring the proxy up on a server and into a project's network."""

from __future__ import annotations

from iop.commands.proxy import EDGE, PROXY
from iop.config.project import Project
from iop.facts.server import Facts
from iop.plan import naming
from iop.plan.steps import Step

__all__ = ["prepare"]


def prepare(project: Project, facts: Facts, image: str) -> tuple[Step, ...]:
    """The proxy's image, its two containers, and the edge's place in the project's network.

    A proxy that runs is left alone, whatever its version: replacing it is a command of its own.
    """
    steps = []
    edge, proxy = facts.container(EDGE), facts.container(PROXY)
    running = all(each is not None and each.running for each in (edge, proxy))
    up = running and facts.attached and facts.routes is not None
    if not up and not facts.has_image(image):
        if project.proxy.image is None:
            build = {"image": image, "platform": facts.platform}
            steps.append(Step("proxy.build", "Building the proxy", None, build))
        steps.append(Step("image.ship", "Shipping the proxy", facts.host, {"image": image}))
    if not up:
        steps.append(Step("proxy.boot", "Starting the proxy", facts.host, {"image": image}))
    network = naming.network(project)
    if edge is None or not edge.running or network not in edge.aliases:
        steps.append(
            Step("proxy.join", f"Connecting the proxy to {network}", facts.host, {"network": network})
        )
    return tuple(steps)
