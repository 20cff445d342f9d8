"""What was typed, made into what Invoke's parser understands. Pure.

Invoke wants ``program [global flags] task [its flags]`` and no bare names; people type ``iop web --verbose``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from attrs import field, frozen

from iop.errors import UsageError

__all__ = ["COMMANDS", "DEFAULT", "GLOBAL", "Command", "expand"]

#: The commands people use, in the order ``--help`` shows them. Single steps are tasks too, with dotted names.
COMMANDS = ("deploy", "plan", "init", "demo")

#: What ``iop`` alone means.
DEFAULT = "deploy"

#: The flags that may stand anywhere on the line, and whether each takes a value.
GLOBAL: Mapping[str, bool] = {
    "-c": True,
    "--config": True,
    "--ssh-config": True,
    "--verbose": False,
    "--debug": False,
    "--yes": False,
    "--version": False,
    "-h": False,
    "--help": False,
}


@frozen
class Command:
    """What may follow a command: its flags, each with whether it takes a value, and how many bare words."""

    flags: Mapping[str, bool]
    positional: int = 0

    @property
    def entries(self) -> bool:
        """Whether a bare word names an app or a service."""
        return "--entry" in self.flags


@frozen
class _Line:
    """A command line sorted into its parts; flags keep their value, None for switches."""

    globals: list[tuple[str, str | None]] = field(factory=list)
    flags: list[tuple[str, str | None]] = field(factory=list)
    words: list[str] = field(factory=list)


def expand(argv: Sequence[str], commands: Mapping[str, Command]) -> list[str]:
    """The line as ``[global flags…, command, its flags…]`` with every bare name as ``--entry NAME``.

    ``argv`` is without the program's name. With ``-h`` or ``--help`` the answer is ``["--help"]`` or
    ``["--help", command]`` whatever else was typed. Raises UsageError for what can't be understood.
    """
    if "--" in argv:
        raise UsageError("nothing may follow a bare --", "name apps without it: iop web api")
    line, typed = _sort(argv, commands)
    if {"-h", "--help"} & {flag for flag, _ in line.globals}:
        return ["--help", typed] if typed else ["--help"]
    name = typed or DEFAULT
    command = commands[name]
    for flag, _ in line.flags:
        _require(flag, command.flags, name)
    if not command.entries and len(line.words) > command.positional:
        raise UsageError(f"iop {name} takes no {line.words[command.positional]!r}; see iop {name} --help")
    words = [part for word in line.words for part in (("--entry", word) if command.entries else (word,))]
    return [*_joined(line.globals), name, *_joined(line.flags), *words]


def _sort(argv: Sequence[str], commands: Mapping[str, Command]) -> tuple[_Line, str | None]:
    line, command = _Line(), None
    rest = iter(argv)
    for word in rest:
        if word.startswith("-") and word != "-":
            flag, glued = _split(word)
            known = _known(commands, command)
            _require(flag, known, command or DEFAULT)
            value = _value(flag, glued, rest) if known[flag] else None
            if glued is not None and not known[flag]:
                raise UsageError(f"{flag} takes no value")
            (line.globals if flag in GLOBAL else line.flags).append((flag, value))
        elif command is None and not line.words and word in commands:
            command = word
        else:
            line.words.append(word)
    return line, command


def _known(commands: Mapping[str, Command], command: str | None) -> dict[str, bool]:
    """The flags that may come now. Before any command a later one's may: ``iop --name shop init``."""
    meant = [commands[command]] if command else [*commands.values(), commands[DEFAULT]]
    return {flag: takes for each in meant for flag, takes in each.flags.items()} | dict(GLOBAL)


def _split(word: str) -> tuple[str, str | None]:
    """``--flag=value`` and ``-cvalue`` into flag and value; None when it is the flag alone."""
    if word.startswith("--"):
        flag, equals, value = word.partition("=")
        return flag, value if equals else None
    return word[:2], word[2:].removeprefix("=") or None


def _value(flag: str, glued: str | None, rest: Iterator[str]) -> str:
    value = glued if glued is not None else next(rest, None)
    if not value or (glued is None and value.startswith("-")):
        raise UsageError(f"{flag} needs a value: {flag} VALUE")
    return value


def _require(flag: str, known: Mapping[str, bool], command: str) -> None:
    if flag not in known:
        near = get_close_matches(flag, {**known, **GLOBAL}, n=1)
        hint = f"did you mean {near[0]}?" if near else f"see iop {command} --help"
        raise UsageError(f"unknown flag {flag}: {hint}")


def _joined(flags: Iterable[tuple[str, str | None]]) -> list[str]:
    return [flag if value is None else f"{flag}={value}" for flag, value in flags]
