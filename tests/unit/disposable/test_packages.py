"""What this machine lacks is installed, or named."""

from __future__ import annotations

import os

import pytest

from iop.disposable import packages
from iop.errors import MissingError


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A PATH with nothing on it but an apt-get that writes down how it was called; (os-release, calls)."""
    calls = tmp_path / "calls"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    apt.chmod(0o755)
    monkeypatch.setattr(packages, "system_path", lambda: str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(packages, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    return tmp_path / "os-release", calls


def install() -> None:
    needed = {"dockerd": "docker.io", "apt-get": "apt", "/etc/nothing/of/this/name": "somefile"}
    packages.install(needed, lambda line: None, "the demo")


def test_only_what_is_missing_is_installed(machine):
    install()
    assert machine[1].read_text().splitlines() == [
        "update -q",
        "install -y -q --no-install-recommends docker.io somefile",
    ]


def test_nothing_is_run_when_nothing_is_missing(machine):
    packages.install({"apt-get": "apt"}, lambda line: None, "the demo")
    assert not machine[1].exists()


def test_derivatives_count_as_debian(machine):
    machine[0].write_text('ID=mint\nID_LIKE="ubuntu debian"\n')
    install()


def test_elsewhere_the_message_names_what_is_missing(machine):
    machine[0].write_text("ID=fedora\n")
    with pytest.raises(MissingError) as error:
        install()
    assert str(error.value) == (
        "the demo needs dockerd and /etc/nothing/of/this/name, which this machine lacks\n"
        "  → install them by hand: only Debian and Ubuntu are known here"
    )


def test_without_root_the_message_is_the_command_to_run(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError) as error:
        install()
    assert str(error.value).endswith("→ run as root: apt-get install docker.io somefile")
