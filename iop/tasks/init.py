"""``iop init``: write iop.yml and .iop/secrets for the project in this folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from invoke import Context, task
from voluptuous import Invalid

from iop.config.names import project_name, suggested
from iop.config.secrets import SECRETS
from iop.console import console
from iop.dockerignore import ignored
from iop.errors import IopError, UsageError
from iop.facts import dockerfile
from iop.tasks.context import file

__all__ = ["PLACEHOLDER", "init"]

#: A name that no server can have (RFC 2606): whoever forgets to replace it reaches nobody.
PLACEHOLDER = "your-server.example"

_SECRETS_TEXT = """\
# Values for environment.secret in iop.yml, one KEY=value a line. This file stays on your machine.
# DATABASE_URL="postgres://user:password@postgres:5432/app"
"""

#: Ways to write in .gitignore that .iop/secrets is ignored.
_IGNORING = frozenset(
    f"{root}{path}" for root in ("", "/", "**/") for path in (".iop", ".iop/", ".iop/*", ".iop/secrets")
)


@task(
    auto_shortflags=False,
    help={
        "name": "the project's name (default: the folder's)",
        "non-interactive": "ask nothing, take the defaults",
    },
)
def init(c: Context, name: str | None = None, non_interactive: bool = False) -> None:
    """Write a commented iop.yml and .iop/secrets; files that exist are kept."""
    config = file(c)
    directory = config.parent
    if name is not None and (wrong := _wrong(name)):
        raise UsageError(f"--name {wrong}", f"try --name {suggested(name)}")
    found = dockerfile.find(directory)
    try:
        if config.exists():
            console().say(f"Kept {config.name}")
        else:
            chosen = name or _ask_name(suggested(directory.name), ask=not non_interactive)
            _write(config, _example(chosen, directory, found), 0o666, config.name)
        _ignore(directory / ".gitignore", lambda lines: any(line.strip() in _IGNORING for line in lines))
        if found is None or found.parent == Path():
            # The build context is this folder: COPY . would put the secrets into the image.
            _ignore(directory / ".dockerignore", lambda lines: ignored(SECRETS.as_posix(), lines))
        (directory / SECRETS).parent.mkdir(mode=0o700, exist_ok=True)
        _write(directory / SECRETS, _SECRETS_TEXT, 0o600, str(SECRETS))
    except OSError as error:
        raise IopError(f"{error.filename} can't be written: {error.strerror}") from error
    if found is None:
        console().say(f"Next: add a Dockerfile here and put your server into {config.name}, then run iop")
    else:
        console().say(f"Next: put your server into {config.name}, then run iop")


def _wrong(name: str) -> str | None:
    try:
        project_name(name)
    except Invalid as error:
        return error.msg
    return None


def _ask_name(default: str, *, ask: bool) -> str:
    while ask:
        name = console().ask("Project name", default)
        if (wrong := _wrong(name)) is None:
            return name
        console().warn(f"the name {wrong}")
    return default


def _example(name: str, directory: Path, found: Path | None) -> str:
    port = None
    if found is not None:
        port = dockerfile.exposed_port((directory / found).read_text(encoding="utf-8", errors="replace"))
        told = f", which exposes port {port}" if port else ", which exposes no port; iop takes 3000"
        console().say(f"Found {found}{told}")
    comment = "# the port your app listens on in its container"
    template = files("iop.tasks").joinpath("init.yml.txt").read_text(encoding="utf-8")
    return template.format(
        name=_plain(name),
        app="web",
        server=PLACEHOLDER,
        context=_plain(str(found.parent) if found else "."),
        dockerfile=_plain(str(found or "Dockerfile")),
        port=f"app_port: {port}  {comment}" if port else f"# app_port: 3000  {comment}",
    )


def _plain(value: str) -> str:
    """Write a text as YAML, in quotes where it could be read as something else."""
    return (
        value
        if re.fullmatch(r"\.|(?!(true|false|null)$)[A-Za-z][\w./-]*", value, re.ASCII)
        else json.dumps(value)
    )


def _write(path: Path, text: str, mode: int, shown: str) -> None:
    """Write a new file that has ``mode`` (less the umask) from its first moment; keep one that exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        console().say(f"Kept {shown}")
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    console().say(f"Wrote {shown}")


def _ignore(path: Path, covers: Callable[[list[str]], bool]) -> None:
    """Make sure that ``path``, a .gitignore or .dockerignore, keeps the secrets out; ``covers`` says it does."""
    text = path.read_bytes() if path.exists() else b""
    if covers(text.decode(errors="replace").splitlines()):
        return
    newline = b"\n" if text and not text.endswith(b"\n") else b""
    with path.open("ab") as stream:
        stream.write(newline + SECRETS.as_posix().encode() + b"\n")
    console().say(f"Added {SECRETS} to {path.name}")
