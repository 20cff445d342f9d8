"""The only module that makes a Fabric Connection: host keys, jump hosts, sudo, timeouts, errors."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import fabric
import paramiko
from paramiko.ssh_exception import NoValidConnectionsError

from iop.channel import Result, exchange
from iop.commands.shell import line
from iop.errors import ConnectError, RemoteError
from iop.hostkeys import KnownHosts, changed

__all__ = ["Server"]

CONNECT_SECONDS = 15
KEEPALIVE_SECONDS = 10
HEARTBEAT_SECONDS = 10
DEAD_MILLISECONDS = 40_000
"""A server that acknowledges nothing for this long is gone (TCP_USER_TIMEOUT, Linux)."""


class Server(fabric.Connection):  # type: ignore[misc]  # fabric has no types
    """A connection to one server, opened at its first use.

    Differs from Fabric's own in what it trusts (known_hosts, see ``hostkeys``) and in how it runs things:
    scripts go in on standard input, so that nothing in them shows in a process list.
    """

    def __init__(self, host: str, **kwargs: Any) -> None:
        kwargs.setdefault("connect_timeout", CONNECT_SECONDS)
        super().__init__(host, **kwargs)
        known = KnownHosts(self.ssh_config)
        known.load_into(self.client)
        self.client.set_missing_host_key_policy(known)
        self._lease: paramiko.Channel | None = None
        if self.ssh_config.get("identitiesonly", "no") == "yes":
            self.connect_kwargs.update(allow_agent=False, look_for_keys=False)

    def get_gateway(self) -> Any:
        """ProxyJump hops as servers of our own kind, so that their keys are checked as well."""
        jump = self.ssh_config.get("proxyjump")
        if not jump or jump == "none":
            return super().get_gateway() if "proxycommand" in self.ssh_config else None
        gateway = None
        for hop in jump.split(","):
            gateway = Server(hop.strip(), config=self.config.clone(), gateway=gateway)
        return gateway

    def open(self) -> Any:
        """Connect, or say in one line why not and what to do. A connection that broke is not made again."""
        if self.is_connected:
            return None
        if self.transport is not None:
            raise self._broken("working on the server")
        with self._explained():
            result = super().open()
        transport: Any = self.transport
        transport.set_keepalive(KEEPALIVE_SECONDS)
        sock = transport.sock
        if isinstance(sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_MILLISECONDS)
        return result

    @property
    def address(self) -> str:
        """The server's address as we reach it; behind a jump host the name we asked for."""
        self.open()
        sock = self.transport.sock
        return str(sock.getpeername()[0]) if isinstance(sock, socket.socket) else str(self.host)

    def script(self, text: str, what: str, *, check: bool = True) -> Result:
        """Run a shell script as root. ``what`` says what it is for, should it fail.

        Raises RemoteError when it ends with another status than 0 and ``check`` is true.
        """
        return self.stream((*self._sudo(), "sh", "-s"), [text.encode()], what, check=check)

    def pipe(self, command: str, chunks: Iterable[bytes], what: str) -> Result:
        """Feed ``chunks`` to a shell command that runs as root. Only for commands without secrets."""
        return self.stream((*self._sudo(), "sh", "-c", command), chunks, what)

    def stream(
        self, argv: tuple[str, ...], chunks: Iterable[bytes], what: str, *, check: bool = True
    ) -> Result:
        """Run ``argv`` with ``chunks`` as standard input, sent as fast as the other side takes them."""
        self.open()
        if self._lease is not None and self._lease.exit_status_ready():
            raise self._broken(what)
        with self._working(what):
            result = exchange(self.create_session(), line(*argv), chunks)
        if result.exited < 0:
            raise self._broken(what)
        if check and result.exited:
            raise self._failed(what, result)
        return result

    @contextmanager
    def session(self, text: str, what: str) -> Iterator[str]:
        """Keep a script running as root for as long as the block lasts; yields the first line it prints.

        It gets a byte every HEARTBEAT_SECONDS and must end by itself when none comes, or its standard input ends.
        Once it has, nothing more is run over this connection. Raises RemoteError when it prints nothing.
        """
        self.open()
        with self._working(what):
            channel = self.create_session()
            channel.exec_command(line(*self._sudo(), "sh", "-s"))
            channel.sendall(text.encode())
            with channel.makefile("r") as output:
                first = output.readline().strip()
            if not first:
                said = channel.makefile_stderr("rb").read().decode(errors="replace")
                raise self._failed(what, Result("", said, channel.recv_exit_status()))
        self._lease, over = channel, Event()
        Thread(target=self._beat, args=(channel, over), daemon=True).start()
        try:
            yield first
        finally:
            over.set()
            self._lease = None
            with suppress(OSError, EOFError, paramiko.SSHException):  # the connection may be gone by now
                channel.shutdown_write()
                channel.recv_exit_status()
                channel.close()

    @staticmethod
    def _beat(channel: paramiko.Channel, over: Event) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            while not over.wait(HEARTBEAT_SECONDS):
                channel.sendall(b".")

    def _broken(self, what: str) -> ConnectError:
        return ConnectError(
            f"{self.original_host}: the connection broke while {what}",
            "the old or the new version serves; run iop again: it goes on from what the server has",
        )

    def _sudo(self) -> tuple[str, ...]:
        return () if self.user == "root" else ("sudo", "-n")

    def _failed(self, what: str, result: Result) -> RemoteError:
        said = (result.stderr.strip() or result.stdout.strip()).splitlines()
        if said and said[-1].startswith("sudo:"):
            return RemoteError(
                f"{self.original_host}: {self.user} may not use sudo without a password",
                f"give it NOPASSWD in /etc/sudoers.d, or set ssh.username: root in iop.yml ({said[-1]})",
            )
        detail = "\n    ".join(said[-5:]) or f"exit status {result.exited}, no output"
        return RemoteError(f"{self.original_host}: {what} failed: {detail}")

    @contextmanager
    def _working(self, what: str) -> Iterator[None]:
        """Whatever SSH says once the connection was there: it broke."""
        try:
            yield
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._broken(what) from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate what Paramiko and the socket say; the one boundary where that is done."""
        where = f"{self.user}@{self.original_host}"
        try:
            yield
        except paramiko.BadHostKeyException as error:
            known = Path(str(self.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts")).split()[0])
            name = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
            raise changed(name, error.key, known.expanduser()) from error
        except paramiko.PasswordRequiredException as error:
            raise ConnectError(
                f"{where}: the private key is encrypted", "unlock it first: ssh-add"
            ) from error
        except paramiko.AuthenticationException as error:
            raise ConnectError(
                f"{where}: the server does not accept this login",
                f"try: ssh -p {self.port} {self.user}@{self.host}; set ssh.username and ssh.key_file in iop.yml",
            ) from error
        except socket.gaierror as error:
            raise ConnectError(
                f"{self.original_host}: no such host ({error.strerror})",
                "check server: in iop.yml, or add a Host alias to your ssh config",
            ) from error
        except (NoValidConnectionsError, TimeoutError, ConnectionError, OSError) as error:
            raise ConnectError(
                f"{where}: can't connect to {self.host} port {self.port}: {_plain(error)}",
                "is the server up, and its SSH port open to this machine?",
            ) from error
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectError(
                f"{where}: SSH failed: {error or 'connection closed'}",
                f"try: ssh -p {self.port} {self.user}@{self.host}",
            ) from error


def _plain(error: BaseException) -> str:
    """An operating system's reason without its number."""
    if isinstance(error, NoValidConnectionsError):
        return _plain(next(iter(error.errors.values())))
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS} s"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
