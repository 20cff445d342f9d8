"""0 smuggled: every published attack against the real proxy, with an app behind it that keeps every byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.proxy.running import Proxy, wait_until
from tests.proxy.smuggling import chunks, encodings, grid, lengths, lines, responses
from tests.proxy.smuggling.attack import HIDDEN, Attack
from tests.proxy.smuggling.readings import chunked_first, length_first, strict
from tests.proxy.smuggling.responses import BAD, CUT, Answer
from tests.proxy.upstreams import Conversation, Handler, Upstream, answer
from tests.proxy.wire import Truncated, Wire

ATTACKS = {
    f"{module.__name__.rpartition('.')[2]}: {each.name}": each
    for module in (lengths, encodings, chunks, lines)
    for each in module.ATTACKS
}
LAST = b"GET /last HTTP/1.1\r\nHost: victim.example\r\nConnection: close\r\n\r\n"


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


@pytest.fixture(scope="module")
def app(proxy: Proxy) -> Iterator[App]:
    made = App()
    server = Upstream(made)
    proxy.route(server.target, host="victim.example", app="victim")
    yield made
    server.stop()


def test_there_are_enough() -> None:
    """Published cases, each once, each with its source."""
    assert len(ATTACKS) + len(responses.ANSWERS) >= 120
    assert len({each.data for each in ATTACKS.values()}) == len(ATTACKS)
    assert all(each.source.startswith("https://") for each in (*ATTACKS.values(), *responses.ANSWERS))


def strike(proxy: Proxy, app: App, attack: Attack) -> None:
    """Send it, with what must not or must become the next request, and look from both sides."""
    app.settle()
    app.clear()
    method = attack.data.split(b" ")[0].decode("latin-1")
    with Wire(proxy.port) as wire:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            wire.send(attack.data + (HIDDEN if attack.refused or attack.ends else LAST))
        for _ in attack.bodies:
            assert wire.response(method).status == 200
        if attack.refused:
            assert wire.response().status in (400, 413, 414, 417, 431, 501, 505)
        elif not attack.ends:
            assert wire.response().status == 200
        assert wire.closed(), "an answer to a request that nobody sent"
    app.settle()
    came = [raw for raw in app.received if raw]
    requests = [each for raw in came for each in strict(raw).requests]
    if not attack.refused and not attack.ends:
        assert requests.pop().target == b"/last"
    assert [each.body for each in requests] == list(attack.bodies)
    assert not any(each.target.endswith(b"/smuggled") for each in requests)
    for raw in came:
        assert length_first(raw) == chunked_first(raw) == strict(raw)


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_smuggled(proxy: Proxy, app: App, name: str) -> None:
    strike(proxy, app, ATTACKS[name])


@pytest.mark.parametrize("place", grid.PLACES)
def test_no_byte_hides_an_encoding(proxy: Proxy, app: App, place: str) -> None:
    for attack in grid.attacks(place):
        try:
            strike(proxy, app, attack)
        except AssertionError as error:
            raise AssertionError(attack.name) from error


def evil(data: bytes, first: list[bool]) -> Handler:
    """An app whose first answer is ``data`` and whose connection then ends; every other one is good."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.head()
            if first:
                first.clear()
                conversation.send(data)
                return
            conversation.send(answer(b"good"))

    return serve


@pytest.mark.parametrize("given", responses.ANSWERS, ids=lambda each: each.name)
def test_no_response_is_another_requests(
    proxy: Proxy, upstream: Callable[[Handler], Upstream], given: Answer
) -> None:
    host = proxy.route(upstream(evil(given.data, [True])).target)
    body = "Content-Length: 5\r\n\r\n" if given.method == "POST" else "\r\n"
    with Wire(proxy.port) as wire:
        wire.send(f"{given.method} / HTTP/1.1\r\nHost: {host}\r\n{body}".encode())
        try:
            response = wire.response(given.method)
        except (Truncated, ConnectionResetError):
            assert given.status in (CUT, BAD)
        else:
            assert response.status == given.status
            assert response.status == BAD or response.body == given.body
            assert not re.search(r"[\r\n\0]", "".join(f"{key}{value}" for key, value in response.headers))
            with suppress(Truncated, ConnectionResetError):
                assert wire.get(host).body == b"good"
    with Wire(proxy.port) as other:
        assert other.get(host).body == b"good"
