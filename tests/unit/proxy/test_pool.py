"""Which connection a request gets, on a fake network."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError
from twisted.internet.task import Clock

from iopproxy.http.addresses import Addresses
from iopproxy.http.deadlines import TICK, Deadlines
from iopproxy.http.dialing import Outgoing, _Dialled
from iopproxy.http.limits import Limits
from iopproxy.http.pool import Pool, UnreachableError
from iopproxy.http.upstream import UpstreamConnection
from tests.unit.proxy.transports import Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

LIMITS = Limits()


class Network(Clock):
    """Names that resolve and addresses that answer."""

    def __init__(self, names: dict[str, str], alive: set[str]) -> None:
        super().__init__()
        self.names, self.alive = names, alive
        self.dialled: list[str] = []
        self.resolved = 0

    def resolve(self, name: str) -> Deferred[str]:
        self.resolved += 1
        return succeed(self.names[name]) if name in self.names else fail(DNSLookupError(name))

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        self.dialled.append(address)
        if address not in self.alive:
            return fail(ConnectionRefusedError())
        protocol.makeConnection(Transport())
        return protocol.opened


class Asker:
    def answered(self, *_: object, **__: object) -> None:
        pass

    def switched(self, *_: object) -> None:
        pass

    def lost(self, *_: object, **__: object) -> None:
        pass

    def upstream_full(self, *_: object) -> None:
        pass


class Setting:
    def __init__(self, names: dict[str, str], alive: set[str]) -> None:
        self.clock, self.network = Clock(), Network(names, alive)
        self.deadlines, self.addresses = Deadlines(self.clock), Addresses(self.network, LIMITS)
        self.wanted = {"web:3000"}
        self.addresses.learn(self.wanted)
        self.pool = Pool(self.network, self.addresses, self.deadlines, lambda: self.wanted, LIMITS)

    def connect(self) -> UpstreamConnection:
        return result(Deferred.fromCoroutine(self.pool.connect("web:3000")))

    def exchange(self, connection: UpstreamConnection) -> None:
        """One request and its response."""
        connection.ask(Asker(), b"GET", None)
        connection.send(b"...", last=True)
        connection.dataReceived(OK)

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK)):
            self.clock.advance(TICK)
            self.deadlines.tick()


def result(deferred: Deferred[Any]) -> Any:
    got: list[Any] = []
    deferred.addBoth(got.append)
    if isinstance(got[0], Exception) or hasattr(got[0], "raiseException"):
        got[0].raiseException()
    return got[0]


def test_a_container_without_its_name_is_still_reached() -> None:
    """The alias move takes the name away for a moment, the address stays."""
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    setting.connect()
    del setting.network.names["web"]
    setting.connect()
    assert (setting.network.dialled, setting.network.resolved) == (["10.0.0.2", "10.0.0.2"], 1)


def test_a_container_with_a_new_address_is_found() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    setting.connect()
    setting.network.names, setting.network.alive = {"web": "10.0.0.3"}, {"10.0.0.3"}
    setting.connect()
    assert setting.network.dialled == ["10.0.0.2", "10.0.0.2", "10.0.0.3"]


@pytest.mark.parametrize(
    ("names", "why"), [({}, "its name isn't known"), ({"web": "10.0.0.2"}, "connection refused on port 3000")]
)
def test_why_there_is_no_connection(names: dict[str, str], why: str) -> None:
    setting = Setting(names, set())
    with pytest.raises(UnreachableError, match=why):
        setting.connect()
    assert len(setting.network.dialled) <= 1


def test_no_request_goes_to_a_connection_that_broke_and_whose_last_words_are_a_response() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    connection = setting.connect()
    found: list[UpstreamConnection | None] = []

    class Next(Asker):
        def answered(self, *_: object, **__: object) -> None:
            found.append(setting.pool.take("web:3000", False))

    connection.ask(Next(), b"GET", None)
    connection.send(b"...", last=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(OK)
        theirs.close()
        carrier = _Dialled(connection)
        carrier._protocol, carrier._stream = connection, SimpleNamespace(get_extra_info=lambda _: ours)
        carrier.connection_lost(ConnectionResetError())
    assert found == [None]


def test_a_used_connection_is_taken_again_the_last_one_first() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    first, second = setting.connect(), setting.connect()
    setting.exchange(first)
    setting.exchange(second)
    take = setting.pool.take
    assert [take("web:3000", False), take("web:3000", False), take("web:3000", False)] == [
        second,
        first,
        None,
    ]


def test_an_idle_connection_ends_after_its_time() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    connection = setting.connect()
    setting.exchange(connection)
    setting.pass_time(LIMITS.pool_idle_time - 1)
    assert not connection.transport.disconnected
    setting.pass_time(2)
    assert connection.transport.disconnected
    assert setting.pool.take("web:3000", False) is None


def test_what_can_not_be_sent_twice_takes_no_old_connection() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    setting.exchange(setting.connect())
    setting.pass_time(LIMITS.pool_young_time + 1)
    assert setting.pool.take("web:3000", young=True) is None
    assert setting.pool.take("web:3000", young=False) is not None


def test_the_pool_is_bounded() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    connections = [setting.connect() for _ in range(LIMITS.pool_size + 3)]
    for each in connections:
        setting.exchange(each)
    assert [each.transport.disconnected for each in connections].count(True) == 3


def test_nothing_is_kept_for_a_target_without_a_route() -> None:
    setting = Setting({"web": "10.0.0.2"}, {"10.0.0.2"})
    idle, busy = setting.connect(), setting.connect()
    setting.exchange(idle)
    setting.wanted.clear()
    setting.pool.forget("web:3000")
    setting.exchange(busy)
    assert (idle.transport.disconnected, busy.transport.disconnected) == (True, True)


def test_reasons_are_sentences() -> None:
    from iopproxy.http.pool import reason

    assert reason(ConnectError(string="no route to host"), 80) == (
        "no way to port 80 (An error occurred while connecting: no route to host.)"
    )
