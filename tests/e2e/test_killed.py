"""iop killed with SIGKILL at every step of a deploy, and inside of the steps that change most.

Whatever the moment, the old or the new version serves, no request fails, and the next run ends where this one
would have.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from iop.demo.load import Load
from iop.demo.sample import HOST
from iop.disposable.server import DisposableServer
from tests.e2e.conftest import Servers
from tests.e2e.project import Project

LINES = (
    "Using Git SHA",
    "Building web",
    "Shipping web",
    "Starting web",
    "Health checking",
    "Moving aliases",
    "Switching traffic",
    "Probing web",
    "Taking web",
    "Draining web",
    "Stopping web",
)
"""What iop prints when a step has ended, that is when the next one begins."""

EVENTS = (
    "container create",
    "container start",
    "container exec_start",
    "network disconnect",
    "network connect",
    "container kill",
    "container die",
    "container destroy",
)
"""What the server's engine reports in the middle of a step."""

VERSIONS = count(2)


@pytest.fixture(scope="module")
def project(module_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Version 1, deployed."""
    (server,) = module_servers(1, prepared=True)
    project = Project.create(tmp_path_factory.mktemp("work") / "shop", server)
    project.iop().ok()
    return project


@pytest.mark.parametrize("line", LINES)
def test_killed_between_steps(project: Project, line: str) -> None:
    with survives(project):
        iop = project.start()
        assert iop.stdout
        seen = [next((each for each in iop.stdout if line in each), None)]
        iop.kill()
        iop.communicate()
        assert seen != [None], f"iop never printed {line!r}"


@pytest.mark.parametrize("event", EVENTS)
def test_killed_inside_a_step(project: Project, event: str) -> None:
    with survives(project):
        with events(project.server) as reported:
            iop = project.start()
            seen = next((each for each in reported if each.startswith(event)), None)
            iop.kill()
            iop.communicate()
        assert seen is not None, f"the engine never reported {event!r}"


@pytest.mark.parametrize("line", ["Shipping web", "Moving aliases", "Switching traffic", "Taking web"])
def test_the_connection_breaks(project: Project, line: str) -> None:
    """iop lives, but its connection doesn't: it puts nothing back, for it can't know what took effect."""
    with survives(project):
        iop = project.start()
        assert iop.stdout
        assert next((each for each in iop.stdout if line in each), None), f"iop never printed {line!r}"
        project.server.exec("pkill", "--full", "sshd: root@notty")
        said = iop.communicate()[0]
        assert iop.returncode == 1, said
        assert "the connection broke while" in said
        assert "Removing" not in said


def test_killed_while_a_bare_server_is_prepared(servers: Servers, tmp_path: Path) -> None:
    """Again and again, each run a step further than the one before."""
    (server,) = servers(1)
    project = Project.create(tmp_path / "shop", server)
    for line in (
        "Building web",
        "Installing Docker",
        "Creating network",
        "Shipping the proxy",
        "Starting the proxy",
    ):
        iop = project.start()
        assert iop.stdout
        assert next((each for each in iop.stdout if line in each), None), f"iop never printed {line!r}"
        iop.kill()
        iop.communicate()
    project.iop().ok()
    assert project.answer() == (200, "hello from version 1")
    assert project.iop().ok().steps == []


@contextmanager
def survives(project: Project) -> Iterator[None]:
    """Around a killed deploy of a new version: what must hold during it, after it and after the next run."""
    old, version = project.answer()[1], str(next(VERSIONS))
    new = f"hello from version {version}"
    project.sample.version(version)
    with Load(project.server.address, 80, HOST, clients=4, long_clients=2, long_seconds=1.0) as load:
        yield
        assert project.answer()[1] in {old, new}
        project.iop().ok()
        assert project.answer() == (200, new)
        report = load.stop()
    assert not report.failed, report.failed[:5]
    assert set(report.by_body) <= {old, new}
    assert len(project.colors()) == 1
    assert len(project.containers()) == 3
    assert project.iop().ok().steps == []


@contextmanager
def events(server: DisposableServer) -> Iterator[Iterator[str]]:
    """The engine's events as they happen; entered when it listens."""
    form = "{{.Type}} {{.Action}}"
    argv = ("docker", "exec", server.name, "docker", "events", "--since", "0s", "--format", form)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield iter(process.stdout.readline, "")
        finally:
            process.kill()
