"""Read .iop/secrets: dotenv, with values that never show themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from iop.config.problems import Line
from iop.config.project import Secret

__all__ = ["SECRETS", "Secrets", "parse", "read"]

#: Where the secrets lie, from the folder of iop.yml.
SECRETS = Path(".iop", "secrets")

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[^\S\n]*", re.ASCII)
_COMMENT = re.compile(r"[^\S\n]*(#[^\n]*)?(?=\n|$)")
_SINGLE = re.compile(r"'([^'\n]*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\n]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "'": "'", "`": "`", "\n": ""}


@frozen
class Secrets:
    """``values`` by name, None when the file could not be read at all; ``problems`` are lines of the error."""

    values: Mapping[str, Secret] | None
    problems: tuple[Line, ...] = ()


def read(path: Path, shown: str) -> Secrets:
    """Read the file at ``path``; ``shown`` is what errors call it. A missing file holds no secrets."""
    try:
        mode = path.stat().st_mode
        raw = path.read_bytes()
    except FileNotFoundError:
        return Secrets({})
    except OSError as error:
        return Secrets(None, (Line(shown, 0, f"can't be read: {error.strerror}"),))
    problems = []
    if mode & 0o077:
        problems.append(Line(shown, 0, f"is open to others than you; run `chmod 600 {shown}`"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Secrets(None, (*problems, Line(shown, line, "isn't UTF-8 text; save the file as UTF-8")))
    values: dict[str, Secret] = {}
    first: dict[str, int] = {}
    for number, name, value in parse(text):
        if isinstance(value, Secret):
            if name in first:
                problems.append(Line(shown, number, f"{name} is given twice, first in line {first[name]}"))
            first.setdefault(name, number)
            values[name] = value
        else:
            problems.append(Line(shown, number, value))
    return Secrets(values, tuple(problems))


def parse(text: str) -> Iterator[tuple[int, str, Secret | str]]:
    """Yield (line, name, value) per assignment, and (line, name, what is wrong) where there is none.

    No text of the file but a valid name ever stands in what is wrong.
    """
    text = text.replace("\r\n", "\n")
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip() and not text[at:end].lstrip().startswith("#"):
            name, value, end = _assignment(text, at, end)
            yield line, name, value
        line += text.count("\n", at, end + 1)
        at = end + 1


def _assignment(text: str, at: int, end: int) -> tuple[str, Secret | str, int]:
    """Read one assignment; returns name, value or what is wrong, and where its last line ends."""
    found = _ASSIGNMENT.match(text, at, end)
    if found is None:
        return "", "must be KEY=value; KEY has letters, digits and _ and doesn't begin with a digit", end
    name, start = found[1], found.end()
    opening = text[start : start + 1]
    if opening in ("'", '"'):
        quoted = (_DOUBLE if opening == '"' else _SINGLE).match(text, start)
        if quoted is None:
            return name, f"the quote that opens the value of {name} is never closed", end
        rest = _COMMENT.match(text, quoted.end())
        if rest is None:
            return (
                name,
                f'the value of {name} goes on after its closing quote; write \\" for a quote inside',
                end,
            )
        value = quoted[1]
        if opening == '"':
            value = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), value)
        end = rest.end()
    else:
        # As in a shell, # begins a comment only after white space: a password may hold one.
        value = re.split(r"(?:^|\s)#", text[start:end], maxsplit=1)[0].strip()
    if "\0" in value:
        return name, f"the value of {name} holds a NUL character, which no environment can carry", end
    return name, Secret(value), end
