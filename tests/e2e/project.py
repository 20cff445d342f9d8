"""A user's project on a disposable server, deployed by running ``iop`` as they would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from attrs import frozen

from iop.demo.sample import HOST, Sample
from iop.disposable.bases import python_base
from iop.disposable.server import DisposableServer

ROOT = Path(__file__).parents[2]
IOP = Path(sys.executable).with_name("iop")


@frozen
class Done:
    """How a run of iop ended."""

    code: int
    out: str
    err: str

    def ok(self) -> Done:
        assert self.code == 0, f"iop ended with {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def steps(self) -> list[str]:
        """The titles of the steps that were done, without their times."""
        return [line[4:].partition("  ")[0] for line in self.out.splitlines() if line.startswith("[✓]")]


@frozen
class Project:
    """The sample app on one server."""

    sample: Sample
    server: DisposableServer

    @classmethod
    def create(cls, folder: Path, server: DisposableServer, **entry: Any) -> Project:
        folder.mkdir(exist_ok=True)
        return cls(Sample.create(folder, server.address, python_base(print), **entry), server)

    def configure(self, **entry: Any) -> None:
        """Rewrite iop.yml with these keys of the app's entry."""
        self.sample.configure(self.server.address, python_base(print), **entry)

    def command(self, *argv: str, ssh_config: Path | None = None) -> list[str]:
        return [str(IOP), "--ssh-config", str(ssh_config or self.server.ssh_config), *argv]

    def iop(self, *argv: str, ssh_config: Path | None = None) -> Done:
        """Run iop to its end, without a terminal."""
        done = subprocess.run(
            self.command(*argv, ssh_config=ssh_config),
            cwd=self.sample.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def hand(self, task: str, color: str) -> None:
        """Repeat one step by hand, as the plan prints it: through fab, from a clone of this repository."""
        fab = IOP.with_name("fab")
        where = ("--search-root", ROOT, "--ssh-config", self.server.ssh_config, "-H", self.server.address)
        subprocess.run(
            (fab, "-c", "tasks", *where, task, "--name", "web", "--color", color),
            cwd=self.sample.folder,
            env={**os.environ, "FABRIC_IOP_FILE": str(self.sample.folder / "iop.yml")},
            stdin=subprocess.DEVNULL,
            check=True,
        )

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start iop; its lines can be read as they come."""
        return subprocess.Popen(
            self.command(*argv),
            cwd=self.sample.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def await_answer(self) -> None:
        """Until the proxy answers: each attempt ends by itself, with an answer or without."""
        for _ in range(600):
            with suppress(OSError, HTTPException):
                if self.answer()[0] == 200:
                    return
            time.sleep(0.1)  # nobody tells us when a server's containers are up again
        raise AssertionError("it never answered")

    def answer(self, path: str = "/", host: str = HOST) -> tuple[int, str]:
        """Status and body that the public gets, through the proxy."""
        connection = HTTPConnection(self.server.address, 80, timeout=15)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.read().decode().strip()
        finally:
            connection.close()

    def containers(self) -> set[str]:
        """Every container on the server, running or not."""
        return set(self.server.exec("docker", "ps", "--all", "--format", "{{.Names}}").split())

    def targets(self) -> set[str]:
        """Where the proxy sends the app's requests."""
        state = json.loads(self.server.exec("cat", "/var/lib/iop-proxy/state.json"))
        return {
            target for route in state["routes"] if route["project"] == "shop" for target in route["targets"]
        }

    def started(self) -> set[str]:
        """Each container's id and when it was started: equal sets, nothing has been touched."""
        form = "{{.Id}} {{.State.StartedAt}} {{json .NetworkSettings.Networks}}"
        return set(self.server.exec("docker", "inspect", "--format", form, *self.containers()).splitlines())

    def colors(self) -> set[str]:
        """The colours of the app that have a container."""
        return {name.rsplit("-", 1)[1] for name in self.containers() if name.startswith("shop-web-")}

    def listing(self) -> set[str]:
        """Every file on the server outside of what its engine and its journal keep."""
        found = self.server.exec(
            *("find", "/", "-xdev", "-type", "f", "-not", "-path", "/proc/*", "-not", "-path", "/sys/*"),
            *("-not", "-path", "/var/log/*", "-not", "-path", "/var/lib/docker/*"),
        )
        return set(found.splitlines())
