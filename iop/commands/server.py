"""Shell text that prepares a server."""

from __future__ import annotations

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
    hand, so Docker picks a free one first and the network is made again with that.
    """
    quoted = line(name)
    template = line("{{(index .IPAM.Config 0).Subnet}}")
    create = "\n".join(
        [
            f"docker network create {quoted} >/dev/null",
            f"subnet=$(docker network inspect --format {template} {quoted})",
            f"docker network rm {quoted} >/dev/null",
            f'docker network create --subnet "$subnet" --label iop.network=1 {quoted} >/dev/null',
        ]
    )
    return ensure(f"docker network inspect {quoted}", create)
