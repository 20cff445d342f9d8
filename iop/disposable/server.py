"""A disposable Debian server: a container with systemd, sshd and room for a Docker engine of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree

from attrs import frozen

from iop.disposable.boot import booting
from iop.disposable.cache import replaced
from iop.disposable.container import files, options
from iop.disposable.docker import docker
from iop.disposable.keys import KeyPair
from iop.disposable.owner import label

__all__ = ["DisposableServer", "create", "destroy", "write_ssh_config"]


@frozen
class DisposableServer:
    """A running server. Log in as root with ``key_file``, or as ``name`` through ``ssh_config``."""

    name: str
    address: str
    release: str
    folder: Path
    host_key: str
    """The public part, as in known_hosts: ``ssh-ed25519 AAAA…``."""

    @property
    def key_file(self) -> Path:
        """The private key for root (0600)."""
        return self.folder.parent / "login"

    @property
    def ssh_config(self) -> Path:
        """For ``ssh -F``: names every server of this process."""
        return self.folder.parent / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The server's own known_hosts, which ``ssh_config`` names; its key is in it from the start."""
        return self.folder / "known_hosts"

    @property
    def shared(self) -> Path:
        """The server sees it as /run/host, where systemd expects what its container manager has for it."""
        return self.folder / "host"

    def exec(self, *argv: str, stdin: bytes = b"") -> str:
        """Run a command as root on the server, past SSH; its standard output. Raises IopError."""
        return docker("exec", "--interactive", self.name, *argv, stdin=stdin)

    def restart(self) -> None:
        """Shut the server down and boot it again; address and host key stay. Returns when sshd answers."""
        docker("stop", "--time", "30", self.name)
        self._boot()

    def _boot(self) -> None:
        with booting(self.name, self.address, self.shared / "notify"):
            docker("start", self.name)


def create(server: DisposableServer, image: str, network: str, login: KeyPair, host: KeyPair) -> None:
    """Make the server that the value describes and boot it."""
    server.folder.mkdir(mode=0o700)
    server.shared.mkdir()
    server.known_hosts.write_text(f"{server.address} {server.host_key}\n")
    volume = _volume(server.name)
    docker("volume", "create", *label(), volume)
    docker(
        *("create", "--name", server.name, "--hostname", server.name, *label(), *options()),
        *("--network", network, "--ip", server.address),
        *("--volume", f"{volume}:/var/lib/docker", "--volume", f"{server.shared}:/run/host"),
        *("--env", "NOTIFY_SOCKET=/run/host/notify", image),
    )
    docker("cp", "-", f"{server.name}:/", stdin=files(login, host))
    server._boot()


def destroy(servers: Iterable[DisposableServer]) -> None:
    """Remove servers with their volumes; those that are gone already are no error."""
    for server in servers:
        docker("rm", "--force", "--volumes", server.name)
        docker("volume", "rm", "--force", _volume(server.name))
        rmtree(server.folder, ignore_errors=True)


def write_ssh_config(servers: Iterable[DisposableServer], path: Path) -> None:
    """One ``Host`` a server (ssh_config(5)); nothing from the user's own configuration or agent applies."""
    blocks = [
        f"Host {server.name} {server.address}\n"
        f"    HostName {server.address}\n    Port 22\n    User root\n"
        f"    IdentityFile {server.key_file}\n    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {server.known_hosts}\n"
        for server in servers
    ]
    with replaced(path) as part:
        part.write_text("\n".join(blocks))


def _volume(name: str) -> str:
    return f"{name}-docker"
