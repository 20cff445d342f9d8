"""What the control process and its workers say to each other: Twisted's AMP over a socket pair for each worker."""

from __future__ import annotations

import json
import socket
from typing import Any, ClassVar, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols import amp
from twisted.python.failure import Failure

from iopproxy.reactor import Reactor

__all__ = [
    "Drain",
    "Entry",
    "Finish",
    "Leaving",
    "Link",
    "Put",
    "Report",
    "Reported",
    "Serve",
    "UnusableError",
    "connect",
]

Entry = tuple[str, str, Any]
"""Something all workers share: its kind, its key, and its value as JSON; None deletes it."""

_PIECE: Final = 65535
"""Bytes of one AMP value."""


class UnusableError(Exception):
    """A worker could not apply what it was sent; its log says why."""


class Json(amp.Argument):
    """A JSON value of any size: its text is cut into as many values of a box as it takes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    def toBox(self, name: bytes, strings: dict[bytes, bytes], objects: dict[str, Any], proto: object) -> None:
        """Write ``objects[name]`` into ``strings``."""
        text = json.dumps(objects.pop(name.decode()), separators=(",", ":")).encode()
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        strings[name] = b"%d" % len(pieces)
        for number, piece in enumerate(pieces):
            strings[b"%b.%d" % (name, number)] = piece

    def fromBox(
        self, name: bytes, strings: dict[bytes, bytes], objects: dict[str, Any], proto: object
    ) -> None:
        """The inverse."""
        count = int(strings.pop(name))
        text = b"".join(strings.pop(b"%b.%d" % (name, number)) for number in range(count))
        objects[name.decode()] = json.loads(text)


class Link(amp.AMP):
    """AMP that keeps quiet about its connections."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    makeConnection = amp.BinaryBoxProtocol.makeConnection

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody is at the other end any more."""
        amp.BinaryBoxProtocol.connectionLost(self, reason)

    def ask(self, command: type[amp.Command], **arguments: Any) -> Deferred[Any]:
        """The answer, a dict; fails with ConnectionClosed when there will be none."""
        asking: Deferred[Any] = self.callRemote(command, **arguments)  # type: ignore[no-untyped-call]
        return asking


def connect(reactor: Reactor, end: socket.socket, link: Link) -> None:
    """Let ``link`` speak over one end of a socket pair, which it takes over."""
    reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, _One(link))
    end.close()


class _One(Factory):
    """A protocol that exists already."""

    noisy = False

    def __init__(self, link: Link) -> None:
        self._link = link

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._link


# From control to a worker


class Put(amp.Command):
    """Share these entries. The answer: they are in force."""

    arguments: ClassVar = [(b"entries", Json())]
    errors: ClassVar = {UnusableError: b"UNUSABLE"}


class Serve(amp.Command):
    """All that is shared was sent: accept clients. The answer: it does."""


class Report(amp.Command):
    """How are things? ``Reported`` comes first, then the answer."""


class Drain(amp.Command):
    """Wait until no request and no tunnel goes to these targets, then close the tunnels that are left.

    ``timeout``: seconds. The answer: what was left, {"in_flight": {target: count}, "tunnels": {target: count}}.
    """

    arguments: ClassVar = [(b"targets", Json()), (b"timeout", amp.Float())]
    response: ClassVar = [(b"left", Json())]


class Finish(amp.Command):
    """Accept who waits, then no more; end when nobody is left, after ``timeout`` seconds at the latest."""

    arguments: ClassVar = [(b"timeout", amp.Float())]


# From a worker to control


class Reported(amp.Command):
    """How things are, unasked: every second, and once at the end."""

    arguments: ClassVar = [(b"report", Json())]


class Leaving(amp.Command):
    """It was told to end by somebody else; another one is needed."""
