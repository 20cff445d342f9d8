"""The console program ``iop``: an Invoke program that reads like one made for people."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import fabric
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser, ParseResult
from invoke.program import Program as InvokeProgram

from iop import __version__, usage
from iop.argv import Command, expand
from iop.console import Console, console, use
from iop.errors import UsageError
from iop.failure import report
from iop.tasks.namespace import namespace

__all__ = ["Config", "Program", "main", "program"]

_FLAGS = ("config", "ssh-config", "verbose", "debug", "yes")
_SETTINGS = {"config": "file", "ssh-config": "ssh_config"}


class Config(fabric.Config):  # type: ignore[misc]
    """Fabric's configuration under our own name: environment variables are ``IOP_…``, no files are read."""

    prefix = "iop"


class Program(InvokeProgram):
    """Invoke's life cycle with our flags, our command line and our errors."""

    def core_args(self) -> list[Argument]:
        """The flags that may stand anywhere. Invoke's own (``--dry``, ``--echo`` …) would break a deploy."""
        return [
            Argument(names=("config", "c")),
            Argument(names=("ssh-config",)),
            *(Argument(names=(name,), kind=bool) for name in ("verbose", "debug", "yes", "version")),
        ]

    def run(self, argv: Sequence[str] | None = None, exit: bool = True) -> None:
        """Run one command line. Every error becomes one message and an exit code: 1, or 2 for wrong usage."""
        self.normalize_argv(list(sys.argv if argv is None else argv))
        debug = "--debug" in self.argv
        _log(debug=debug)
        try:
            self._perform()
        except (Exception, KeyboardInterrupt) as error:
            code = report(error, debug=debug)
        else:
            code = 0
        if exit:
            sys.exit(code)

    def _perform(self) -> None:
        self.collection = self.namespace or Collection()
        line = expand(self.argv[1:], {name: _command(context) for name, context in self._contexts.items()})
        if line[0] == "--help":
            console().say(self._help(*line[1:]))
            return
        self._parse(line)
        if self.args.version.value:
            console().say(f"{self.name} {self.version}")
            return
        use(Console.of_process(verbose=bool(self.args.verbose.value)))
        self.create_config()
        self.update_config()
        self.execute()

    @cached_property
    def _contexts(self) -> dict[str, ParserContext]:
        """The parser's view of every task. Made once: Invoke takes the help texts out of the tasks."""
        return {str(context.name): context for context in self.collection.to_contexts()}

    def _help(self, name: str | None = None) -> str:
        return (
            usage.command(self._contexts[name], self.collection) if name else usage.program(self.collection)
        )

    def _parse(self, line: list[str]) -> None:
        try:
            parsed = Parser(self._contexts.values(), initial=self.initial_context).parse_argv(line)
        except ParseError as error:
            raise UsageError(str(error)) from error
        except ValueError as error:
            raise UsageError(f"a flag wants a number: {error}") from error
        self.core = ParseResult(parsed[:1])
        self.tasks = ParseResult(parsed[1:])

    def create_config(self) -> None:
        """A configuration of defaults alone: what changes a deploy is in iop.yml or on the command line."""
        self.config = self.config_class(lazy=True)

    def update_config(self, merge: bool = True) -> None:
        """Put the flags that were given where tasks read them: ``c.config.iop.file`` and so on."""
        values = {_SETTINGS.get(flag, flag): self.args[flag].value for flag in _FLAGS}
        given = {name: value for name, value in values.items() if value}
        overrides: dict[str, Any] = {"iop": given}
        if path := given.get("ssh_config"):
            if not Path(path).is_file():
                raise UsageError(f"--ssh-config: there is no file {path}")
            overrides["ssh_config_path"] = path
        self.config.load_overrides(overrides, merge=merge)
        self.config.load_ssh_config()


def _command(context: ParserContext) -> Command:
    flags = {name: arg.takes_value for flag, arg in context.flags.items() for name in context.names_for(flag)}
    return Command({**flags, **dict.fromkeys(context.inverse_flags, False)}, len(context.positional_args))


def _log(*, debug: bool) -> None:
    """Libraries' logs are for ``--debug``; with no handler Python would print paramiko's tracebacks."""
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        logging.getLogger().addHandler(logging.NullHandler())


program = Program(name="iop", binary="iop", version=__version__, namespace=namespace, config_class=Config)


def main() -> None:
    """The console script."""
    program.run()
