"""What is kept between runs is whole or not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from iop.disposable import cache


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("IOP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_is_made(folder):
    assert cache.folder() == folder
    assert folder.is_dir()


def test_without_the_variable_it_lies_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("IOP_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "iop"


def test_a_file_appears_when_it_is_whole():
    path = cache.folder() / "result"
    path.write_text("old")
    with cache.replaced(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_nothing():
    path = cache.folder() / "result"
    with pytest.raises(KeyboardInterrupt), cache.replaced(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []


def test_what_one_process_makes_another_waits_for(folder):
    program = "from iop.disposable import cache\nwith cache.locked('it'):\n    print('got it', flush=True)"
    with cache.locked("it"):
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
    assert other.communicate()[0] == b"got it\n"
