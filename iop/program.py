"""The console program ``iop``: an Invoke program that reads like one made for people."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fabric
from invoke.collection import Collection
from invoke.exceptions import Exit, Failure, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser, ParseResult
from invoke.program import Program as InvokeProgram

from iop import __version__, usage
from iop.argv import Command, expand
from iop.console import Console, console, use
from iop.errors import IopError, UsageError
from iop.tasks.namespace import namespace

__all__ = ["Config", "Program", "main", "program"]

INTERRUPTED = 130


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
        _log(debug="--debug" in self.argv)
        try:
            self._perform()
        except BaseException as error:
            code = self._report(error)
        else:
            code = 0
        if exit:
            sys.exit(code)

    def _perform(self) -> None:
        self.collection = self.namespace or Collection()
        contexts = {str(context.name): context for context in self.collection.to_contexts()}
        line = expand(self.argv[1:], {name: _command(context) for name, context in contexts.items()})
        if line[0] == "--help":
            console().say(
                usage.command(contexts[line[1]], self.collection)
                if line[1:]
                else usage.program(self.collection)
            )
            return
        self._parse(line, contexts)
        if self.args.version.value:
            console().say(f"{self.name} {self.version}")
            return
        use(Console.of_process(verbose=bool(self.args.verbose.value)))
        self.create_config()
        self.update_config()
        self.execute()

    def _parse(self, line: list[str], contexts: dict[str, ParserContext]) -> None:
        try:
            parsed = Parser(contexts.values(), initial=self.initial_context).parse_argv(line)
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
        names = {
            "config": "file",
            "ssh-config": "ssh_config",
            "verbose": "verbose",
            "debug": "debug",
            "yes": "yes",
        }
        given = {ours: self.args[flag].value for flag, ours in names.items() if self.args[flag].value}
        overrides: dict[str, Any] = {"iop": given}
        if path := given.get("ssh_config"):
            if not Path(path).is_file():
                raise UsageError(f"--ssh-config: there is no file {path}")
            overrides["ssh_config_path"] = path
        self.config.load_overrides(overrides, merge=merge)
        self.config.load_ssh_config()

    def _report(self, error: BaseException) -> int:
        if "--debug" in self.argv and not isinstance(error, UsageError):
            console().warn("".join(traceback.format_exception(error)).rstrip())
        if isinstance(error, KeyboardInterrupt):
            console().fail(IopError("interrupted"))
            return INTERRUPTED
        if isinstance(error, SystemExit):
            raise error
        told = _explained(error)
        if told.message:
            console().fail(told)
        return int(told.code)


def _explained(error: BaseException) -> Exit:
    if isinstance(error, Exit):
        return error
    if isinstance(error, Failure):
        result = error.result
        last = (result.stderr or result.stdout).strip().splitlines()[-1:]
        return IopError(f"`{result.command}` exited {result.exited}", *last)
    name, first = type(error).__name__, str(error).strip().partition("\n")[0]
    return IopError(f"unexpected {name}: {first}; run again with --debug")


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
