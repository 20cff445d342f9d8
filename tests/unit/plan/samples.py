"""A project, and servers in every state a deploy may find them in."""

from pathlib import Path

from attrs import evolve

from iop.config.project import App, AppProxy, Build, Project
from iop.facts.server import Container, Facts, Route
from iop.plan.fingerprint import fingerprint
from iop.plan.route import settings

MACHINE = "0123456789abcdef0123456789abcdef"
HOST = "server.example"
NETWORK = "demo-network"
ALIASES = ("web", "demo-web")
PROXY_IMAGE = "iop/proxy:test"

APP = App(
    name="web",
    server=HOST,
    build=Build(context=Path("/src"), dockerfile=Path("/src/Dockerfile")),
    image="demo/web",
    proxy=AppProxy(hosts=("web.example",), app_port=3000),
)
PROJECT = Project(name="demo", directory=Path("/src"), apps=(APP,))

FRESH = Facts(HOST, "192.0.2.1", "linux/amd64", MACHINE, fresh=True)


def container(color, release="one", *, number=1, replicas=1, aliases=(), app=APP, running=True):
    name = f"demo-web-{color}" + (f"-{number}" if replicas > 1 else "")
    labels = {
        "iop.project": "demo",
        "iop.app": "web",
        "iop.color": color,
        "iop.release": release,
        "iop.replica": str(number),
        "iop.config": fingerprint(app, MACHINE),
    }
    return Container(name, f"demo/web:{release}", running, labels, {NETWORK: aliases})


def route(color, release="one", *, names=None, hosts=("web.example",), app=APP):
    targets = tuple(f"{name}:3000" for name in names or (f"demo-web-{color}",))
    return Route("demo", "web", hosts, targets, color, release, settings(app))


EDGE = Container("iop-edge", PROXY_IMAGE, True, {}, {"bridge": (), NETWORK: ()})
PROXY = Container("iop-proxy", PROXY_IMAGE, True, {}, {})

READY = evolve(
    FRESH,
    fresh=False,
    docker="20.10.24",
    containers=(EDGE, PROXY),
    networks=frozenset({"bridge", NETWORK}),
    images=frozenset({PROXY_IMAGE}),
    routes=(),
)
"""Everything prepared, no app yet."""

BLUE = evolve(
    READY,
    containers=(EDGE, PROXY, container("blue", aliases=ALIASES)),
    images=READY.images | {"demo/web:one"},
    routes=(route("blue"),),
)
"""Release one is live on blue."""
