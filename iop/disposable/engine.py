"""A Docker engine on this machine: the one that runs, else one of our own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from iop.disposable import cache
from iop.disposable.daemon import daemon
from iop.disposable.docker import answers
from iop.disposable.pace import Say
from iop.disposable.packages import install
from iop.errors import MissingError

__all__ = ["local_engine"]

# One after the other: Debian 12 has the client in docker.io as well, Debian 13 in a package of its own.
_PROGRAMS = ({"dockerd": "docker.io", "iptables": "iptables"}, {"docker": "docker-cli"})


@contextmanager
def local_engine(say: Say) -> Iterator[None]:
    """Use the Docker engine that answers; else install and start one, and stop it afterwards.

    Raises MissingError saying what this machine lacks: Linux, root, or Debian's packages.
    """
    if answers():
        yield
        return
    if os.environ.get("DOCKER_HOST"):
        raise MissingError(
            "the Docker engine that DOCKER_HOST names does not answer", "start it, or unset DOCKER_HOST"
        )
    if sys.platform != "linux":
        raise MissingError("no Docker engine answers on this machine", "start Docker on a Linux machine")
    if os.geteuid() != 0:
        raise MissingError(
            "no Docker engine answers, and only root may start one",
            "start Docker (systemctl start docker) and be in the group docker, or run this as root",
        )
    with ExitStack() as stack:
        with cache.locked("engine"):  # two runs at once must not start two
            if not answers():
                for programs in _PROGRAMS:
                    install(programs, say, "starting a Docker engine")
            if not answers():  # where systemd runs, the package has started it by now, and it stays
                say("starting a Docker engine")
                stack.enter_context(daemon())
        yield
