"""iop init, through the real program, in real folders."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from iop.config import load
from iop.errors import ConfigError
from iop.program import program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "My Shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nEXPOSE 8000\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("iop.console.terminal._current", None)
    return folder


def init(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        program.run(["iop", "init", *words])
    return int(ended.value.code or 0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_it_writes_loads(folder: Path) -> None:
    assert init() == 0
    project = load(folder / "iop.yml")
    assert project.name == "my-shop"
    (app,) = project.apps
    assert app.proxy.app_port == 8000
    assert app.build.context == folder
    assert app.build.dockerfile == folder / "Dockerfile"
    assert app.server == "your-server.example"


def test_every_commented_key_of_the_example_loads_too(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    init()
    config = folder / "iop.yml"
    head, _, rest = config.read_text().partition("\n")
    assert head.startswith("# ")
    config.write_text(re.sub(r"(?m)^( *)# ", r"\1", rest))
    (folder / ".iop" / "secrets").write_text("DATABASE_URL=x\n")
    project = load(config)
    (app,) = project.apps
    assert project.ssh.username == "root"
    assert (app.replicas, app.proxy.hosts, app.proxy.app_port) == (2, ("www.example.com",), 3000)
    assert [name for name, _ in app.environment.secret] == ["DATABASE_URL"]
    assert app.volumes == ("uploads:/app/uploads",)


def test_secrets_are_the_owners_alone_and_ignored(folder: Path) -> None:
    before = os.umask(0)
    try:
        init()
    finally:
        os.umask(before)
    assert mode(folder / ".iop") == 0o700
    assert mode(folder / ".iop" / "secrets") == 0o600
    assert (folder / ".gitignore").read_text() == ".iop/secrets\n"
    assert (folder / ".dockerignore").read_text() == ".iop/secrets\n"


def test_a_second_run_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init()
    (folder / "iop.yml").write_text("mine")
    (folder / ".iop" / "secrets").write_text("MINE=1\n")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert init("--name", "other") == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    out = capsys.readouterr().out
    assert "Kept iop.yml" in out
    assert "Kept .iop/secrets" in out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"build/\n", b"build/\n.iop/secrets\n"),
        (b"build/", b"build/\n.iop/secrets\n"),
        (b"", b".iop/secrets\n"),
        (b".iop/\n", b".iop/\n"),
        (b"build/\r\n/.iop\r\n", b"build/\r\n/.iop\r\n"),
        (b"caf\xe9\n", b"caf\xe9\n.iop/secrets\n"),
        (b"# .iop/secrets\n", b"# .iop/secrets\n.iop/secrets\n"),
    ],
)
def test_gitignore_keeps_what_it_has(folder: Path, before: bytes, after: bytes) -> None:
    (folder / ".gitignore").write_bytes(before)
    init()
    assert (folder / ".gitignore").read_bytes() == after


def test_git_really_ignores_the_secrets(folder: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    init()
    listed = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    ).stdout
    assert "iop.yml" in listed
    assert "secrets" not in listed


def test_name_is_taken_as_given(folder: Path) -> None:
    assert init("--name", "shop", "--non-interactive") == 0
    assert load(folder / "iop.yml").name == "shop"


@pytest.mark.parametrize("name", ["true", "123"])
def test_a_name_that_yaml_would_misread_is_quoted(folder: Path, name: str) -> None:
    assert init("--name", name) == 0
    assert load(folder / "iop.yml").name == name


def test_a_wrong_name_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("--name", "My_Shop") == 2
    err = capsys.readouterr().err
    assert 'got "My_Shop"' in err
    assert "--name my-shop" in err
    assert [path.name for path in folder.iterdir()] == ["Dockerfile"]


def test_a_dockerfile_one_folder_down(folder: Path) -> None:
    (folder / "api").mkdir()
    (folder / "Dockerfile").rename(folder / "api" / "Dockerfile")
    init()
    (app,) = load(folder / "iop.yml").apps
    assert (app.build.context, app.build.dockerfile) == (folder / "api", folder / "api" / "Dockerfile")
    assert app.proxy.app_port == 8000


def test_without_a_dockerfile_it_writes_and_says_what_to_add(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Dockerfile").unlink()
    assert init() == 0
    assert "add a Dockerfile" in capsys.readouterr().out
    with pytest.raises(ConfigError) as refused:
        load(folder / "iop.yml")
    (line,) = str(refused.value).splitlines()
    assert "apps.web.build.dockerfile: there is no file Dockerfile" in line


def test_another_file_by_c(folder: Path) -> None:
    assert init("-c", "staging.yml") == 0
    assert load(folder / "staging.yml").name == "my-shop"
    assert not (folder / "iop.yml").exists()


def test_a_file_where_the_folder_must_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".iop").write_text("")
    assert init() == 1
    assert ".iop can't be written: File exists" in capsys.readouterr().err


def on_terminal(folder: Path, typed: str, *words: str) -> str:
    """Run iop init with a terminal for both input and output; return what the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "iop", "init", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # EIO: the other end is closed, the program ended
        pass
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def test_on_a_terminal_it_asks_until_the_name_is_right(folder: Path) -> None:
    shown = on_terminal(folder, "Not Good\ngood\n")
    assert "Project name [my-shop]: " in shown
    assert 'got "Not Good"' in shown
    assert load(folder / "iop.yml").name == "good"


@pytest.mark.parametrize(
    ("words", "name"), [(("--non-interactive",), "my-shop"), (("--name", "shop"), "shop")]
)
def test_on_a_terminal_it_asks_nothing_when_told(folder: Path, words: tuple[str, ...], name: str) -> None:
    assert "Project name" not in on_terminal(folder, "typed\n", *words)
    assert load(folder / "iop.yml").name == name


def test_an_empty_answer_takes_the_folders_name(folder: Path) -> None:
    on_terminal(folder, "\n")
    assert load(folder / "iop.yml").name == "my-shop"
