from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from twisted.logger import LogEvent, globalLogPublisher

from iopproxy.routing import files
from iopproxy.routing.state import Route, Table, Version
from iopproxy.routing.store import Store

TABLE = Table((Route("demo", "web", ("a.example",), Version(("web-blue:3000",), "blue", "r1")),))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert Store(tmp_path).load() == Table()
    Store(tmp_path).save(TABLE)
    assert Store(tmp_path).load() == TABLE


def test_everything_reaches_the_disk_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content before its name, the name before the answer: a power cut at any moment leaves a whole file."""
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        done.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        done.append(f"rename {self.name} {target.name}")
        return rename(self, target)

    monkeypatch.setattr(files.os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    Store(tmp_path).save(TABLE)
    assert done == ["fsync state.json.new", "rename state.json.new state.json", f"fsync {tmp_path.name}"]


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save(TABLE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(Table())
    assert Store(tmp_path).load() == TABLE


def test_once_renamed_it_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart would read it, so the caller must not be told that nothing changed."""
    said: list[LogEvent] = []
    fsync = os.fsync

    def fail_for_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(5, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", fail_for_folders)
    globalLogPublisher.addObserver(said.append)
    try:
        Store(tmp_path).save(TABLE)
    finally:
        globalLogPublisher.removeObserver(said.append)
    assert Store(tmp_path).load() == TABLE
    assert [each["reason"] for each in said] == ["[Errno 5] Input/output error"]


@pytest.mark.parametrize("leftover", ["file", "link"])
def test_a_leftover_of_a_write_that_was_cut_short(tmp_path: Path, leftover: str) -> None:
    store, new = Store(tmp_path), tmp_path / "state.json.new"
    if leftover == "file":
        new.write_text("half a table")
        new.chmod(0o666)
    else:
        new.symlink_to(tmp_path / "elsewhere")
    store.save(TABLE)
    assert store.load() == TABLE
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_a_file_that_can_not_be_read_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()  # the one kind of it that root can't read either
    with pytest.raises(OSError, match="directory"):
        Store(tmp_path).load()
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Store(tmp_path / "state").save(TABLE)
    finally:
        os.umask(before)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "state.json").stat().st_mode & 0o777 == 0o600
