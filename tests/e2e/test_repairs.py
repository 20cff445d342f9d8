"""What somebody removed or stopped on a server is made again, and nothing that serves is touched for it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Servers
from tests.e2e.project import Project

DAMAGE = {
    "the proxy is removed": "docker rm --force iop-proxy",
    "the proxy is stopped": "docker stop iop-proxy",
    "the edge is removed": "docker rm --force iop-edge",
    "the edge is stopped": "docker stop iop-edge",
    "the edge was restarted": "docker restart iop-edge",
    "both are removed": "docker rm --force iop-proxy iop-edge",
    "the app is off its network": "docker network disconnect shop-network $(docker ps -qf label=iop.project=shop)",
    "Docker is stopped": "systemctl stop docker docker.socket",
    "the image is removed": "docker image rm --force $(docker image ls shop/web --format '{{.Repository}}:{{.Tag}}')",
}


@pytest.fixture(scope="module")
def project(module_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Deployed, beside a project of somebody else's."""
    (server,) = module_servers(1, prepared=True)
    other = Project.create(
        tmp_path_factory.mktemp("other") / "blog", server, proxy={"hosts": ["blog.example"], "app_port": 3000}
    )
    config = other.sample.folder / "iop.yml"
    config.write_text(config.read_text().replace("name: shop", "name: blog"))
    other.sample.commit("a project of its own")
    other.iop().ok()
    project = Project.create(tmp_path_factory.mktemp("work") / "shop", server)
    project.iop().ok()
    return project


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_the_next_run_repairs_it(project: Project, damage: str) -> None:
    """In one run; the app's container lives on, and so does the other project."""
    apps = {line for line in project.started() if "web" in line}
    answer = project.answer()
    project.server.exec("sh", "-c", damage)
    project.iop().ok()
    assert project.answer() == answer
    assert project.answer(host="blog.example")[0] == 200
    if "systemctl" not in damage:
        assert {line.split()[0] for line in apps} <= {line.split()[0] for line in project.started()}
    assert project.iop().ok().steps == []


def test_a_bad_version_on_a_server_without_its_proxy_costs_nothing(project: Project) -> None:
    """The app is not taken for a leftover because nobody can say that it is live."""
    answer = project.answer()
    project.server.exec("docker", "rm", "--force", "iop-proxy")
    project.configure(command=["python3", "-c", "raise SystemExit('broken')"])
    project.sample.commit("broken")
    assert project.iop().code == 1
    assert project.answer() == answer
    project.configure()
    project.sample.commit("mended")
    project.iop().ok()


def test_a_reboot_brings_everything_back(project: Project) -> None:
    """Also when Docker starts the proxy too early, which it does now and then: here it leaves that to the unit."""
    project.server.exec("docker", "update", "--restart", "no", "iop-proxy")
    project.server.restart()
    project.await_answer()
    project.server.exec("docker", "update", "--restart", "always", "iop-proxy")
    assert project.iop().ok().steps == []


def test_a_host_of_somebody_else_is_refused_before_anything_starts(project: Project) -> None:
    before = project.started()
    project.configure(proxy={"hosts": ["blog.example"], "app_port": 3000})
    project.sample.commit("greedy")
    done = project.iop()
    project.configure()
    project.sample.commit("modest")
    assert done.code == 2
    assert "blog.example is the host of app web of project blog" in done.err
    assert project.started() == before


def test_a_taken_port_is_named(servers: Servers, project: Project) -> None:
    (server,) = servers(1, prepared=True)
    server.exec(
        "systemd-run",
        "--quiet",
        "sh",
        "-c",
        "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 1); sleep'",
    )
    there = Project(project.sample, server)
    there.configure()
    project.sample.commit("elsewhere")
    done = there.iop()
    project.configure()
    project.sample.commit("and back")
    assert done.code == 1
    assert "another program has port 80" in done.err
    assert len(done.err[done.err.index("error: ") :].strip().splitlines()) == 2
