from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock

from iopproxy.control.health import Check, Checker, Verdict
from iopproxy.http.addresses import Addresses
from iopproxy.http.dialing import Outgoing
from iopproxy.http.limits import Limits


class Network(Clock):
    """A network on which a container had a name once; whoever has its address now would be dialed."""

    def __init__(self) -> None:
        super().__init__()
        self.named = True
        self.dialed: list[str] = []

    def resolve(self, name: str) -> Deferred[str]:
        return succeed("10.0.0.2") if self.named else fail(DNSLookupError(name))

    def dial(self, address: str, port: int, protocol: Outgoing) -> Deferred[None]:
        self.dialed.append(address)
        return Deferred()


def test_a_container_that_is_gone_is_not_asked_at_its_last_address() -> None:
    network = Network()
    addresses = Addresses(network, Limits())
    addresses.learn(["web:3000"])
    network.named = False
    verdicts: list[Verdict] = []
    check = Check("web:3000", "/up", "a.example", interval=1, timeout=5, attempts=1)
    Deferred.fromCoroutine(Checker(network, addresses, network, Limits()).run(check)).addCallback(
        verdicts.append
    )
    assert network.dialed == []
    assert verdicts == [Verdict(False, 1, "name not known on the network")]
