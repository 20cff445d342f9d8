"""Shell text for the proxy's containers and its admin API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iop.commands import docker
from iop.commands.shell import ensure, feed, line, quiet

__all__ = ["EDGE", "NETWORK_LABEL", "PROXY", "STATE", "admin", "attached", "boot", "join"]

EDGE = "iop-edge"
PROXY = "iop-proxy"
STATE = "/var/lib/iop-proxy"
USER = "10001:10001"
DRAIN = 30
NETWORK_LABEL = "iop.network"

_UNIT_FILE = "/etc/systemd/system/iop-proxy.service"
_UNIT = f"""\
[Unit]
Description=The iop proxy after its edge
After=docker.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/bin/env docker start {EDGE}
ExecStart=-/usr/bin/env docker start {PROXY}

[Install]
WantedBy=docker.service
"""

_LOCKED = ("--restart", "always", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
_IDLE = "trap 'exit 0' TERM INT; sleep infinity & wait"


def boot(image: str) -> tuple[str, ...]:
    """The edge, which holds ports and networks, and the proxy inside its network namespace; each unless it runs.

    A new edge joins the networks of every project on the server, not just of the one that is being deployed.
    """
    edge = (
        *_LOCKED,
        *("--user", USER, "--sysctl", "net.ipv4.ip_unprivileged_port_start=0"),
        *("--publish", "80:80", "--publish", "443:443", "--publish", "127.0.0.1:8080:8080"),
    )
    proxy = (
        *_LOCKED,
        *(
            "--user",
            USER,
            "--network",
            f"container:{EDGE}",
            "--tmpfs",
            "/tmp",  # noqa: S108 - the container's own
            "--stop-timeout",
            str(DRAIN + 5),
        ),
        *("--volume", f"{STATE}:{STATE}"),
    )
    serve = (
        "python3",
        "-m",
        "twisted",
        "--log-format",
        "text",
        "iopproxy",
        "--http",
        "tcp:80",
        "--https",
        "tcp:443",
        "--admin",
        "tcp:8080",
    )
    options = ("--state", STATE, "--drain-timeout", str(DRAIN))
    user, group = USER.split(":")
    # An edge that comes up makes a new network namespace, and the proxy must be in that one.
    new_edge = "\n".join(
        [
            docker.remove([PROXY]),
            f"if ! {quiet(line('docker', 'start', EDGE))} 2>&1; then",
            docker.remove([EDGE]),
            quiet(docker.run(EDGE, image, edge, ("sh", "-c", _IDLE))),
            f"for network in $({line('docker', 'network', 'ls', '--quiet', '--filter', f'label={NETWORK_LABEL}')}); do",
            f'docker network connect "$network" {EDGE}',
            "done",
            "fi",
        ]
    )
    new_proxy = f"{docker.remove([PROXY])}\n{quiet(docker.run(PROXY, image, proxy, (*serve, *options)))}"
    return (
        _start_in_order(),
        line("install", "-d", "-m", "0700", "-o", user, "-g", group, STATE),
        ensure(_running(EDGE), new_edge),
        ensure(f"{{ {_running(PROXY)} && {attached()}; }}", new_proxy),
        _await(),
    )


def attached() -> str:
    """Whether the proxy is in the edge's network namespace, and not in that of an edge that ended."""
    pids = [line("docker", "inspect", "--format", "{{.State.Pid}}", name) for name in (EDGE, PROXY)]
    edge, proxy = (f'"$(readlink /proc/$({pid})/ns/net)"' for pid in pids)
    return f"test {edge} = {proxy}"


def join(network: str) -> str:
    """Let the proxy reach a project's containers by name."""
    template = f'{{{{if index .NetworkSettings.Networks "{network}"}}}}in{{{{end}}}}'
    inside = line("docker", "inspect", "--format", template, EDGE)
    return f'if [ "$({inside})" != in ]; then {line("docker", "network", "connect", network, EDGE)}; fi'


def admin(method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
    """One call of the admin API, made inside the proxy's container, where the token is; JSON on stdout."""
    call = line(
        "docker", "exec", "--interactive", PROXY, "python3", "-m", "iopproxy.control.client", method, path
    )
    return f"{call} </dev/null" if body is None else feed(json.dumps(body), call)


def _start_in_order() -> str:
    """See to it that systemd starts the proxy after the edge, whenever Docker starts.

    Docker itself starts both at once, and does not try again when the proxy finds no network to join.
    """
    install = "\n".join(
        [
            feed(_UNIT, f"cat >{_UNIT_FILE}.new && mv {_UNIT_FILE}.new {_UNIT_FILE}"),
            "systemctl daemon-reload",
            quiet(f"systemctl enable {Path(_UNIT_FILE).name}") + " 2>&1",
        ]
    )
    same = feed(_UNIT, f"cmp -s - {_UNIT_FILE}")
    return f"if command -v systemctl >/dev/null && ! {{ {same}; }}; then\n{install}\nfi"


def _running(name: str) -> str:
    return f'test "$({line("docker", "inspect", "--format", "{{.State.Running}}", name)} 2>/dev/null)" = true'


def _await() -> str:
    """Until the admin API answers; a proxy that doesn't within half a minute says why."""
    call = admin("GET", "/healthz")
    failed = f"{call} >/dev/null || :; {docker.logs(PROXY, 3)} >&2; exit 1"
    tries = f"tries=$((tries + 1)); if [ $tries -ge 60 ]; then {failed}; fi; sleep 0.5"
    return f"tries=0; until {call} >/dev/null 2>&1; do {tries}; done"
