"""The demonstration: a bare server becomes a deployed app, and a second version follows under load."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from iop.console import console
from iop.demo.load import Load
from iop.demo.report import Report
from iop.demo.sample import HOST, Sample
from iop.disposable.bases import python_base
from iop.disposable.engine import local_engine
from iop.disposable.fleet import servers
from iop.disposable.server import DisposableServer
from iop.errors import IopError

__all__ = ["tell"]


def tell() -> None:
    """Run it. Raises IopError when a deploy or any request failed; the server is gone afterwards in any case."""
    say = console().say
    with (
        local_engine(say),
        servers(1, say) as (server,),
        tempfile.TemporaryDirectory(prefix="iop-demo-") as folder,
    ):
        sample = Sample.create(Path(folder) / "shop", server.address, python_base(say))
        say(
            f"\nA bare Debian server is up at {server.address}: sshd, no Docker. The app is in {sample.folder}."
        )
        _deploy(server, sample, "\n$ iop")
        with Load(server.address, 80, HOST) as load:
            sample.version("2")
            say("\nVersion 2 is committed. 8 clients ask for pages, 4 for answers that take 5 seconds.")
            _deploy(server, sample, "\n$ iop")
            report = load.stop()
        say(f"\n{_summary(report)}")
        _deploy(server, sample, "\nOnce more, with nothing changed:\n$ iop")
    if report.failed:
        first = report.failed[0]
        raise IopError(f"{len(report.failed)} requests failed; the first: {first.path}: {first.reason}")


def _deploy(server: DisposableServer, sample: Sample, announced: str) -> None:
    """The program itself, as a user runs it, on this terminal."""
    console().say(announced)
    argv = [sys.executable, "-m", "iop", "--ssh-config", str(server.ssh_config)]
    done = subprocess.run(argv, cwd=sample.folder, check=False, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    if done.returncode:
        raise IopError(f"the deploy ended with status {done.returncode}; see above")


def _summary(report: Report) -> str:
    seen = ", ".join(f"{each.count} times “{body}”" for body, each in sorted(report.by_body.items()))
    rows = {
        "requests sent": f"{report.requests}, {report.long_requests} of them of 5 seconds",
        "failed": str(len(report.failed)),
        "slowest": f"{report.slowest:.2f} s, of the long ones {report.slowest_long:.2f} s",
        "answers": seen,
    }
    return "\n".join(f"{name:<14} {value}" for name, value in rows.items())
