"""Commands on this machine: run one and read it, or read a long output while it comes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from iop.console import console
from iop.errors import BuildError, IopError, MissingError

__all__ = ["output", "reading", "succeeds", "watched"]


def output(argv: Sequence[str]) -> str:
    """What a short command prints. Raises IopError with its last words when it fails."""
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise _missing(argv) from error
    if done.returncode:
        raise IopError(
            f"{' '.join(argv[:3])} failed here: {_last(done.stderr or done.stdout, 3)}", _hint(done.stderr)
        )
    return done.stdout


def succeeds(argv: Sequence[str], seconds: float | None = None) -> bool:
    """Whether a command ends well, within ``seconds`` if given. Raises MissingError when there is no such program."""
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds
        )
    except FileNotFoundError as error:
        raise _missing(argv) from error
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def watched(
    argv: Sequence[str], what: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a build: every line goes to the console (shown with --verbose), the last ones into the error.

    ``env`` is added to this process's environment; values never stand in argv.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise _missing(argv) from error
    lines: list[str] = []
    with process, _ended(process):
        for line in process.stdout or ():
            console().output(line)
            lines = [*lines[-29:], line.rstrip()]
    if process.returncode:
        shown = "\n".join(f"    {line}" for line in lines if line.strip())
        raise BuildError(
            f"{what} failed (exit status {process.returncode}):\n{shown}", _hint("\n".join(lines))
        )


@contextmanager
def reading(argv: Sequence[str]) -> Iterator[BinaryIO]:
    """The output of a command as a stream. Raises IopError at the end when the command failed."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise _missing(argv) from error
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    with process, _ended(process):
        yield cast(BinaryIO, process.stdout)
        process.stdout.close()
        said = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise IopError(f"{' '.join(argv[:3])} failed here: {_last(said, 3)}", _hint(said))


@contextmanager
def _ended(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> Iterator[None]:
    """No child outlives an interrupted run."""
    try:
        yield
    except BaseException:
        process.kill()
        raise


def _missing(argv: Sequence[str]) -> MissingError:
    remedy = "install Docker and start it" if argv[0] == "docker" else f"install {argv[0]}"
    return MissingError(f"{argv[0]} is not installed on this machine", remedy)


def _hint(said: str) -> str:
    if "Cannot connect to the Docker daemon" in said:
        return "start Docker on this machine"
    if "permission denied" in said and "docker.sock" in said:
        return "let your user use Docker: sudo usermod -aG docker $USER, then log in again"
    return ""


def _last(said: str, lines: int) -> str:
    return " ".join(said.strip().splitlines()[-lines:]) or "it said nothing"
