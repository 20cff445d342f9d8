"""The frozen values a probe of one server becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ["Container", "Facts", "Route"]


@frozen
class Container:
    """One of our containers. ``aliases`` maps the network's name to the names it answers to there."""

    name: str
    image: str
    running: bool
    labels: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]


@frozen
class Route:
    """What the proxy sends where, as its admin API tells it."""

    project: str
    app: str
    hosts: tuple[str, ...]
    targets: tuple[str, ...]
    color: str
    release: str
    settings: Mapping[str, Any]
    """The object as it came: what iop.yml can set is in there under the admin API's names."""
    previous: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Route:
        """From the JSON object of ``GET /v1/routes``."""
        return cls(
            project=data["project"],
            app=data["app"],
            hosts=tuple(data["hosts"]),
            targets=tuple(data["targets"]),
            color=data["color"],
            release=data["release"],
            settings=data,
            previous=tuple((data.get("previous") or {}).get("targets", ())),
        )


@frozen
class Facts:
    """All we know about one server.

    ``docker`` is the engine's version, None while none answers; ``fresh`` says that none is installed either.
    ``attached`` says that the proxy is in the network of the edge that runs now.
    ``routes`` is None while the proxy does not answer: then nobody knows which colour is live.
    """

    host: str
    address: str
    platform: str
    machine_id: str
    fresh: bool = False
    docker: str | None = None
    containers: tuple[Container, ...] = ()
    networks: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    attached: bool = True
    routes: tuple[Route, ...] | None = None

    def route(self, project: str, app: str) -> Route | None:
        """The route of one app, if the proxy has it."""
        found = (route for route in self.routes or () if (route.project, route.app) == (project, app))
        return next(found, None)

    def has_image(self, tag: str) -> bool:
        """Whether the engine has an image of this name and tag."""
        return tag in self.images

    def container(self, name: str) -> Container | None:
        """The container of this name, running or not."""
        return next((each for each in self.containers if each.name == name), None)
