"""From the path of iop.yml to a Project, or to every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voluptuous import MultipleInvalid

from iop.config import checks, document, secrets, unsupported
from iop.config.assemble import assemble
from iop.config.entries import by_name
from iop.config.problems import Line, Problem
from iop.config.project import Project
from iop.config.scalars import got
from iop.config.schema import SCHEMA
from iop.errors import ConfigError

__all__ = ["load"]


def load(path: Path) -> Project:
    """Read iop.yml at ``path`` and .iop/secrets beside it.

    Raises ConfigError, whose message lists every problem of both files, one line each, in the files' order.
    """
    directory = path.absolute().parent.resolve()
    shown = _shown(path)
    text = _read(path, shown)
    found = secrets.read(directory / secrets.SECRETS, _shown(directory / secrets.SECRETS))
    try:
        parsed, twice = document.parse(text)
    except document.SyntaxProblem as problem:
        raise _error([Line(shown, problem.line, problem.message), *found.problems]) from None
    if not isinstance(parsed.data, dict):
        what = "is empty" if parsed.data is None else f"must be a mapping of keys, {got(parsed.data)}"
        lines = [Line(shown, 0, f"{what}; run `iop init` in an empty folder for an example"), *found.problems]
        raise _error(lines)

    data, problems = by_name(parsed.data)
    values = _validate(data, problems)
    problems += checks.check(data, directory, found.values)
    problems += unsupported.check(data)

    lines = [Line(shown, line, message, place) for line, place, message in twice]
    lines += [Line(shown, parsed.line(problem.path), problem.message, problem.path) for problem in problems]
    lines.sort(key=lambda line: line.number)
    lines += found.problems
    if lines:
        raise _error(lines)
    return assemble(values, directory, found.values or {})


def _validate(data: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    try:
        return SCHEMA(data)
    except MultipleInvalid as errors:
        problems += [Problem(tuple(error.path), error.msg) for error in errors.errors]
        return {}


def _read(path: Path, shown: str) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"there is no {shown} here", "run `iop init` to make one") from None
    except OSError as error:
        raise ConfigError(f"{shown} can't be read: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error([Line(shown, line, "isn't UTF-8 text; save the file as UTF-8")]) from None


def _error(lines: list[Line]) -> ConfigError:
    return ConfigError("\n".join(str(line) for line in lines))


def _shown(path: Path) -> str:
    """Write a path as short as it can be from where the person is."""
    here, absolute = Path.cwd(), path.absolute()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
