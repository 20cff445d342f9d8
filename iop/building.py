"""Building images with the Docker of this machine: BuildKit where it exists, the legacy builder otherwise."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from iop import local
from iop.commands import image as commands
from iop.errors import BuildError

__all__ = ["build", "has", "pull", "python"]

PULL_SECONDS = 300


def build(
    tag: str,
    *,
    context: Path,
    dockerfile: Path,
    args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
) -> None:
    """Build ``tag``. Raises BuildError with the builder's last lines.

    ``platform`` is asked for only when it is not the engine's own: the legacy builder refuses the flag.
    """
    if not dockerfile.is_file():
        raise BuildError(f"no Dockerfile at {dockerfile}", "add one, or set build.dockerfile in iop.yml")
    _keep_secrets_out(context)
    argv = commands.build(
        tag,
        context=context,
        dockerfile=dockerfile,
        args=tuple(args or ()),
        target=target,
        platform=platform if platform != _engine_platform() else None,
        buildkit=_buildkit(),
    )
    local.watched(argv, f"building {tag}", env=args)


def has(tag: str) -> bool:
    """Whether this machine's Docker has the image."""
    done = subprocess.run(("docker", "image", "inspect", tag), check=False, capture_output=True)
    return done.returncode == 0


def pull(tag: str, platform: str) -> bool:
    """Get an image from its registry; False when none can be reached or it isn't there."""
    argv = ("docker", "pull", "--quiet", "--platform", platform, tag)
    try:
        done = subprocess.run(argv, check=False, capture_output=True, timeout=PULL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def python(tag: str) -> str:
    """The version of the Python in an image, as ``3.11``. Raises IopError when there is none."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return local.output(("docker", "run", "--rm", "--network", "none", tag, "python3", "-c", code)).strip()


def _keep_secrets_out(context: Path) -> None:
    """A `COPY . .` would take .iop/secrets into the image, and so to the server."""
    ignored = context / ".dockerignore"
    lines = ignored.read_text().splitlines() if ignored.is_file() else []
    if (context / ".iop" / "secrets").exists() and not any(
        line.strip(" /").startswith(".iop") for line in lines
    ):
        raise BuildError(
            f"{context / '.iop'} is part of the build context: its secrets could get into the image",
            f"exclude it: echo .iop/ >> {ignored}",
        )


@cache
def _buildkit() -> bool:
    done = subprocess.run(("docker", "buildx", "version"), check=False, capture_output=True)
    return done.returncode == 0


@cache
def _engine_platform() -> str:
    version = json.loads(local.output(("docker", "version", "--format", "{{json .Server}}")))
    return f"{version['Os']}/{version['Arch']}"
