"""An owner is a process, told from any later one that gets its number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from iop.disposable import owner


def test_this_process_runs():
    assert owner.runs(owner.me())


def test_a_process_that_has_ended_does_not():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = f"{process.pid}-{owner.started(process.pid)}"
        assert owner.runs(name)
    assert not owner.runs(name)


@pytest.mark.parametrize("name", [f"{os.getpid()}-1", f"{os.getpid()}", "", "-", "None", "0-None", "x-1"])
def test_another_process_of_the_same_number_or_nonsense_is_not_running(name):
    assert not owner.runs(name)


def test_the_folder_is_private_and_named_after_its_owner(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = owner.private_folder()
    assert folder.parent == tmp_path
    assert folder.name.endswith(owner.me())
    assert folder.stat().st_mode & 0o777 == 0o700
