"""The whole plan: every app that was asked for, on its server."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from iop.commands.proxy import EDGE, PROXY
from iop.config.project import App, Project
from iop.errors import UsageError
from iop.facts.server import Facts
from iop.plan import app, naming, proxy, server
from iop.plan.steps import Step

__all__ = ["Plan", "plan", "selected"]


def selected(project: Project, entries: Collection[str]) -> tuple[App, ...]:
    """The apps with these names, all of them when there are none. Raises UsageError for an unknown name."""
    known = {each.name for each in project.apps}
    for entry in entries:
        if entry not in known:
            names = ", ".join(sorted(known)) or "none"
            raise UsageError(f"no app named {entry!r} in iop.yml", f"there is: {names}")
    return tuple(each for each in project.apps if not entries or each.name in entries)


@frozen
class Plan:
    """The steps, this machine's first, so that a failed build leaves every server as it was.

    ``partial``: on some server nobody could say what is live, because Docker or the proxy was down there. Its
    steps end with both running; probe and plan again after them.
    """

    steps: tuple[Step, ...]
    partial: bool


def plan(
    project: Project,
    facts: Mapping[str, Facts],
    apps: Collection[App],
    release: str,
    proxy_images: Mapping[str, str],
) -> Plan:
    """Everything from what the servers run to ``release`` live on them; no step when it is.

    ``proxy_images`` is the proxy's image by platform. Raises UsageError when a host is taken by another app.
    """
    steps: list[Step] = []
    unknown = {host for host, each in facts.items() if _unknown(each)}
    for host in dict.fromkeys(each.server for each in apps):
        steps += server.prepare(project, facts[host])
        if facts[host].docker or facts[host].fresh:
            steps += proxy.prepare(project, facts[host], proxy_images[facts[host].platform])
    for each in apps:
        if each.server not in unknown:
            _free(project, each, facts[each.server])
            steps += app.deploy(project, each, facts[each.server], release)
    local = {step.command: step for step in steps if step.host is None}  # once, however many servers need it
    return Plan((*local.values(), *(step for step in steps if step.host)), bool(unknown))


def _unknown(facts: Facts) -> bool:
    """Whether the server may serve something that the probe could not see."""
    if facts.docker is None:
        return not facts.fresh
    edge = facts.container(EDGE)
    if edge is not None and not edge.running:
        return True
    ours = any("iop.project" in each.labels for each in facts.containers)
    return facts.routes is None and (ours or facts.container(PROXY) is not None)


def _free(project: Project, wanted: App, facts: Facts) -> None:
    """A host belongs to one app; found out here, before anything is started."""
    for route in facts.routes or ():
        taken = set(route.hosts) & set(naming.hosts(project, wanted, facts.address))
        if taken and (route.project, route.app) != (project.name, wanted.name):
            host = min(taken)
            raise UsageError(
                f"{facts.host}: {host} is the host of app {route.app} of project {route.project}, not of {wanted.name}",
                f"free it: fab -c tasks -H {facts.host} proxy.delete-host --name {host}",
            )
