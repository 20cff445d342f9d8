"""The zero-downtime switch of one app, step by step."""

from __future__ import annotations

import json
from pathlib import Path

from invoke import Context, task

from iop.commands import app as commands
from iop.commands import docker
from iop.commands.shell import script
from iop.errors import HealthError, UsageError
from iop.health import Attempt, await_healthy
from iop.plan import naming
from iop.proxyapi import ProxyApi
from iop.tasks.context import app, note, project, server

__all__ = [
    "alias",
    "check",
    "drain",
    "live",
    "maintain",
    "prove",
    "remove",
    "start",
    "stop",
    "switch",
    "unalias",
    "unswitch",
]


@task(auto_shortflags=False)
def start(c: Context, name: str, color: str, release: str, config: str) -> None:
    """Start every replica of a colour, under its own name only."""
    owner, wanted = project(c), app(c, name)
    lines = []
    for number, container in enumerate(naming.containers(owner, wanted, color), start=1):
        lines.append(
            commands.start(
                container,
                naming.image(wanted, release),
                network=naming.network(owner),
                labels={
                    "iop.project": owner.name,
                    "iop.app": name,
                    "iop.color": color,
                    "iop.release": release,
                    "iop.replica": str(number),
                    "iop.config": config,
                },
                plain=dict(wanted.environment.plain),
                secret={key: value.reveal() for key, value in wanted.environment.secret},
                ports=wanted.ports,
                volumes=[naming.volume(owner, each) for each in wanted.volumes],
                user=wanted.user,
                command=wanted.command,
                stop_timeout=wanted.stop_timeout,
            )
        )
    server(c).script(script(*lines), f"starting {name} ({color})")


@task(auto_shortflags=False)
def check(c: Context, name: str, color: str, release: str) -> None:
    """Wait until every replica of a colour answers its health check with 2xx."""
    owner, wanted, remote = project(c), app(c, name), server(c)
    port = _port(c, name, release)
    host = naming.hosts(owner, wanted, remote.address)[0]
    for container in naming.containers(owner, wanted, color):
        attempt = Attempt(container, f"{container}:{port}", host, wanted.health_check)
        tries = await_healthy(remote, attempt)
        note(f"healthy after {tries} {'try' if tries == 1 else 'tries'}")


@task(auto_shortflags=False)
def alias(c: Context, name: str, color: str) -> None:
    """Give the shared aliases to a colour; its open connections go on."""
    owner, wanted = project(c), app(c, name)
    _realias(c, name, color, naming.aliases(owner, wanted))


@task(auto_shortflags=False)
def unalias(c: Context, name: str, color: str) -> None:
    """Take the shared aliases away from a colour; its open connections go on."""
    _realias(c, name, color, ())


@task(auto_shortflags=False)
def switch(c: Context, name: str, color: str, release: str) -> None:
    """Send every new request to a colour, in one step."""
    owner, wanted, remote = project(c), app(c, name), server(c)
    ProxyApi(remote).put_route(
        owner.name,
        wanted,
        hosts=naming.hosts(owner, wanted, remote.address),
        targets=naming.targets(owner, wanted, color, _port(c, name, release)),
        color=color,
        release=release,
    )


@task(auto_shortflags=False)
def prove(c: Context, name: str, color: str) -> None:
    """Ask for the health path through the proxy, as the public does."""
    wanted, remote = app(c, name), server(c)
    answer = ProxyApi(remote).prove(project(c).name, name, wanted.health_check, attempts=5)
    if not answer.healthy:
        raise HealthError(
            f"{remote.original_host}: {name} ({color}) is healthy, but not through the proxy: {answer.reason}",
            "see what the proxy says: docker logs iop-proxy",
        )


@task(auto_shortflags=False)
def unswitch(c: Context, name: str, color: str) -> None:
    """If requests go to a colour, send them where they went before; nowhere, when that was nowhere."""
    api, owner = ProxyApi(server(c)), project(c).name
    route = next((each for each in api.routes() if (each.project, each.app) == (owner, name)), None)
    if route is None or route.color != color:
        return  # the switch did not take effect
    if route.previous:
        api.switch_back(owner, name)
    else:
        for host in route.hosts:
            api.delete_host(host)


@task(auto_shortflags=False)
def maintain(c: Context, name: str, page: str) -> None:
    """Show a page (a file of HTML) instead of an app, until app.live."""
    path = Path(page)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--page: {path} can't be read: {error}") from error
    ProxyApi(server(c)).maintain(project(c).name, app(c, name).name, text)


@task(auto_shortflags=False)
def live(c: Context, name: str) -> None:
    """Show an app again, after app.maintain."""
    ProxyApi(server(c)).end_maintenance(project(c).name, app(c, name).name)


@task(auto_shortflags=False)
def drain(c: Context, name: str, color: str) -> None:
    """Wait until a colour that lost its route has answered everything, or the drain timeout is over."""
    api, wanted = ProxyApi(server(c)), app(c, name)
    names = set(_containers(c, name, color))
    busy = [target for target in api.in_flight() if target.rpartition(":")[0] in names]
    left = api.drain(busy, wanted.drain_timeout) if busy else 0
    if left:
        note(f"{left} unfinished after {wanted.drain_timeout:g} s")


@task(auto_shortflags=False)
def stop(c: Context, name: str, color: str) -> None:
    """Stop a colour's containers with SIGTERM first, and remove them."""
    names, wanted = _containers(c, name, color), app(c, name)
    if names:
        lines = (docker.stop(names, wanted.stop_timeout) + " >/dev/null", docker.remove(names))
        server(c).script(script(*lines), f"stopping {name} ({color})")


@task(auto_shortflags=False)
def remove(c: Context, name: str, color: str) -> None:
    """Remove a colour's containers at once; for a colour that never served."""
    names = _containers(c, name, color)
    if names:
        server(c).script(script(docker.remove(names)), f"removing {name} ({color})")


def _realias(c: Context, name: str, color: str, aliases: tuple[str, ...]) -> None:
    network = naming.network(project(c))
    lines = [commands.alias(each, network, aliases) for each in _containers(c, name, color)]
    server(c).script(script(*lines), f"moving the aliases of {name}")


def _containers(c: Context, name: str, color: str) -> tuple[str, ...]:
    """The colour's containers on the server, by label: the number of replicas may have changed since."""
    labels = {"iop.project": project(c).name, "iop.app": name, "iop.color": color}
    result = server(c).script(script(docker.names(labels)), f"listing {name} ({color})")
    return tuple(sorted(result.stdout.split()))


def _port(c: Context, name: str, release: str) -> int:
    """The port of iop.yml, else the image's EXPOSE, else 3000."""
    wanted = app(c, name)
    if wanted.proxy.app_port:
        return wanted.proxy.app_port
    command = docker.exposed(naming.image(wanted, release))
    found = json.loads(server(c).script(script(command), f"reading the port of {name}").stdout or "null")
    ports = sorted(int(each.partition("/")[0]) for each in found or {} if each.endswith("/tcp"))
    return ports[0] if ports else naming.DEFAULT_PORT
