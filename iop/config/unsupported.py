"""What iop.yml can say and this version can't do. A key that comes true loses its lines here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iop.config.docker import fixed_host_port
from iop.config.entries import dig, entries
from iop.config.problems import Problem

__all__ = ["check"]


def check(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what this version would otherwise have to ignore."""
    for name, _ in entries(data, "services"):
        yield Problem(("services", name), "services aren't supported yet; remove it and run it beside iop")
    for key in dig(data, "docker", kind=dict) or {}:
        yield Problem(("docker", key), "private registries aren't supported yet; remove it")
    for name, app in entries(data, "apps"):
        path = ("apps", name)
        if app.get("strategy") == "rolling":
            yield Problem((*path, "strategy"), "rolling isn't supported yet; remove it to deploy blue-green")
        if "image" in app and "build" not in app:
            yield Problem((*path, "image"), "an app from a ready image isn't supported yet; add `build`")
        if isinstance(dig(app, "proxy", "ssl"), dict):
            yield Problem(
                (*path, "proxy", "ssl"), "own certificates aren't supported yet; write true or false"
            )
        if "registry" in app:
            yield Problem((*path, "registry"), "private registries aren't supported yet; remove it")
        for position, port in enumerate(dig(app, "ports", kind=list) or ()):
            if fixed := fixed_host_port(port):
                yield Problem(
                    (*path, "ports", position),
                    f"both colours would need the server's port {fixed} at once, which isn't supported yet; "
                    "use proxy.hosts, or publish the inner port alone",
                )
