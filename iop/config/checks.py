"""What no single value shows: clashes between entries, and names and files that must exist.

The checks look at the values as they were written, so that they run, and report, beside the schema's errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from voluptuous import Invalid

from iop.config import docker, files
from iop.config.entries import dig, entries
from iop.config.names import environment_name, plain_variable
from iop.config.network import site_host
from iop.config.problems import Problem
from iop.config.project import Secret
from iop.config.secrets import SECRETS

__all__ = ["check"]

#: The longest label of DNS (RFC 1035, section 2.3.4); containers find one another by name.
_LABEL = 63


def check(data: dict[str, Any], directory: Path, secrets: Mapping[str, Secret] | None) -> Iterator[Problem]:
    """Yield the problems between the keys of ``data``; ``secrets`` None: don't look for missing ones."""
    yield from _names(data)
    yield from _hosts(data)
    for kind in ("apps", "services"):
        for name, entry in entries(data, kind):
            yield from _environment((kind, name), entry, secrets)
            yield from _image((kind, name), entry)
    for name, app in entries(data, "apps"):
        yield from _https(name, app)
    yield from files.check(data, directory)


def _names(data: dict[str, Any]) -> Iterator[Problem]:
    project = dig(data, "name", kind=str) or ""
    both = [(kind, name, entry) for kind in ("apps", "services") for name, entry in entries(data, kind)]
    kinds: dict[str, str] = {}
    for kind, name, entry in both:
        if kinds.setdefault(name, kind) != kind:
            yield Problem((kind, name), f"there is an app called {name} too; rename one")
        replicas = dig(entry, "replicas", kind=int) or 1
        container = f"{project}-{name}-green" + (f"-{replicas}" if replicas > 1 else "")
        if len(container) > _LABEL:
            yield Problem(
                (kind, name),
                f"makes the container name {container}, which is longer than DNS allows ({_LABEL}); "
                "shorten it or the project's name",
            )
    for kind, name, _ in both:
        if name.removeprefix(f"{project}-") != name and name.removeprefix(f"{project}-") in kinds:
            short = name.removeprefix(f"{project}-")
            yield Problem((kind, name), f"is also how {short} is reached on the network; rename one")


def _hosts(data: dict[str, Any]) -> Iterator[Problem]:
    """One server can give a host to one app only; two servers may share one by DNS."""
    owners: dict[tuple[object, str], str] = {}
    for name, app in entries(data, "apps"):
        for position, written in enumerate(dig(app, "proxy", "hosts", kind=list) or ()):
            path = ("apps", name, "proxy", "hosts", position)
            for host in _accepted(site_host, [written]):
                server = str(app.get("server"))
                owner = owners.get((server, host))
                owners.setdefault((server, host), name)
                if owner == name:
                    yield Problem(path, f"{host} is listed twice; keep one")
                elif owner is not None:
                    yield Problem(path, f"{host} belongs to the app {owner} on the same server; keep one")


def _environment(
    path: tuple[str, str], entry: dict[str, Any], secrets: Mapping[str, Secret] | None
) -> Iterator[Problem]:
    plain = dig(entry, "environment", "plain", kind=list) or []
    secret = dig(entry, "environment", "secret", kind=list) or []
    seen: set[str] = set()
    for key, accept, items in (("plain", plain_variable, plain), ("secret", environment_name, secret)):
        for position, item in enumerate(items):
            here = (*path, "environment", key, position)
            for accepted in _accepted(accept, [item]):
                name = accepted if isinstance(accepted, str) else accepted[0]
                if name in seen:
                    yield Problem(here, f"{name} is set twice; keep one")
                seen.add(name)
                if key == "secret" and secrets is not None and name not in secrets:
                    yield Problem(here, f"{name} is not in {SECRETS}; add a line {name}=… there")
    for position, arg in enumerate(_accepted(environment_name, dig(entry, "build", "args", kind=list) or [])):
        if arg in secret:
            yield Problem(
                (*path, "build", "args", position),
                f"{arg} is a secret, and a build arg can be read from the image's history; take it out",
            )
        elif arg not in seen:
            yield Problem(
                (*path, "build", "args", position),
                f"{arg} is not in the environment of {path[1]}; add it there",
            )


def _image(path: tuple[str, str], entry: dict[str, Any]) -> Iterator[Problem]:
    image = dig(entry, "image", kind=str)
    tag = docker.tag_of(image) if image else None
    if path[0] == "services" and image and not tag:
        yield Problem((*path, "image"), f"must name its tag, such as {image}:1.0")
    if path[0] == "apps" and "build" in entry and tag:
        yield Problem(
            (*path, "image"), f"must have no tag when it is built here: the release is the tag; remove {tag}"
        )


def _https(name: str, app: dict[str, Any]) -> Iterator[Problem]:
    if dig(app, "proxy", "ssl") is False:
        for key in ("ssl_redirect", "hsts"):
            if dig(app, "proxy", key):
                yield Problem(
                    ("apps", name, "proxy", key), f"needs HTTPS; remove it or `ssl: false` of {name}"
                )


def _accepted(accept: Any, values: Iterable[object]) -> Iterator[Any]:
    """Yield the values that are right by themselves; the schema reports the others."""
    for value in values:
        try:
            yield accept(value)
        except Invalid:
            continue
