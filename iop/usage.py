"""What ``--help`` says. Pure: text from the tasks' own docstrings and flags."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from iop.argv import COMMANDS, DEFAULT, GLOBAL

__all__ = ["command", "program"]

_EVERYWHERE = (
    ("-c, --config FILE", "read FILE instead of iop.yml"),
    ("--ssh-config FILE", "read FILE instead of your own ssh config"),
    ("--verbose", "show the output of every command"),
    ("--yes", "don't ask"),
    ("--debug", "show tracebacks and the libraries' logs"),
    ("-h, --help", "this text; iop COMMAND --help tells more about one command"),
    ("--version", "print the version"),
)


def program(tasks: Collection) -> str:
    """The text of ``iop --help``."""
    commands = [(f"iop {name}", _first_line(tasks[name])) for name in COMMANDS]
    return "\n".join(
        [
            "Take apps from this machine to your own servers: no downtime, no registry.",
            "",
            "Usage:",
            "  iop [NAME …] [flags]       deploy every app of iop.yml, or those named",
            "  iop COMMAND [flags]",
            "",
            "Commands:",
            *_columns(commands),
            "",
            "Flags:",
            *_columns(_EVERYWHERE),
        ]
    )


def command(context: ParserContext, tasks: Collection) -> str:
    """The text of ``iop COMMAND --help``."""
    name = str(context.name)
    entries = "--entry" in context.flags
    own = (arg for arg in context.args.values() if arg.names[0] != "entry" and not arg.positional)
    flags = [(_spec(arg), arg.help or "") for arg in own if f"--{arg.names[0]}" not in GLOBAL]
    words = [arg.names[0].upper() for arg in context.positional_args]
    line = " ".join([name, *words, *(["[NAME …]"] if entries else []), "[flags]"])
    usages = [f"iop {line}", *([f"iop{line.removeprefix(name)}"] if name == DEFAULT else [])]
    return "\n".join(
        [
            "Usage:",
            *(f"  {usage}" for usage in usages),
            "",
            inspect.getdoc(tasks[name]) or "",
            *(["", "Flags:", *_columns(flags)] if flags else []),
            "",
            "Flags of every command:",
            *_columns(_EVERYWHERE),
        ]
    )


def _spec(arg: Argument) -> str:
    name = arg.names[0].replace("_", "-")
    flag = f"--{name}"
    if not arg.takes_value:
        return flag.replace("--", "--no-", 1) if arg.default is True else flag
    return f"{flag} {'N' if arg.kind is int else name.upper()}"


def _first_line(task: object) -> str:
    return (inspect.getdoc(task) or "").partition("\n")[0]


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max(len(left) for left, _ in rows)
    return [f"  {left:<{width}}   {right}".rstrip() for left, right in rows]
