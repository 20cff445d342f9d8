"""Shell text that prepares a server."""

from __future__ import annotations

from iop.commands.proxy import NETWORK_LABEL
from iop.commands.shell import ensure, line

__all__ = ["install_docker", "network"]


def install_docker() -> tuple[str, ...]:
    """Docker from the distribution, enabled, running and answering. Debian and Ubuntu."""
    return (
        "export DEBIAN_FRONTEND=noninteractive",
        "if ! command -v docker >/dev/null; then",
        "  if ! command -v apt-get >/dev/null; then",
        "    echo 'no apt-get here: install Docker by hand and run iop again' >&2; exit 1",
        "  fi",
        "  apt-get -qq -o DPkg::Lock::Timeout=120 update >/dev/null",
        "  apt-get -qq -y -o DPkg::Lock::Timeout=120 install docker.io ca-certificates >/dev/null",
        "fi",
        "if command -v systemctl >/dev/null; then systemctl enable --now docker >/dev/null 2>&1; fi",
        "docker version --format '{{.Server.Version}}'",
    )


def network(name: str) -> str:
    """The project's network, with an explicit subnet.

    A container may only ask for its address back (see ``app.alias``) on a network whose subnet was given by
    hand. Docker picks a free one, for a network of another name, which is removed again.
    """
    scratch = line(f"{name}-subnet")
    template = line("{{(index .IPAM.Config 0).Subnet}}")
    create = "\n".join(
        [
            f"docker network rm {scratch} >/dev/null 2>&1 || :",
            f"docker network create {scratch} >/dev/null",
            f"subnet=$(docker network inspect --format {template} {scratch})",
            f"docker network rm {scratch} >/dev/null",
            f'docker network create --subnet "$subnet" --label {NETWORK_LABEL}=1 {line(name)} >/dev/null',
        ]
    )
    return ensure(f"docker network inspect {line(name)}", create)
