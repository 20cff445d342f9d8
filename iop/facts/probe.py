"""One round trip that returns everything about a server: the script, and the parser of what it prints."""

from __future__ import annotations

import json
from typing import Any

from iop.commands import proxy
from iop.commands.shell import line
from iop.errors import RemoteError
from iop.facts.server import Container, Facts, Route

__all__ = ["parse", "script"]

_MARK = "@@iop "
_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64", "armv7l": "linux/arm/v7"}

# Formats name the fields one by one: a whole `docker inspect` would bring the environment, secrets and all.
_CONTAINER = (
    '{"name":{{json .Name}},"image":{{json .Config.Image}},"running":{{json .State.Running}},'
    '"labels":{{json .Config.Labels}},"networks":{{json .NetworkSettings.Networks}}}'
)


def script() -> str:
    """The probe. It changes nothing and works on a server that has nothing yet."""
    containers = line("docker", "inspect", "--format", _CONTAINER)
    images = line("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    networks = line("docker", "network", "ls", "--format", "{{.Name}}")
    names = f"$({line('docker', 'ps', '--all', '--quiet', '--filter', 'label=iop.project')}) {proxy.EDGE} {proxy.PROXY}"
    return "\n".join(
        [
            "{",
            _section("machine", "uname -m"),
            _section("machine-id", "cat /etc/machine-id"),
            _section("installed", "command -v docker"),
            _section("docker", "docker version --format '{{.Server.Version}}'"),
            "if docker version >/dev/null 2>&1; then",
            _section("containers", f"{containers} {names}"),
            _section("networks", networks),
            _section("images", images),
            _section("attached", f"{proxy.attached()} && echo yes"),
            _section("routes", proxy.admin("GET", "/v1/routes")),
            "fi",
            "} 2>/dev/null",
            "exit 0",
            "",
        ]
    )


def parse(host: str, address: str, output: str) -> Facts:
    """What ``script`` printed, as facts. Raises RemoteError when the server said something else."""
    sections = _sections(output)
    if "machine" not in sections:
        raise RemoteError(
            f"{host}: the probe came back without an answer: {output.strip()[:200]!r}",
            "does the login shell print something or run another program?",
        )
    machine = sections["machine"].strip()
    return Facts(
        host=host,
        address=address,
        platform=_PLATFORMS.get(machine, f"linux/{machine}"),
        machine_id=sections.get("machine-id", "").strip(),
        fresh=not sections.get("installed", "").strip(),
        docker=sections.get("docker", "").strip() or None,
        containers=tuple(_container(each) for each in _lines(sections, "containers")),
        networks=frozenset(sections.get("networks", "").split()),
        images=frozenset(sections.get("images", "").split()),
        attached="yes" in sections.get("attached", ""),
        routes=_routes(sections.get("routes", "")),
    )


def _section(name: str, command: str) -> str:
    return f"printf '\\n%s\\n' '{_MARK}{name}'; {command} || :"


def _sections(output: str) -> dict[str, str]:
    parts = output.split(f"\n{_MARK}")[1:]
    return {name: body for name, _, body in (part.partition("\n") for part in parts)}


def _lines(sections: dict[str, str], name: str) -> list[dict[str, Any]]:
    return [json.loads(each) for each in sections.get(name, "").splitlines() if each.startswith("{")]


def _routes(answer: str) -> tuple[Route, ...] | None:
    """The proxy's routes; None when it did not answer, or refused to."""
    try:
        return tuple(Route.parse(each) for each in json.loads(answer)["routes"])
    except (ValueError, KeyError):
        return None


def _container(data: dict[str, Any]) -> Container:
    return Container(
        name=data["name"].removeprefix("/"),
        image=data["image"],
        running=data["running"],
        labels=data["labels"] or {},
        aliases={name: tuple(each["Aliases"] or ()) for name, each in (data["networks"] or {}).items()},
    )
