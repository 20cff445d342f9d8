"""An app that keeps every byte it gets, and answers what a strict server takes for requests."""

from __future__ import annotations

from tests.proxy.running import wait_until
from tests.proxy.smuggling.readings import strict
from tests.proxy.upstreams import Conversation, answer


class App:
    """Answers what ``strict`` reads, and keeps what came on each connection."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._answered: list[int] = []
        self._over: list[bool] = []

    def clear(self) -> None:
        """Forget what came, between two attacks."""
        self.received[:] = [b""] * len(self.received)
        self._answered[:] = [0] * len(self.received)

    def __call__(self, conversation: Conversation) -> None:
        mine = len(self.received)
        self.received.append(b"")
        self._answered.append(0)
        self._over.append(False)
        try:
            while data := conversation.socket.recv(65536):
                self.received[mine] += data
                for each in strict(self.received[mine]).requests[self._answered[mine] :]:
                    self._answered[mine] += 1
                    conversation.send(answer()[:-2] if each.method == b"HEAD" else answer())
        finally:
            self._over[mine] = True

    def settle(self) -> None:
        """Until every connection is at an end, or between two requests."""
        wait_until(
            lambda: all(
                over or not strict(raw).rest for over, raw in zip(self._over, self.received, strict=True)
            )
        )

    def whole(self) -> list[bytes]:
        """What came on each connection that was used."""
        return [raw for raw in self.received if raw]
