"""The dotenv grammar of .iop/secrets, and the file that holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from iop.config import load
from iop.config.project import Secret
from iop.config.secrets import parse, read
from iop.errors import ConfigError


def values(text: str) -> dict[str, str]:
    found = {}
    for _, name, value in parse(text):
        assert isinstance(value, Secret), (name, value)
        found[name] = value.reveal()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("\n# comment\n  # another\nA=1\n\n", {"A": "1"}),
        ("export A=1\nexport\tB=2", {"A": "1", "B": "2"}),
        ("exported=1", {"exported": "1"}),
        ("  A = 1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=one two", {"A": "one two"}),
        ("A=one # two", {"A": "one"}),
        ("A=one#two", {"A": "one#two"}),
        ("A=# two", {"A": ""}),
        ("A=#two", {"A": ""}),
        ("A=a=b==", {"A": "a=b=="}),
        ("A=it's", {"A": "it's"}),
        ("A=$HOME ${B}", {"A": "$HOME ${B}"}),
        ("A=\\n", {"A": "\\n"}),
        ("A='one # two'", {"A": "one # two"}),
        ("A='a\\n\"b'", {"A": 'a\\n"b'}),
        ("A=''", {"A": ""}),
        ('A=""', {"A": ""}),
        ('A="one # two" # three', {"A": "one # two"}),
        ('A="a\\nb\\tc\\rd"', {"A": "a\nb\tc\rd"}),
        ('A="a\\"b\\\\c\\$d"', {"A": 'a"b\\c$d'}),
        ('A="C:\\dir"', {"A": "C:\\dir"}),
        ('A="a\nb\n\n# c\n"\nB=2', {"A": "a\nb\n\n# c\n", "B": "2"}),
        ('A="it\'s"', {"A": "it's"}),
        ("A=1\r\nB='2'\r\n\r\nC=\"3\r\n4\"\r\n", {"A": "1", "B": "2", "C": "3\n4"}),
        ("A=a\u2028b\x0bc", {"A": "a\u2028b\x0bc"}),
        ("A=ключ", {"A": "ключ"}),
        ("", {}),
    ],
)
def test_dotenv(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


def test_lines_are_counted_over_values_of_several_lines() -> None:
    assert [(line, name) for line, name, _ in parse('A="1\n2"\n\nB=3\nC="\n"\nD=4')] == [
        (1, "A"),
        (4, "B"),
        (5, "C"),
        (7, "D"),
    ]


def test_nothing_of_a_file_shows(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.touch(mode=0o600)
    path.write_text('A=hunter2\nhunter2\nB="hunter2\nC="a\0hunter2"\nD="x"hunter2\n')
    assert "hunter2" not in repr(read(path, "secrets"))


def test_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.touch(mode=0o600)
    path.write_bytes(b"\xef\xbb\xbfA=1\n")
    found = read(path, "secrets")
    assert (found.values, found.problems) == ({"A": Secret("1")}, ())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").touch()
    (tmp_path / ".iop").mkdir()
    (tmp_path / "iop.yml").write_text(
        "name: demo\napps:\n  web:\n    server: a.example\n    environment: {secret: [A]}\n"
    )
    (tmp_path / ".iop" / "secrets").touch(mode=0o600)
    (tmp_path / ".iop" / "secrets").write_text("A=hunter2\n")
    return tmp_path


def refusal() -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(Path("iop.yml"))
    return str(refused.value).splitlines()


def test_values_arrive(folder: Path) -> None:
    ((name, value),) = load(Path("iop.yml")).apps[0].environment.secret
    assert (name, value.reveal()) == ("A", "hunter2")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_reach(folder: Path, mode: int) -> None:
    (folder / ".iop" / "secrets").chmod(mode)
    assert refusal() == [".iop/secrets: is open to others than you; run `chmod 600 .iop/secrets`"]


def test_a_missing_file_is_missing_secrets(folder: Path) -> None:
    (folder / ".iop" / "secrets").unlink()
    assert refusal() == [
        "iop.yml:5 apps.web.environment.secret[0]: A is not in .iop/secrets; add a line A=… there"
    ]


def test_a_file_that_is_no_text(folder: Path) -> None:
    (folder / ".iop" / "secrets").write_bytes(b"A=1\nB=hunter\xff\n")
    assert refusal() == [".iop/secrets:2: isn't UTF-8 text; save the file as UTF-8"]


def test_a_folder_for_a_file(folder: Path) -> None:
    (folder / ".iop" / "secrets").unlink()
    (folder / ".iop" / "secrets").mkdir()
    assert refusal() == [".iop/secrets: can't be read: Is a directory"]


def test_a_nul_character(folder: Path) -> None:
    (folder / ".iop" / "secrets").write_bytes(b"A=hunter\x00\n")
    assert ".iop/secrets:1: the value of A holds a NUL character, which no environment can carry" in refusal()
