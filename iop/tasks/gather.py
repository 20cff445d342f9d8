"""Facts of every server a run is about."""

from __future__ import annotations

from collections.abc import Collection

from iop.connection import Server
from iop.facts import probe
from iop.facts.server import Facts

__all__ = ["gather"]


def gather(servers: Collection[Server]) -> dict[str, Facts]:
    """One round trip per server; keyed by the name iop.yml has for it."""
    found = {}
    for server in servers:
        output = server.script(probe.script(), "looking at the server").stdout
        found[server.original_host] = probe.parse(server.original_host, server.address, output)
    return found
