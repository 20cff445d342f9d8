"""The Docker engine we start where none runs, in a container that is a machine without an init system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import invoke
import pytest

import iop
from iop.disposable import container
from iop.disposable.bases import python_base, server_image
from iop.disposable.docker import answers, docker
from iop.disposable.engine import local_engine
from iop.disposable.owner import label

MTU = 1300
PROGRAM = """\
import sys
from iop.disposable.docker import answers, docker
from iop.disposable.engine import local_engine

said = []
with local_engine(said.append):
    assert answers()
    assert said == ["starting a Docker engine"], said
    {block}
assert not answers()
"""


@pytest.fixture(scope="module")
def image(engine: None, say: Callable[[str], None]) -> Iterator[str]:
    """Docker and Python, and nothing that starts either."""
    tag = f"iop-test-{uuid4().hex[:12]}"
    python, server = python_base(say), server_image("bookworm", True, say)
    dockerfile = f"FROM {python} AS python\nFROM {server}\nCOPY --from=python / /\n"
    docker("build", "--tag", tag, "-", stdin=dockerfile.encode())
    yield tag
    docker("rmi", "--force", tag)


@pytest.fixture
def machine(image: str) -> Iterator[Callable[[str], str]]:
    """Runs a Python program as root on the machine; its output."""
    name, volume = image, f"{image}-docker"
    docker("volume", "create", *label(), volume)
    docker("network", "create", *label(), "--opt", f"com.docker.network.driver.mtu={MTU}", name)
    options = [*label(), *container.options(), "--network", name, "--volume", f"{volume}:/var/lib/docker"]
    for package in (iop, invoke):
        options += ["--volume", f"{Path(package.__file__).parent}:/lib/python/{package.__name__}:ro"]
    options += ["--env", "PYTHONPATH=/lib/python", "--env", "PYTHONDONTWRITEBYTECODE=1"]
    docker("run", "--detach", "--init", "--name", name, *options, image, "sleep", "600")
    yield lambda program: docker(
        "exec", "--interactive", name, "python3", "-", stdin=program.encode(), timeout=120
    )
    docker("rm", "--force", name)
    docker("volume", "rm", volume)
    docker("network", "rm", name)


def test_one_of_our_own_is_started_and_stopped(machine):
    machine(PROGRAM.format(block="docker('network', 'create', 'one')"))


def test_its_networks_have_the_mtu_of_the_machines_own(machine):
    option = "com.docker.network.driver.mtu"
    block = f"""print(docker("network", "inspect", "-f", '{{{{index .Options "{option}"}}}}', "bridge"))"""
    assert machine(PROGRAM.format(block=block)) == str(MTU)


def test_it_goes_with_the_process_that_started_it_even_a_killed_one(machine):
    owner = PROGRAM.format(block="print('up', flush=True); sys.stdin.read()")
    machine(f"""\
import os, select, sys
from pathlib import Path
from subprocess import PIPE, Popen

owner = Popen([sys.executable, "-c", {owner!r}], stdin=PIPE, stdout=PIPE)
assert owner.stdout.readline() == b"up\\n"
[daemon] = [each.parent.name for each in Path("/proc").glob("[0-9]*/comm") if each.read_text() == "dockerd\\n"]
gone = os.pidfd_open(int(daemon))
owner.kill()
assert select.select([gone], [], [], 60)[0], "dockerd is still there"
""")


def test_one_that_runs_is_used_and_left_alone(engine):
    said = []
    with local_engine(said.append):
        assert answers()
    assert answers()
    assert said == []


def test_without_root_the_message_says_what_to_do(machine):
    program = """\
import os
from iop.disposable.engine import local_engine
from iop.errors import MissingError

os.setuid(65534)
try:
    with local_engine(print):
        print("came up")
except MissingError as error:
    print(error)
"""
    assert machine(program) == (
        "no Docker engine answers, and only root may start one\n"
        "  → start Docker (systemctl start docker) and be in the group docker, or run this as root"
    )
