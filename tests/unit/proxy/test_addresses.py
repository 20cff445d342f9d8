from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError

from iopproxy.http.addresses import Addresses


class Names:
    """A reactor that resolves from a dict."""

    def __init__(self, **known: str) -> None:
        self.known = known

    def resolve(self, name: str, timeout: Any) -> Deferred[str]:
        return succeed(self.known[name]) if name in self.known else fail(DNSLookupError(name))


def result(deferred: Deferred[Any]) -> Any:
    got: list[Any] = []
    deferred.addCallback(got.append)
    return got[0]


def test_the_last_good_address_is_kept_while_the_name_is_away() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names)
    result(addresses.learn(["web:3000", "gone:3000"]))
    del names.known["web"]
    assert result(Deferred.fromCoroutine(addresses.resolve("web"))) == "10.0.0.2"
    assert (addresses.known("web"), addresses.known("gone")) == ("10.0.0.2", None)
    names.known["web"] = "10.0.0.3"
    assert result(Deferred.fromCoroutine(addresses.resolve("web"))) == "10.0.0.3"


def test_addresses_need_no_resolving() -> None:
    assert Addresses(Names()).known("127.0.0.1") == "127.0.0.1"


def test_names_without_a_target_are_forgotten() -> None:
    addresses = Addresses(Names(web="10.0.0.2", api="10.0.0.3"))
    result(addresses.learn(["web:3000", "api:3000"]))
    addresses.keep_only(["api:3000"])
    assert (addresses.known("web"), addresses.known("api")) == (None, "10.0.0.3")
