"""Every name iop gives to a thing on a server."""

from __future__ import annotations

from ipaddress import ip_address

from iop.config.project import App, Project

__all__ = ["COLORS", "aliases", "containers", "hosts", "image", "network", "other", "targets", "volume"]

COLORS = ("blue", "green")
DEFAULT_PORT = 3000
DIRECTORY = "/var/lib/iop"


def other(color: str | None) -> str:
    """The colour that comes after ``color``; the first one of all is blue."""
    return "green" if color == "blue" else "blue"


def network(project: Project) -> str:
    """The network that a project's containers and the proxy's edge share on each server."""
    return f"{project.name}-network"


def image(app: App, release: str) -> str:
    """The app's image with the release as its tag."""
    return f"{app.image}:{release}"


def containers(project: Project, app: App, color: str) -> tuple[str, ...]:
    """The replicas of one colour; the number is left out when there is but one."""
    base = f"{project.name}-{app.name}-{color}"
    return (base,) if app.replicas == 1 else tuple(f"{base}-{n}" for n in range(1, app.replicas + 1))


def aliases(project: Project, app: App) -> tuple[str, ...]:
    """The names under which the project's other containers reach the app, whichever colour is live."""
    return (app.name, f"{project.name}-{app.name}")


def targets(project: Project, app: App, color: str, port: int) -> tuple[str, ...]:
    """What the proxy is told to send requests to."""
    return tuple(f"{name}:{port}" for name in containers(project, app, color))


def hosts(project: Project, app: App, address: str) -> tuple[str, ...]:
    """The app's domains; without any, one under sslip.io, which resolves to the address it contains."""
    if app.proxy.hosts:
        return app.proxy.hosts
    return (f"{project.name}-{app.name}.{_dashed(address)}.sslip.io",)


def _dashed(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6:
        # sslip.io writes :: as --; a label may not begin or end with a dash, so zeros are spelled out there.
        text = parsed.compressed.replace(":", "-")
        return f"{'0' if text.startswith('-') else ''}{text}{'0' if text.endswith('-') else ''}"
    return str(parsed).replace(".", "-")


def volume(project: Project, spec: str) -> str:
    """A volume as Docker takes it: ``./x`` lies under the project's directory on the server."""
    source, colon, rest = spec.partition(":")
    if source == "." or source.startswith("./"):
        source = f"{DIRECTORY}/{project.name}/{source.removeprefix('.').removeprefix('/')}".rstrip("/")
    return f"{source}{colon}{rest}"
