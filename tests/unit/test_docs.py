"""What the documentation shows is true: its configurations load and its commands are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from iop import __version__
from iop.config import load
from iop.config.names import COMMANDS
from iop.config.project import Secret
from iop.config.schema import SCHEMA
from iop.config.secrets import parse
from iop.errors import ConfigError
from iop.program import Config, Program, program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

#: An HTML comment in the line above a fence says how the block differs: a whole word of the table below.
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
NOT_YET = "not yet"
WRITTEN_BY_INIT = "what iop init writes"
NOT_OURS = "another file"


def blocks(*languages: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block["language"] in languages and block["mark"] != NOT_OURS:
                place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, block.start('text')) + 1}"
                found.append(pytest.param(block["text"], block["mark"], id=place))
    return found


def configurations() -> list[Any]:
    """The YAML blocks that are an iop.yml or a part of one."""
    return [each for each in blocks("yaml", "yml") if set(yaml.safe_load(each.values[0])) & set(SCHEMA.keys)]


def commands() -> list[Any]:
    """Every ``iop …`` of the shell blocks; in a console block, of the lines that are typed."""
    found = []
    for each in blocks("console", "sh", "bash", "shell"):
        for line in str(each.values[0]).splitlines():
            for part in re.split(r"&&|;|\|", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True) if re.match(r"\s*iop\b", part) else []
                if words and (line.startswith("$ ") or "$ " not in str(each.values[0])):
                    found.append(pytest.param(words, id=f"{each.id}: {' '.join(words)}"))
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("iop.console.terminal._current", None)
    return folder


def surround(folder: Path, text: str) -> Path:
    """Write iop.yml and every file that it names."""
    data = yaml.safe_load(text)
    if "name" not in data:
        text = f"name: shop\n{text}"
    apps = data.get("apps") or {}
    entries = [*(apps if isinstance(apps, list) else apps.values()), *(data.get("services") or {}).values()]
    files = {"iop.yml": text, "Dockerfile": "FROM scratch\n", ".iop/secrets": ""}
    for entry in entries:
        build = entry.get("build") or {}
        files[build.get("dockerfile") or f"{build.get('context', '.')}/Dockerfile"] = "FROM scratch\n"
        for secret in (entry.get("environment") or {}).get("secret", ()):
            files[".iop/secrets"] += f"{secret}=x\n"
    if key := (data.get("ssh") or {}).get("key_file"):
        files[str(Path(key).expanduser())] = ""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    (folder / ".iop" / "secrets").chmod(0o600)
    return folder / "iop.yml"


@pytest.mark.parametrize(("text", "mark"), configurations())
def test_configurations_load(folder: Path, text: str, mark: str | None) -> None:
    path = surround(folder, text)
    if mark != NOT_YET:
        load(path)
        return
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert all("supported yet" in line for line in str(refused.value).splitlines())


def test_the_example_is_what_init_writes(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nEXPOSE 3000\n")
    with pytest.raises(SystemExit):
        program.run(["iop", "init"])
    (shown,) = [each.values[0] for each in blocks("yaml") if each.values[1] == WRITTEN_BY_INIT]
    assert (folder / "iop.yml").read_text(encoding="utf-8") == shown


@pytest.mark.parametrize(("text", "mark"), blocks("dotenv"))
def test_secrets_parse(text: str, mark: str | None) -> None:
    assert all(isinstance(value, Secret) for _, _, value in parse(text))


KEYS = sorted(
    {".".join(path[1:] if path[0] in ("apps", "services") and path[1:] else path) for path in SCHEMA.paths()}
)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained(key: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    group = any(other.startswith(f"{key}.") for other in KEYS)
    assert f"\n| `{key}" in page if group else f"\n| `{key}` | " in page


class Parsing(Program):
    """The program without its deeds."""

    def execute(self) -> None:
        """Do nothing: the line was understood."""


@pytest.mark.parametrize("words", commands())
def test_commands_are_understood(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parsing = Parsing(
        name="iop", binary="iop", version=__version__, namespace=program.namespace, config_class=Config
    )
    with pytest.raises(SystemExit) as ended:
        parsing.run(words)
    assert not ended.value.code, capsys.readouterr().err


def test_no_entry_can_have_the_name_of_a_command() -> None:
    assert {name for name in program.namespace.task_names if "." not in name} <= COMMANDS


def test_there_is_something_to_test() -> None:
    assert len(configurations()) >= 8
    assert ["iop", "init"] in [each.values[0] for each in commands()]
