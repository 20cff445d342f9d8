"""Every error a person can meet. The message says what failed, where, and what to do next."""

from invoke.exceptions import Exit


class IopError(Exit):
    """Something failed; nothing more is done.

    ``what`` names the failure and the place in one line, ``remedy`` the next thing to do.
    Derived from Invoke's ``Exit`` so that ``Program`` ends with exit code 1 and no traceback.
    """

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(message=f"{what}\n  → {remedy}" if remedy else what, code=self.exit_code)

    def __str__(self) -> str:
        return str(self.message)


class UsageError(IopError):
    """The command line is wrong; exit code 2."""

    exit_code = 2


class ConfigError(IopError):
    """iop.yml or .iop/secrets can't be used. The message holds every problem of the file, one a line."""


class BuildError(IopError):
    """An image could not be built on this machine."""


class ConnectError(IopError):
    """A server could not be reached, or would not let us in."""


class HostKeyError(ConnectError):
    """The server showed another key than the one in known_hosts."""


class LockError(IopError):
    """Another deploy is at work on the server."""


class RemoteError(IopError):
    """A command failed on a server."""


class ShipError(IopError):
    """An image did not arrive whole on a server."""


class HealthError(IopError):
    """A new version did not become healthy; the old one still serves."""


class ProxyError(IopError):
    """The proxy's admin API refused or did not answer."""


class MissingError(IopError):
    """This machine lacks something (Docker, root, Debian) that the command needs."""
