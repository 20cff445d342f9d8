"""The deploy lock, held by a real shell."""

import subprocess

import pytest

from iop.commands import lock


@pytest.fixture
def hold(tmp_path, monkeypatch):
    """Start a holder; its standard input stays open, and silent, until the test says otherwise."""
    monkeypatch.setattr(lock, "FOLDER", str(tmp_path))
    monkeypatch.setattr(lock, "DEPLOY", str(tmp_path / "deploy.lock"))
    monkeypatch.setattr(lock, "BUSY", str(tmp_path / "busy.lock"))
    started = []

    def start(who, patience=0, lease=60):
        process = subprocess.Popen(["sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        process.stdin.write(lock.hold(who, patience, 0, lease))
        process.stdin.flush()
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_the_second_is_told_whose_the_first_is(hold):
    assert hold("alice@laptop")[1] == lock.HELD
    assert hold("bob@desk")[1].startswith("alice@laptop since ")


def test_it_ends_with_the_connection(hold):
    holder, _ = hold("alice@laptop")
    holder.stdin.close()
    assert holder.wait() == 0
    assert hold("bob@desk")[1] == lock.HELD


def test_it_ends_by_itself_when_no_heartbeat_comes(hold):
    """The network died with its owner, so that nobody closes the connection."""
    assert hold("alice@laptop", lease=1)[1] == lock.HELD
    assert hold("bob@desk", patience=60)[1] == lock.HELD
