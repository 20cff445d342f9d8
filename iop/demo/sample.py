"""The sample app in a folder and a git repository of its own, as a user would have it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

import yaml
from attrs import frozen

from iop import local
from iop.errors import IopError

__all__ = ["HOST", "Sample"]

HOST = "shop.example"
APP = Path(__file__).parent / "app"
_VERSION = re.compile(r'^VERSION = ".*"$', re.MULTILINE)


@frozen
class Sample:
    """Project ``shop`` with one app, ``web``, in ``folder``."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, server: str, base: str, **entry: Any) -> Sample:
        """Write and commit it: to be built on image ``base`` and run on ``server``."""
        copytree(APP, folder, dirs_exist_ok=True)
        sample = cls(folder)
        sample.configure(server, base, **entry)
        for name in (".gitignore", ".dockerignore"):
            (folder / name).write_text(".iop/\n")
        sample.git("init", "--quiet", "--initial-branch=main")
        sample.commit("version 1")
        return sample

    def configure(self, server: str, base: str, **entry: Any) -> None:
        """Write iop.yml; ``entry`` are keys of the app's entry that differ."""
        app: Mapping[str, Any] = {
            "server": server,
            "build": {"args": ["BASE"]},
            "proxy": {"hosts": [HOST], "app_port": 3000},
            "environment": {"plain": [f"BASE={base}"]},
            **entry,
        }
        data = {"name": "shop", "ssh": {"username": "root"}, "apps": {"web": app}}
        (self.folder / "iop.yml").write_text(yaml.safe_dump(data, sort_keys=False))

    def version(self, version: str) -> str:
        """Change the one line that says the version, and commit; the release id."""
        source = self.folder / "app.py"
        text, changed = _VERSION.subn(f'VERSION = "{version}"', source.read_text())
        if changed != 1:
            raise IopError(f"{source} has no line VERSION = …")
        source.write_text(text)
        return self.commit(f"version {version}")

    def commit(self, message: str) -> str:
        """Commit everything; the release id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "--short", "HEAD")

    def git(self, *argv: str) -> str:
        """Run git in the folder, whoever the user is."""
        identity = (
            "-c",
            "user.name=sample",
            "-c",
            "user.email=sample@example.com",
            "-c",
            "commit.gpgsign=false",
        )
        return local.output(("git", "-C", str(self.folder), *identity, *argv)).strip()
