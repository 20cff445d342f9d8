"""The frozen values that iop.yml and .iop/secrets become. Durations are seconds."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

__all__ = [
    "Acme",
    "App",
    "AppProxy",
    "Build",
    "Environment",
    "HealthCheck",
    "Project",
    "ProxyImage",
    "Secret",
    "Ssh",
]


@frozen(repr=False)
class Secret:
    """A value that never shows itself: its repr and str are redacted; ``reveal()`` is the only way out."""

    _value: str

    def reveal(self) -> str:
        """The value itself. Only for a script that goes to a server on stdin, or a keyed hash."""
        return self._value

    def __repr__(self) -> str:
        return "[secret]"

    __str__ = __repr__


@frozen
class Ssh:
    """How to log in. None means: what the user's ssh config says; for the name, "iop" where it says nothing."""

    username: str | None = None
    port: int | None = None
    key_file: Path | None = None


@frozen
class ProxyImage:
    """Where the proxy image comes from: a ready one (``image``) or a build on ``base_image``."""

    image: str | None = None
    base_image: str = "python:3.13-slim-bookworm"


@frozen
class Acme:
    """The certificate authority."""

    email: str | None = None
    staging: bool = False
    directory: str | None = None


@frozen
class Build:
    """A local build. ``context`` and ``dockerfile`` are absolute; ``args`` are names from the environment."""

    context: Path
    dockerfile: Path
    args: tuple[str, ...] = ()
    target: str | None = None
    platform: str | None = None


@frozen
class AppProxy:
    """What the proxy does for an app. ``app_port`` None: the image's EXPOSE, else 3000."""

    hosts: tuple[str, ...] = ()
    app_port: int | None = None
    ssl: bool = True
    ssl_redirect: bool = True
    hsts: int | None = 5184000
    forward_headers: bool = False
    response_timeout: float = 30.0
    max_body: int | None = None
    balance: str = "round-robin"
    log_query: bool = False
    log_headers: tuple[str, ...] = ()


@frozen
class HealthCheck:
    """When a new replica counts as healthy: a 2xx answer within ``retries`` tries."""

    path: str = "/up"
    interval: float = 1.0
    timeout: float = 5.0
    retries: int = 30
    start_period: float = 0.0


@frozen
class Environment:
    """What the container sees. ``secret`` values are looked up in .iop/secrets when the file is loaded."""

    plain: tuple[tuple[str, str], ...] = ()
    secret: tuple[tuple[str, Secret], ...] = ()


@frozen
class App:
    """One app: built here, run on one server as ``replicas`` containers per colour."""

    name: str
    server: str
    build: Build
    image: str
    replicas: int = 1
    proxy: AppProxy = AppProxy()
    health_check: HealthCheck = HealthCheck()
    drain_timeout: float = 30.0
    stop_timeout: float = 10.0
    environment: Environment = Environment()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str | None = None


@frozen
class Project:
    """All of iop.yml, checked. ``directory`` is the folder it lies in."""

    name: str
    directory: Path
    ssh: Ssh = Ssh()
    proxy: ProxyImage = ProxyImage()
    acme: Acme = Acme()
    keep_releases: int = 5
    apps: tuple[App, ...] = field(default=())
