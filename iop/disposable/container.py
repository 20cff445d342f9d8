"""How a container becomes a server with an init system and a Docker engine of its own."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from iop.disposable.docker import docker
from iop.disposable.keys import KeyPair

__all__ = ["files", "options"]

_CAP_SYS_RESOURCE = 24
_MEMORY = ("--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec")  # noqa: S108  the server's
_UNCONFINED = ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined")


def options() -> tuple[str, ...]:
    """Options of ``docker create`` that fit this machine's control groups and capabilities."""
    return (*_rights(), *_control_groups(), *_MEMORY)


def files(login: KeyPair, host: KeyPair) -> bytes:
    """A tar archive for ``docker cp - SERVER:/``: root's authorized key, and the server's own host key."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, mode, content in (
            ("root/.ssh", 0o700, None),
            ("root/.ssh/authorized_keys", 0o600, f"{login.public}\n".encode()),
            ("etc/ssh/ssh_host_ed25519_key", 0o600, host.private),
            ("etc/ssh/ssh_host_ed25519_key.pub", 0o644, f"{host.public}\n".encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            entry.size = len(content or b"")
            tar.addfile(entry, io.BytesIO(content or b""))
    return archive.getvalue()


def _rights() -> tuple[str, ...]:
    if _may(_CAP_SYS_RESOURCE):
        return ("--privileged",)
    # --privileged asks for every capability there is, and fails where the machine itself lacks one.
    unconfined = tuple(word for value in _UNCONFINED for word in ("--security-opt", value))
    return ("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", *unconfined)


def _control_groups() -> tuple[str, ...]:
    if docker("info", "--format", "{{.CgroupVersion}}") == "2":
        return ("--cgroupns", "private")  # the server's systemd sees a tree of its own
    return ("--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup")


def _may(capability: int) -> bool:
    """Whether this machine's bounding set, an upper limit for its containers too, has the capability."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False
