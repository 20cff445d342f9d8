"""An app that keeps every byte it gets, and answers what a strict server takes for requests."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tests.proxy.running import wait_until
from tests.proxy.smuggling.readings import strict
from tests.proxy.upstreams import Conversation, answer


@dataclass
class Connection:
    """What came on one connection since the last attack."""

    received: bytes = b""
    answered: int = 0
    over: bool = False

    def settled(self) -> bool:
        """At an end, or between two requests."""
        read = strict(self.received)
        return self.over or (not read.rest and self.answered == len(read.requests))


class App:
    """Answers what ``strict`` reads, and keeps what came on each connection."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._changing = threading.Lock()

    def clear(self) -> None:
        """Forget what came, between two attacks."""
        with self._changing:
            self._connections = [each for each in self._connections if not each.over]
            for each in self._connections:
                each.received, each.answered = b"", 0

    def __call__(self, conversation: Conversation) -> None:
        mine = Connection()
        with self._changing:
            self._connections.append(mine)
        try:
            while data := conversation.socket.recv(65536):
                with self._changing:
                    mine.received += data
                    for each in strict(mine.received).requests[mine.answered :]:
                        mine.answered += 1
                        conversation.send(answer()[:-2] if each.method == b"HEAD" else answer())
        finally:
            with self._changing:
                mine.over = True

    def settle(self) -> None:
        """Until every connection is at an end, or between two requests."""
        wait_until(self._settled)

    def _settled(self) -> bool:
        with self._changing:
            return all(each.settled() for each in self._connections)

    def whole(self) -> list[bytes]:
        """What came on each connection that was used."""
        with self._changing:
            return [each.received for each in self._connections if each.received]
