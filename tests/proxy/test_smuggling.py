"""0 smuggled: every published attack against the real proxy, with an app behind it that keeps every byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.proxy.recording import App
from tests.proxy.running import Proxy
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
    came = app.whole()
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
