"""Addresses to connect from: one has too few ports for many connections, and proxies count connections for each."""

from __future__ import annotations

import resource

_PER_ADDRESS = 50


def source(number: int) -> tuple[str, int]:
    """Where the connection of this number comes from: an address of 127.0.0.0/8, any port."""
    third, fourth = divmod(number // _PER_ADDRESS, 250)
    return f"127.0.{third + 1}.{fourth + 1}", 0


def open_files() -> int:
    """Take all that this process may have, and its children with it; how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
