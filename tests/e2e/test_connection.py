"""What a run says when it can't get in: one or two lines that name the server and the remedy."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from iop.disposable.keys import KeyPair
from tests.e2e.conftest import Servers
from tests.e2e.project import Done, Project


@pytest.fixture(scope="module")
def project(module_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Project:
    (server,) = module_servers(1)
    return Project.create(tmp_path_factory.mktemp("work") / "shop", server)


def ssh_config(project: Project, path: Path, *lines: str, key: Path | None = None) -> Path:
    server = project.server
    path.write_text(
        "\n".join(
            [
                f"Host {server.address} elsewhere",
                *lines,
                "User root",
                "IdentitiesOnly yes",
                f"IdentityFile {key or server.key_file}",
                "",
            ]
        )
    )
    return path


def refused(done: Done) -> str:
    assert done.code == 1, done.out + done.err
    assert "Traceback" not in done.out + done.err
    errors = done.err[done.err.index("error: ") :]
    assert len(errors.strip().splitlines()) <= 2
    return errors


def test_a_new_server_is_announced_and_remembered(project: Project, tmp_path: Path) -> None:
    known = tmp_path / "ssh" / "known_hosts"
    config = ssh_config(project, tmp_path / "config", f"UserKnownHostsFile {known}")
    first = project.iop("plan", ssh_config=config).ok()
    assert f"new server {project.server.address}" in first.err
    assert known.read_text().split()[:2] == [project.server.address, "ssh-ed25519"]
    assert known.stat().st_mode & 0o777 == 0o600
    assert "new server" not in project.iop("plan", ssh_config=config).ok().err


def test_a_changed_host_key_is_refused(project: Project, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    other = KeyPair.generate().public
    known.write_text(f"{project.server.address} {other}\n")
    config = ssh_config(project, tmp_path / "config", f"UserKnownHostsFile {known}")
    said = refused(project.iop("plan", ssh_config=config))
    assert "another host key" in said
    assert f"ssh-keygen -f {known} -R" in said
    assert known.read_text().count("\n") == 1


def test_a_key_of_another_type_is_a_changed_key(project: Project, tmp_path: Path) -> None:
    """Whoever sits in between has no ed25519 key that we know, so offers one of another type."""
    known = tmp_path / "known_hosts"
    known.write_text(
        f"{project.server.address} ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB"
        "EmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=\n"
    )
    config = ssh_config(project, tmp_path / "config", f"UserKnownHostsFile {known}")
    assert "another host key" in refused(project.iop("plan", ssh_config=config))


def test_strict_checking_refuses_a_new_server(project: Project, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    lines = (f"UserKnownHostsFile {known}", "StrictHostKeyChecking yes")
    said = refused(project.iop("plan", ssh_config=ssh_config(project, tmp_path / "config", *lines)))
    assert "is not in known_hosts" in said
    assert not known.exists()


def test_a_wrong_key(project: Project, tmp_path: Path) -> None:
    key = tmp_path / "key"
    KeyPair.generate().save(key)
    known = f"UserKnownHostsFile {project.server.known_hosts}"
    config = ssh_config(project, tmp_path / "config", known, key=key)
    said = refused(project.iop(ssh_config=config))
    assert "does not accept this login" in said
    assert f"root@{project.server.address}" in said


@pytest.mark.parametrize("sudo", [True, False])
def test_a_user_who_may_or_may_not_use_sudo(project: Project, tmp_path: Path, sudo: bool) -> None:
    server, name = project.server, "deployer" if sudo else "visitor"
    server.exec("useradd", "--create-home", "--shell", "/bin/sh", name)
    server.exec("cp", "-r", "/root/.ssh", f"/home/{name}/.ssh")
    server.exec("chown", "-R", f"{name}:", f"/home/{name}/.ssh")
    if sudo:
        server.exec("sh", "-c", f"echo '{name} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{name}")
    config = project.sample.folder / "iop.yml"
    config.write_text(config.read_text().replace("username: root", f"username: {name}"))
    done = project.iop("plan")
    project.configure()
    if sudo:
        assert "Installing Docker" in done.ok().out
    else:
        config.write_text(config.read_text().replace("username: root", f"username: {name}"))
        project.sample.commit("as a visitor")
        deployed = project.iop()
        project.configure()
        project.sample.commit("as root")
        assert refused(deployed) == refused(done)
        said = refused(done)
        assert f"{name} may not use sudo without a password" in said
        assert "NOPASSWD" in said


def test_a_server_that_is_down(project: Project, tmp_path: Path) -> None:
    """A port of this machine that was free a moment ago and that nobody listens on."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    config = ssh_config(project, tmp_path / "config", "HostName 127.0.0.1", f"Port {port}")
    said = refused(project.iop(ssh_config=config))
    assert f"can't connect to 127.0.0.1 port {port}: connection refused" in said


def test_a_server_that_does_not_exist(project: Project, tmp_path: Path) -> None:
    config = ssh_config(project, tmp_path / "config", "HostName does-not-exist.invalid")
    assert "no such host" in refused(project.iop(ssh_config=config))


def test_a_jump_host_is_used_and_its_key_checked(
    project: Project, module_servers: Servers, tmp_path: Path
) -> None:
    (jump,) = module_servers(1)
    known = tmp_path / "known_hosts"
    config = ssh_config(
        project, tmp_path / "config", f"UserKnownHostsFile {known}", f"ProxyJump {jump.address}"
    )
    config.write_text(
        config.read_text()
        + f"Host {jump.address}\nUser root\nIdentitiesOnly yes\nIdentityFile {jump.key_file}\n"
        + f"UserKnownHostsFile {known}\n"
    )
    assert f"new server {jump.address}" in project.iop("plan", ssh_config=config).ok().err
    assert {line.split()[0] for line in known.read_text().splitlines()} == {
        jump.address,
        project.server.address,
    }
