"""Thin load and alias move, on the engine of Debian 12 and on that of Debian 13."""

from __future__ import annotations

import json
import re

import fabric
import pytest

from iop import archive
from iop.connection import Server
from iop.demo.load import Load
from iop.demo.sample import HOST
from iop.disposable.bases import base
from iop.disposable.docker import docker
from iop.shipping import ship
from tests.e2e.conftest import Servers
from tests.e2e.project import Project

ENGINES = {"bookworm": "20.10.", "trixie": "26."}


@pytest.fixture(scope="module", params=ENGINES)
def project(
    request: pytest.FixtureRequest, module_servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    (server,) = module_servers(1, release=request.param, prepared=True)
    assert server.exec("docker", "version", "--format", "{{.Server.Version}}").startswith(
        ENGINES[request.param]
    )
    project = Project.create(tmp_path_factory.mktemp("work") / "shop", server)
    project.iop().ok()
    return project


def test_only_the_changed_layer_is_sent(project: Project) -> None:
    release = project.sample.version("thin")
    done = project.iop().ok()
    line = next(line for line in done.out.splitlines() if f"Shipping web {release}" in line)
    sent = re.search(r"· ([0-9.]+) kB sent of a .* image, \d+ of \d+ layers were there", line)
    assert sent, line
    assert float(sent[1]) < 64


def test_a_thin_load_that_fails_is_made_good(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server lacks the base that we believe it has: some engines call that a success."""
    tag = build_image()
    monkeypatch.setattr(archive, "common_prefix", lambda layers, _images: len(layers) - 1)
    config = fabric.Config(runtime_ssh_path=str(project.server.ssh_config))
    with Server(project.server.address, user="root", config=config) as server:
        shipped = ship(server, tag)
    assert shipped.how == "in full, after a thin load failed"
    assert project.server.exec("docker", "run", "--rm", tag, "cat", "/two") == "2"


def build_image() -> str:
    """An image that no server has: two layers on nothing but a shell."""
    tag = "iop-test/unknown:1"
    recipe = f"FROM {base('trixie', print)}\nRUN echo 1 >/one\nRUN echo 2 >/two\n"
    docker("build", "--tag", tag, "-", stdin=recipe.encode())
    return tag


def test_aliases_move_and_open_connections_live_on(project: Project) -> None:
    """The live colour is taken off its network and put back while it answers: nobody notices."""
    network = json.loads(project.server.exec("docker", "network", "inspect", "shop-network"))[0]
    assert network["IPAM"]["Config"][0]["Subnet"]
    (color,) = project.colors()
    with Load(project.server.address, 80, HOST, long_seconds=2.0) as load:
        for _ in range(5):
            before = address(project, color)
            project.hand("app.unalias", color)
            assert "web" not in aliases(project, color)
            project.hand("app.alias", color)
            assert {"web", "shop-web"} <= aliases(project, color)
            assert address(project, color) == before
        report = load.stop()
    assert not report.failed, report.failed[:5]


def address(project: Project, color: str) -> str:
    return str(endpoint(project, color)["IPAddress"])


def aliases(project: Project, color: str) -> set[str]:
    return set(endpoint(project, color)["Aliases"] or ())


def endpoint(project: Project, color: str) -> dict:
    template = '{{json (index .NetworkSettings.Networks "shop-network")}}'
    return json.loads(project.server.exec("docker", "inspect", "--format", template, f"shop-web-{color}"))
