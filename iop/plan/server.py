"""Steps that bring a server to where apps can run on it."""

from __future__ import annotations

from iop.config.project import Project
from iop.facts.server import Facts
from iop.plan import naming
from iop.plan.steps import Step

__all__ = ["prepare"]


def prepare(project: Project, facts: Facts) -> tuple[Step, ...]:
    """Docker and the project's network, where they are missing."""
    steps = []
    if facts.docker is None:
        title = "Installing Docker" if facts.fresh else "Starting Docker"
        steps.append(Step("server.install-docker", title, facts.host))
    network = naming.network(project)
    if (facts.docker or facts.fresh) and network not in facts.networks:
        steps.append(Step("server.network", f"Creating network {network}", facts.host, {"name": network}))
    return tuple(steps)
