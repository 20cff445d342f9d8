"""One server through its life: bare, deployed, deployed again and again under load, and failed deploys between."""

from __future__ import annotations

import getpass
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import fabric
import pytest
import yaml
from attrs import frozen

from iop.connection import Server
from iop.demo.load import Load
from iop.demo.sample import HOST
from iop.disposable.server import DisposableServer
from iop.lock import locked
from tests.e2e.conftest import Servers
from tests.e2e.project import Done, Project

DEPLOYS = 5
KEPT = {"iop-edge", "iop-proxy"}


@frozen
class Deployed:
    project: Project
    first: Done


@pytest.fixture(scope="module")
def deployed(module_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A bare server, after its first deploy."""
    (server,) = module_servers(1)
    project = Project.create(tmp_path_factory.mktemp("work") / "shop", server)
    return Deployed(project, project.iop().ok())


@pytest.fixture
def project(deployed: Deployed) -> Project:
    """The project, put right again where the test before broke it."""
    deployed.project.configure()
    return deployed.project


def test_a_bare_server_serves_the_app_after_one_command(deployed: Deployed) -> None:
    assert deployed.first.steps[:4] == [
        "Building the proxy",
        f"Building web {deployed.project.sample.git('rev-parse', '--short', 'HEAD')}",
        "Installing Docker",
        "Creating network shop-network",
    ]
    assert deployed.first.out.splitlines()[-1].split() == ["web", f"http://{HOST}"]
    assert deployed.project.answer() == (200, "hello from version 1")
    assert deployed.project.containers() == {*KEPT, "shop-web-blue"}


def test_a_second_run_changes_nothing_and_says_so(project: Project) -> None:
    before = project.started()
    done = project.iop().ok()
    assert done.steps == []
    assert "Nothing to do" in done.out
    assert project.started() == before
    assert "Nothing to do" in project.iop("plan").ok().out


def test_many_deploys_in_a_row_fail_no_request(project: Project) -> None:
    """Keep-alive clients and five-second requests, all the while: no request fails, none is of a third version."""
    files = project.listing()
    live = project.answer()[1]
    colors = project.colors()
    ended: list[float] = []
    with Load(project.server.address, 80, HOST) as load:
        for number in range(DEPLOYS):
            project.sample.version(f"load-{number}")
            project.iop().ok()
            ended.append(time.monotonic())
            assert project.answer() == (200, f"hello from version load-{number}")
        report = load.stop()
    assert not report.failed, report.failed[:5]
    expected = {live, *(f"hello from version load-{number}" for number in range(DEPLOYS))}
    assert set(report.by_body) == expected
    assert report.requests > 100 * DEPLOYS
    for number in range(1, DEPLOYS):
        assert report.by_body[f"hello from version load-{number - 1}"].last < ended[number]
    assert len(project.colors()) == 1
    assert (project.colors() == colors) == (DEPLOYS % 2 == 0)
    assert project.containers() == {*KEPT, *(f"shop-web-{color}" for color in project.colors())}
    assert project.listing() == files


def test_the_app_is_reachable_under_its_aliases(project: Project) -> None:
    """From a container of the project, as another app would."""
    code = "import urllib.request as r; print(r.urlopen('http://%s:3000/').read().decode().strip())"
    image = project.server.exec(
        "docker", "inspect", "--format", "{{.Config.Image}}", f"shop-web-{_live(project)}"
    )
    for alias in ("web", "shop-web"):
        said = project.server.exec(
            *("docker", "run", "--rm", "--network", "shop-network", image, "python3", "-c", code % alias)
        )
        assert said == project.answer()[1]


def test_an_unhealthy_version_leaves_the_old_one_serving(project: Project) -> None:
    live, containers = project.answer(), project.containers()
    project.configure(
        environment={"plain": [*_plain(project), "BROKEN=1"]},
        health_check={"retries": 3, "interval": "200ms"},
    )
    project.sample.version("sick")
    with Load(project.server.address, 80, HOST) as load:
        done = project.iop()
        report = load.stop()
    assert done.code == 1
    assert "is not healthy" in done.err
    assert "answered 503" in done.err
    assert "version sick listens on port 3000" in done.err  # its own last lines
    assert "Traceback" not in done.out + done.err
    assert not report.failed, report.failed[:5]
    assert (project.answer(), project.containers()) == (live, containers)


def test_a_version_that_dies_at_once_is_reported_as_such(project: Project) -> None:
    live, containers = project.answer(), project.containers()
    project.configure(command=["python3", "-c", "raise SystemExit('no database')"])
    project.sample.commit("dies")
    done = project.iop()
    assert done.code == 1
    assert "exit" in done.err
    assert "no database" in done.err
    assert (project.answer(), project.containers()) == (live, containers)


def test_a_version_that_fails_behind_the_proxy_is_switched_back(project: Project) -> None:
    """Healthy when asked directly, but not as the public asks: the proxy sends requests to the old one again."""
    live, containers = project.answer(), project.containers()
    source = project.sample.folder / "app.py"
    good = source.read_text()
    check = 'broken = bool(self.headers.get("X-Forwarded-For"))'
    source.write_text(good.replace('broken = bool(os.environ.get("BROKEN"))', check))
    project.sample.version("behind")
    assert check in source.read_text()
    with Load(project.server.address, 80, HOST) as load:
        done = project.iop()
        report = load.stop()
    source.write_text(good)
    project.sample.commit("good again")
    assert done.code == 1
    assert "not through the proxy: answered 503" in done.err
    assert not report.failed, report.failed[:5]
    assert set(report.by_body) == {live[1], "hello from version behind"}
    assert (project.answer(), project.containers()) == (live, containers)


def test_a_failed_build_touches_no_server(project: Project) -> None:
    live, containers = project.answer(), project.containers()
    dockerfile = project.sample.folder / "Dockerfile"
    good = dockerfile.read_text()
    dockerfile.write_text(good + "RUN echo it breaks here && false\n")
    project.sample.commit("broken")
    before = _local_containers()
    done = project.iop()
    assert _local_containers() == before
    dockerfile.write_text(good)
    project.sample.commit("mended")
    assert done.code == 1
    assert "it breaks here" in done.err
    assert "Traceback" not in done.err
    assert (project.answer(), project.containers()) == (live, containers)


def test_more_replicas_and_a_secret(project: Project) -> None:
    """Every replica is routed to; the secret is in the containers, and in no process list, file or output."""
    secrets = project.sample.folder / ".iop" / "secrets"
    secrets.parent.mkdir(exist_ok=True)
    secrets.touch(0o600)
    secrets.write_text('TOKEN="line one\nhunter2 $HOME \'"\n')
    project.configure(replicas=2, environment={"plain": _plain(project), "secret": ["TOKEN"]})
    project.sample.version("doubled")
    with process_lists(project.server) as seen:
        done = project.iop("--verbose").ok()
    color = _live(project)
    replicas = {f"shop-web-{color}-1", f"shop-web-{color}-2"}
    assert project.containers() == {*KEPT, *replicas}
    for name in replicas:
        assert project.server.exec("docker", "exec", name, "printenv", "TOKEN") == "line one\nhunter2 $HOME '"
    assert project.targets() == {f"{name}:3000" for name in replicas}
    assert project.answer() == (200, "hello from version doubled")
    assert b"docker\0run\0" in seen
    assert b"hunter2" not in seen
    assert "hunter2" not in done.out + done.err
    excluded = [f"--exclude-dir={folder}" for folder in ("proc", "sys", "docker", "containerd")]
    assert (
        project.server.exec("sh", "-c", f"grep -rl {' '.join(excluded)} hunter[2] / 2>/dev/null || :") == ""
    )


@contextmanager
def process_lists(server: DisposableServer) -> Iterator[bytearray]:
    """Every command line on the server, over and over, while the block lasts."""
    look = "while echo; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"
    seen = bytearray()
    with subprocess.Popen(
        ("docker", "exec", server.name, "sh", "-c", look), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        reading = Thread(target=lambda: seen.extend(process.stdout.read()))
        reading.start()
        yield seen
        process.kill()
        reading.join()


def test_one_deploy_at_a_time(project: Project) -> None:
    """The second one is told whose the first is; when that has ended, however it did, the next may begin."""
    project.sample.commit("at a time")
    config = fabric.Config(runtime_ssh_path=str(project.server.ssh_config))
    with Server(project.server.address, user="root", config=config) as server:
        with locked(server):
            done = project.iop()
        assert done.code == 1
        assert f"another deploy is at work there: {getpass.getuser()}@{platform.node()}, process" in done.err
        with locked(server):
            server.close()  # as the system does for a process that dies
    project.iop().ok()


def test_a_dirty_tree_is_not_deployed(project: Project) -> None:
    (project.sample.folder / "new.txt").write_text("not committed")
    done = project.iop()
    (project.sample.folder / "new.txt").unlink()
    assert done.code == 2
    assert "new.txt" in done.err
    assert "commit" in done.err


def _plain(project: Project) -> list[str]:
    return [line for line in _entry(project)["environment"]["plain"] if line.startswith("BASE=")]


def _entry(project: Project) -> dict:
    return yaml.safe_load((project.sample.folder / "iop.yml").read_text())["apps"]["web"]


def _live(project: Project) -> str:
    (name, *_) = sorted(name for name in project.containers() if name.startswith("shop-web-"))
    return name.split("-")[2]


def _local_containers() -> set[str]:
    listed = subprocess.run(("docker", "ps", "--all", "--quiet"), capture_output=True, text=True, check=True)
    return set(listed.stdout.split())
