"""The servers the other tests stand on are what they claim to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from iop.disposable.docker import docker, exists
from iop.disposable.fleet import remove
from iop.disposable.owner import LABEL, remove_leftovers
from iop.disposable.server import DisposableServer


def ssh(server: DisposableServer, command: str) -> str:
    """Through the front door, with the host key checked."""
    words = ["ssh", "-F", server.ssh_config, "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    done = subprocess.run([*words, server.name, command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_bare_server_is_a_booted_debian_without_docker(servers, release):
    (server,) = servers(release=release)
    assert ssh(server, "systemctl is-system-running") == "running"
    assert ssh(server, "id -un; command -v docker || echo no docker") == "root\nno docker"
    assert f"VERSION_CODENAME={release}" in ssh(server, "cat /etc/os-release")


@pytest.mark.parametrize(("release", "version"), [("bookworm", "20.10."), ("trixie", "26.1.")])
def test_a_prepared_server_runs_containers_in_an_engine_of_its_own(servers, release, version):
    (server,) = servers(release=release, prepared=True)
    assert ssh(server, "docker version --format '{{.Server.Version}}'").startswith(version)
    assert ssh(server, "docker ps --all --quiet; docker images --quiet") == ""
    ssh(server, "tar -c -C / bin lib lib64 usr/bin usr/lib usr/lib64 | docker import - small")
    ssh(server, "docker run -d --name one --publish 8000:8000 small sleep 60")
    assert (
        ssh(server, "docker exec one echo inside; docker inspect -f '{{.State.Running}}' one")
        == "inside\ntrue"
    )


def test_two_servers_differ_in_address_and_host_key_and_reach_each_other(servers):
    one, two = servers(2)
    assert one.address != two.address
    assert one.host_key != two.host_key
    assert ssh(one, "cat /etc/ssh/ssh_host_ed25519_key.pub") == one.host_key
    assert ssh(one, "cat /etc/machine-id") != ssh(two, "cat /etc/machine-id")
    ssh(one, f"timeout 5 bash -c '</dev/tcp/{two.address}/22'")


def test_a_restart_keeps_address_host_key_and_what_is_on_the_disk(servers):
    (server,) = servers()
    ssh(server, "touch /root/kept")
    server.restart()
    assert ssh(server, "ls /root/kept; systemctl is-system-running") == "/root/kept\nrunning"


def test_the_private_key_is_private(servers):
    (server,) = servers()
    assert server.key_file.stat().st_mode & 0o777 == 0o600
    assert server.key_file.parent.stat().st_mode & 0o777 == 0o700


def test_removal_takes_the_volumes_too(servers):
    before = _things()
    (server,) = servers(prepared=True)
    made = _things() - before
    assert {kind for kind, _ in made} >= {"container", "volume"}
    remove([server])
    assert not {(kind, name) for kind, name in _things() - before if kind != "network"}
    assert server.name not in server.ssh_config.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_for_long(engine, number, tmp_path):
    program = (
        "import sys\n"
        "from iop.disposable.fleet import start_servers\n"
        "(server,) = start_servers(1, lambda line: None)\n"
        "print(server.name, server.folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        name, folder = run.stdout.readline().split()
        assert exists("container", name)
        remove_leftovers()
        assert exists("container", name), "its owner still runs"
        os.kill(run.pid, number)
        run.wait()
    if number == signal.SIGKILL:
        assert exists("container", name)
        remove_leftovers()
    assert not exists("container", name)
    assert not exists("volume", f"{name}-docker")
    assert not Path(folder).parent.exists()


def _things() -> set[tuple[str, str]]:
    mine = ("--filter", f"label={LABEL}", "--format")
    return (
        {("container", name) for name in docker("ps", "-a", *mine, "{{.Names}}").split()}
        | {("volume", name) for name in docker("volume", "ls", *mine, "{{.Name}}").split()}
        | {("network", name) for name in docker("network", "ls", *mine, "{{.Name}}").split()}
    )
