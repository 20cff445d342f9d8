"""Host keys: a new server is written down and announced, a changed key is refused."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from paramiko import HostKeys, MissingHostKeyPolicy, PKey, SSHClient

from iop.console import console
from iop.errors import HostKeyError

__all__ = ["KnownHosts", "changed", "fingerprint"]


class KnownHosts(MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko has no types
    """What ``ssh`` does with ``StrictHostKeyChecking accept-new``, on the same files.

    Paramiko asks a policy only about a host with no key *of that type* in the files, so a key of another type
    on a known host comes here too; that is a change like any other.
    """

    def __init__(self, ssh_config: dict[str, Any]) -> None:
        files = str(ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts")).split()
        self._files = [Path(name).expanduser() for name in files]
        self._strict = str(ssh_config.get("stricthostkeychecking", "accept-new")).lower() == "yes"

    def load_into(self, client: SSHClient) -> None:
        """Read the user's and the system's known_hosts."""
        for path in (*self._files, Path("/etc/ssh/ssh_known_hosts")):
            if path.is_file():
                client.load_system_host_keys(str(path))

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Called by Paramiko when known_hosts has no key of this type for the host."""
        known: HostKeys = client._system_host_keys
        if known.lookup(hostname):
            raise changed(hostname, key, self._files[0])
        if self._strict:
            raise HostKeyError(
                f"{hostname} is not in known_hosts and your ssh config says StrictHostKeyChecking yes",
                f"check its key {fingerprint(key)} and connect once with ssh",
            )
        self._remember(hostname, key)
        console().warn(f"new server {hostname}: key {fingerprint(key)} added to {self._files[0]}")

    def _remember(self, hostname: str, key: PKey) -> None:
        """Append one line; the rest of the file stays as the user has it."""
        path = self._files[0]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            gap = "" if file.read(1) in {b"\n", b""} else "\n"
            file.write(f"{gap}{hostname} {key.get_name()} {key.get_base64()}\n".encode())


def changed(hostname: str, key: PKey, path: Path) -> HostKeyError:
    """The refusal, with the command that forgets the old key."""
    return HostKeyError(
        f"{hostname} shows another host key than the one in known_hosts ({key.get_name()} {fingerprint(key)})",
        f"if you rebuilt this server run: ssh-keygen -f {path} -R '{hostname}'; "
        "if not, somebody may be in between",
    )


def fingerprint(key: PKey) -> str:
    """As ``ssh-keygen -l`` prints it: SHA256 and unpadded base64."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
