"""Every limit and time of the data path, in one place; ``--limit NAME=VALUE`` sets any of them."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Limits"]


@frozen
class Limits:
    """Sizes are bytes, times are seconds."""

    connections: int = 20000
    """Clients' connections that one worker has at once; one more is closed unanswered."""
    connections_per_address: int = 2000
    """Of these, from one address."""
    handshake_time: float = 10.0
    """For the handshake of TLS."""

    target_size: int = 8192
    """Of a request's target (path and query); longer is answered 414."""
    head_size: int = 32768
    """Of a message's head. Longer is answered 431, and 502 when an upstream sends it."""
    header_count: int = 100
    """Header lines of one message."""
    interim_count: int = 16
    """1xx responses before the final one."""

    head_time: float = 20.0
    """From a request's first byte (or a connection's start) to the end of its head."""
    idle_time: float = 75.0
    """How long a client's connection may stay open between two requests."""
    body_grace_time: float = 30.0
    """How often it is looked at whether a request's body comes fast enough."""
    body_rate: int = 50
    """Bytes per second that must have come on average since the last look; 0 asks for none."""
    write_stall_time: float = 120.0
    """How long a full send buffer may stay full: a client that takes none of its response, a target none of a body."""
    linger_time: float = 2.0
    """How long a refused client's bytes are read and dropped once it has the answer, so that it gets to see it."""

    tunnel_idle_time: float = 3600.0
    """How long a tunnel (a WebSocket, say) may be silent in both directions."""

    connect_time: float = 5.0
    """To reach a target."""
    resolve_time: float = 2.0
    """How long a route change waits for the names of its targets, and a request for a name whose address is old."""
    refresh_time: float = 5.0
    """How long the address of a target is used for new connections before its name is asked for again."""
    pool_size: int = 256
    """Idle connections kept per target."""
    pool_idle_time: float = 4.0
    """How long an idle connection to a target is kept: less than the 5 s after which Node closes it."""
    pool_young_time: float = 1.0
    """A request that can't be sent twice takes a pooled connection only if it was idle for less than this."""
    eject_failures: int = 3
    """Connections to a target that fail in a row before it is ejected: others get its requests."""
    eject_time: float = 10.0
    """How often an ejected target is tried again with one request."""
    eject_retry: float = 1.0
    """How often when its route has no other target left; meanwhile the answer is 503."""
    checks_at_once: int = 256
    """Health checks that may be under way; more wait."""
    log_buffer: int = 4194304
    """Of log lines, in each process, while nobody takes them; more is dropped and counted."""
    drain_grace_time: float = 0.5
    """How long idle connections stay open once draining: a request already on its way still gets its answer."""

    h2_streams: int = 100
    """Requests that a client may have under way at once on one HTTP/2 connection."""
    h2_stream_window: int = 262144
    """Of a request's body over HTTP/2: what may be on its way before the target takes it. The first 64 KB are each
    stream's own."""
    h2_connection_window: int = 1048576
    """Of all bodies of a connection beyond these 64 KB: those whose targets take fast share it."""
    h2_resets: int = 500
    """Streams that a client may reset, or make the proxy reset, in a burst."""
    h2_reset_rate: float = 30.0
    """And per second, for as long as it likes."""
    h2_empty_frames: int = 1000
    """Frames that carry neither a request nor a body, in a burst, beside those that requests and responses earn."""
    h2_empty_frame_rate: float = 50.0
    """And per second, for as long as it likes."""
    h2_small_frames: int = 10000
    """Pieces of bodies under 256 bytes, in a burst, beside one for each request."""
    h2_small_frame_rate: float = 1000.0
    """And per second, for as long as it likes."""
    h2_ping_interval: float = 30.0
    """How long a client may be silent while streams are open before it is asked whether it is still there."""
    h2_ping_time: float = 20.0
    """How long it has to answer."""
