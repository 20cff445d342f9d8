"""Docker's command line, as far as more than one noun needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iop.commands.shell import line

__all__ = ["LOGS", "exposed", "labels", "logs", "names", "remove", "run", "stop"]

LOGS = ("--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3")
"""Every container's log is rotated: a full disk is the commonest way for a small server to die."""


def run(name: str, image: str, options: Sequence[str], command: Sequence[str] = ()) -> str:
    """Start a container in the background under ``name``."""
    return line("docker", "run", "--detach", "--name", name, *options, *LOGS, image, *command)


def labels(values: Mapping[str, str]) -> tuple[str, ...]:
    """``--label k=v`` for each."""
    return tuple(word for key, value in values.items() for word in ("--label", f"{key}={value}"))


def stop(names: Sequence[str], seconds: float) -> str:
    """SIGTERM, then SIGKILL after ``seconds`` (Docker counts in whole seconds)."""
    return line("docker", "stop", "-t", str(max(1, round(seconds))), *names)


def remove(names: Sequence[str]) -> str:
    """Remove containers, running or not, with their anonymous volumes; absent ones are no error.

    ``docker rm --force`` of a name that isn't there fails on Docker 20.10 and succeeds on later ones.
    """
    return f"{line('docker', 'rm', '--force', '--volumes', *names)} >/dev/null 2>&1 || true"


def logs(name: str, lines: int) -> str:
    """The container's last lines, both of its streams in one."""
    return f"{line('docker', 'logs', '--tail', str(lines), name)} 2>&1"


def names(labels: Mapping[str, str]) -> str:
    """The names of all containers, running or not, that carry every one of these labels."""
    filters = [word for key, value in labels.items() for word in ("--filter", f"label={key}={value}")]
    return line("docker", "ps", "--all", "--format", "{{.Names}}", *filters)


def exposed(image: str) -> str:
    """The image's EXPOSE as one JSON object whose keys are ``3000/tcp``, or null."""
    return line("docker", "image", "inspect", "--format", "{{json .Config.ExposedPorts}}", image)
