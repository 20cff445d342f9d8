"""The Docker command line of this machine, run as a program."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator

from iop.errors import IopError

__all__ = ["answers", "docker", "exists", "follow"]


def docker(*argv: str, stdin: bytes = b"", timeout: float | None = None) -> str:
    """Run ``docker ARGV`` with ``stdin`` and return its standard output without the last newline.

    ``timeout`` is in seconds. Raises IopError with Docker's own last line when it fails.
    """
    command = ["docker", *argv]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=timeout)
    except FileNotFoundError:
        raise IopError("the docker program is not on PATH", "install it: apt-get install docker.io") from None
    except subprocess.TimeoutExpired:
        raise IopError(f"docker {argv[0]} did not end within {timeout:g} s") from None
    if done.returncode:
        raise IopError(f"docker {argv[0]} failed: {_reason(done.stderr or done.stdout)}")
    return done.stdout.decode(errors="replace").removesuffix("\n")


def follow(argv: Iterable[str], stdin: bytes = b"") -> Iterator[str]:
    """Run a long command (any program) and yield the lines of both its streams as they come.

    ``stdin`` must be small (a pipe's worth, 64 KB). Raises IopError at the end when the command failed.
    """
    command = list(argv)
    last = ""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin and process.stdout  # noqa: S101 - both were asked for
        process.stdin.write(stdin)
        process.stdin.close()
        try:
            for raw in process.stdout:
                if line := raw.decode(errors="replace").strip():
                    last = line
                    yield line
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise IopError(f"{' '.join(command[:2])} failed: {last}")


def answers() -> bool:
    """Whether a Docker engine answers on this machine."""
    try:
        docker("version", "--format", "{{.Server.Version}}", timeout=30)
    except IopError:
        return False
    return True


def exists(kind: str, name: str) -> bool:
    """Whether the engine has a ``kind`` (image, volume, network, container) of that name."""
    try:
        docker(kind, "inspect", "--format", "-", name)
    except IopError:
        return False
    return True


def _reason(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"
