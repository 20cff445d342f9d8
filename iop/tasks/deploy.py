"""``iop`` and ``iop plan``: gather facts, decide, show or perform, and look again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from invoke import Context, task

from iop import proxyimage
from iop.config.project import App, Project
from iop.connection import Server
from iop.console import console
from iop.errors import ProxyError, UsageError
from iop.facts.git import Release
from iop.facts.git import release as read_release
from iop.facts.server import Facts
from iop.lock import locked
from iop.plan import naming
from iop.plan.deploy import Plan, selected
from iop.plan.deploy import plan as make_plan
from iop.tasks.context import connect, project
from iop.tasks.gather import gather
from iop.tasks.perform import perform
from iop.tasks.release import announce, committed

__all__ = ["deploy", "plan"]


@task(iterable=["entry"], auto_shortflags=False, help={"entry": "only this app (may be repeated)"})
def deploy(c: Context, entry: list[str] | None = None) -> None:
    """Build, ship and switch every app, or the ones named."""
    owner, apps = _wanted(c, entry)
    release = committed(c, owner)
    announce(release)
    with _servers(c, apps) as servers, ExitStack() as locks:
        for _, server in sorted(servers.items()):  # everybody in one order: no two runs wait for each other
            locks.enter_context(locked(server))
        facts = gather(servers.values())
        planned = _plan(owner, apps, facts, release)
        steps = planned.steps
        while planned.partial:
            perform(c, planned.steps, servers)
            before, facts = facts, gather(servers.values())
            if facts == before:
                raise ProxyError(
                    "the proxy does not say what is live", "see what it says: docker logs iop-proxy"
                )
            planned = _plan(owner, apps, facts, release)
            steps += planned.steps
        perform(c, planned.steps, servers)
        if not steps:
            console().say(f"Nothing to do: release {release.id} is live everywhere.")
        console().urls([(each.name, _url(owner, each, facts[each.server])) for each in apps])


@task(iterable=["entry"], auto_shortflags=False, help={"entry": "only this app (may be repeated)"})
def plan(c: Context, entry: list[str] | None = None) -> None:
    """Show the steps that a deploy would take, and change nothing."""
    owner, apps = _wanted(c, entry)
    release = read_release(owner.directory, datetime.now(UTC))
    announce(release)
    with _servers(c, apps) as servers:
        planned = _plan(owner, apps, gather(servers.values()), release)
    if not planned.steps:
        console().say(f"Nothing to do: release {release.id} is live everywhere.")
    console().plan([(step.host, step.title) for step in planned.steps])
    for step in planned.steps:
        console().output(step.command)
    if planned.partial:
        console().say("More follows once the proxy is up: what is live can't be seen before.")


def _wanted(c: Context, entry: list[str] | None) -> tuple[Project, tuple[App, ...]]:
    owner = project(c)
    apps = selected(owner, entry or [])
    if not apps:
        raise UsageError("iop.yml names no apps", "add one under apps:")
    return owner, apps


def _plan(owner: Project, apps: tuple[App, ...], facts: Mapping[str, Facts], release: Release) -> Plan:
    platforms = {each.platform for each in facts.values()}
    images = {platform: proxyimage.tag(owner.proxy, platform) for platform in platforms}
    return make_plan(owner, facts, apps, release.id, images)


def _url(owner: Project, app: App, facts: Facts) -> str:
    return f"http://{naming.hosts(owner, app, facts.address)[0]}"


@contextmanager
def _servers(c: Context, apps: tuple[App, ...]) -> Iterator[dict[str, Server]]:
    """A connection to each server of these apps, closed at the end."""
    servers = {each.server: connect(c, each.server) for each in apps}
    try:
        yield servers
    finally:
        for server in servers.values():
            server.close()
