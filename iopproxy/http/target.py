"""The request target of RFC 9112 section 3.2: which path, and possibly which host, a request names."""

from __future__ import annotations

from iopproxy.http.request import RefusedError

__all__ = ["split"]


def split(target: bytes, method: bytes) -> tuple[bytes, bytes | None]:
    """(what goes on to an upstream, the authority of an absolute-form target).

    Raises RefusedError for forms that a reverse proxy has no use for.
    """
    authority: bytes | None = None
    path = target
    if target[:1] != b"/" and (target != b"*" or method != b"OPTIONS"):
        authority, path = _absolute(target, method)
    if b"#" in path:
        raise RefusedError(400, "The target has a fragment.")
    return path, authority


def _absolute(target: bytes, method: bytes) -> tuple[bytes, bytes]:
    """(authority, path) of an http URL."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        raise RefusedError(400, "The target is neither a path nor an http URL.")
    ends = [at for at in (rest.find(mark) for mark in (b"/", b"?", b"#")) if at >= 0]
    end = min(ends, default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not path:
        return authority, (b"*" if method == b"OPTIONS" else b"/")
    return authority, (path if path.startswith(b"/") else b"/" + path)
