"""Every limit and time of the data path, in one place. Sizes are bytes, times are seconds."""

from __future__ import annotations

from typing import Final

__all__: list[str] = []

TARGET_SIZE: Final = 8192
"""Of a request's target (path and query); longer is answered 414."""
HEAD_SIZE: Final = 32768
"""Of a message's head. Longer is answered 431, and 502 when an upstream sends it."""
HEADER_COUNT: Final = 100
"""Header lines of one message."""
INTERIM_COUNT: Final = 16
"""1xx responses before the final one."""

HEAD_TIME: Final = 20.0
"""From a request's first byte (or a connection's start) to the end of its head."""
IDLE_TIME: Final = 75.0
"""How long a client's connection may stay open between two requests."""
BODY_STALL_TIME: Final = 60.0
"""How long nothing may come of a request's body while a response is already under way."""
READ_STALL_TIME: Final = 120.0
"""How long a client may leave a full send buffer alone."""
LINGER_TIME: Final = 2.0
"""How long a refused client's bytes are read and dropped once it has the answer, so that it gets to see it."""

KEEPALIVE_IDLE: Final = 15
"""How long a connection may be silent before the kernel asks whether the other side is still there."""
KEEPALIVE_INTERVAL: Final = 5
"""Between two such questions."""
KEEPALIVE_COUNT: Final = 3
"""Questions without an answer that end a connection."""

CONNECT_TIME: Final = 5.0
"""To reach a target."""
RESOLVE_TIME: Final = 2.0
"""How long a route change waits for the names of its targets."""
REFRESH_TIME: Final = 5.0
"""Between two looks at what the targets' names resolve to."""
POOL_SIZE: Final = 256
"""Idle connections kept per target."""
POOL_IDLE_TIME: Final = 4.0
"""How long an idle connection to a target is kept: less than the 5 s after which Node closes it."""
POOL_YOUNG_TIME: Final = 1.0
"""A request that can't be sent twice takes a pooled connection only if it was idle for less than this."""
DRAIN_GRACE_TIME: Final = 0.5
"""How long idle connections stay open once draining: a request already on its way still gets its answer."""
TICK: Final = 0.25
"""How finely deadlines are kept."""
