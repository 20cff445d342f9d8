"""Shell text for an app's containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iop.commands import docker
from iop.commands.shell import exports, line, quiet

__all__ = ["alias", "start", "state"]


def start(
    name: str,
    image: str,
    *,
    network: str,
    labels: Mapping[str, str],
    plain: Mapping[str, str],
    secret: Mapping[str, str],
    ports: Sequence[str],
    volumes: Sequence[str],
    user: str | None,
    command: Sequence[str],
    stop_timeout: float,
) -> str:
    """Start one replica under its own name only: the shared aliases come when it is healthy.

    Secret values are exported inside a subshell and named by ``--env KEY``: they are in no argv and no file.
    """
    options = [
        *("--network", network, "--restart", "unless-stopped"),
        *("--stop-timeout", str(max(1, round(stop_timeout)))),
        *docker.labels(labels),
    ]
    for key, value in plain.items():
        options += ["--env", f"{key}={value}"]
    for key in secret:
        options += ["--env", key]
    for port in ports:
        options += ["--publish", port]
    for volume in volumes:
        options += ["--volume", volume]
    if user:
        options += ["--user", user]
    started = quiet(docker.run(name, image, options, command))
    return f"(\n{exports(secret)}\n{started}\n)" if secret else started


def alias(name: str, network: str, aliases: Sequence[str]) -> str:
    """Give a running container exactly these aliases without breaking its open connections.

    Aliases can only be set when a container joins a network, so it leaves and joins again at once, with the
    address it had: established TCP connections stall for some 0.2 s and go on. Without ``--ip`` they would hang.
    """
    words = [word for each in aliases for word in ("--alias", each)]
    template = f'{{{{with index .NetworkSettings.Networks "{network}"}}}}{{{{.IPAddress}}}}{{{{end}}}}'
    address = line("docker", "inspect", "--format", template, name)
    leave = quiet(line("docker", "network", "disconnect", "--force", network, name))
    join = line("docker", "network", "connect", *words)
    here = line(network, name)
    return "\n".join(
        [
            f"address=$({address} 2>/dev/null || true)",
            f"{leave} 2>&1 || true",
            f'if [ -z "$address" ] || ! {join} --ip "$address" {here} >/dev/null 2>&1; then {join} {here}; fi',
        ]
    )


def state(names: Sequence[str]) -> str:
    """One line a container: name, running, exit code, restarts."""
    template = "{{.Name}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}}"
    return line("docker", "inspect", "--format", template, *names)
