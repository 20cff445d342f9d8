"""The release id, from real repositories."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from iop.errors import UsageError
from iop.facts.git import Release, release, require_clean

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def only_our_git_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person's own git configuration must not decide a test."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = T\n\temail = t@example.com\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "iop.yml").write_text("name: demo\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", folder, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_clean_tree_is_the_short_sha(repository: Path) -> None:
    found = release(repository, NOW)
    assert found == Release(git(repository, "rev-parse", "--short", "HEAD"), "git", ())
    require_clean(found)


def test_everything_uncommitted_is_dirty(repository: Path) -> None:
    (repository / "old name").write_text("a file to be renamed\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "second")
    git(repository, "mv", "old name", "nëw name")
    (repository / "iop.yml").write_text("name: other\n")
    (repository / "new.py").write_text("")
    assert set(release(repository, NOW).dirty) == {"nëw name", "iop.yml", "new.py"}


def test_ignored_files_are_not_dirty(repository: Path) -> None:
    (repository / ".gitignore").write_text(".iop/secrets\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "ignore")
    (repository / ".iop").mkdir()
    (repository / ".iop" / "secrets").write_text("A=1\n")
    assert release(repository, NOW).dirty == ()


def test_dirty_refusal_names_ten_paths_and_says_commit_first() -> None:
    dirty = tuple(f"file{number}" for number in range(12))
    with pytest.raises(UsageError, match="commit first") as refused:
        require_clean(Release("a1b2c3d", "git", dirty))
    message = str(refused.value)
    assert refused.value.code == 2
    assert "file9" in message
    assert "file10" not in message
    assert "2 more" in message


def test_dirty_refusal_of_few_paths_has_no_rest() -> None:
    with pytest.raises(UsageError) as refused:
        require_clean(Release("a1b2c3d", "git", ("one",)))
    assert "more" not in str(refused.value)


def test_without_a_repository_it_is_the_utc_time(tmp_path: Path) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    assert release(tmp_path, east) == Release("20261123T101500Z", "time")


def test_without_git_it_is_the_time(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert release(repository, NOW) == Release("20261123T101500Z", "time")


def test_a_folder_below_belongs_to_the_repository(repository: Path) -> None:
    below = repository / "deploy"
    below.mkdir()
    assert release(below, NOW).source == "git"


def test_a_folder_that_the_repository_ignores_does_not_belong_to_it(repository: Path) -> None:
    (repository / ".gitignore").write_text("build/\n")
    below = repository / "build" / "app"
    below.mkdir(parents=True)
    assert release(below, NOW).source == "time"


def test_a_git_hook_does_not_change_the_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = release(repository, NOW)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert release(repository, NOW) == expected


def test_no_commit_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match=r"no commit yet[\s\S]*git commit"):
        release(tmp_path, NOW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_repository_of_another_user(repository: Path) -> None:
    for path in (repository, repository / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(UsageError, match=rf"another user[\s\S]*safe\.directory {repository}"):
        release(repository, NOW)
