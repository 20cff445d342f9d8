from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock

from iopproxy.http.addresses import Addresses
from iopproxy.http.limits import Limits

LIMITS = Limits()


class Names(Clock):
    """A reactor that resolves from a dict, but not what ``hanging`` has."""

    def __init__(self, **known: str) -> None:
        super().__init__()
        self.known = known
        self.hanging: dict[str, Deferred[str]] = {}

    def resolve(self, name: str, timeout: Any) -> Deferred[str]:
        if name in self.hanging:
            return self.hanging[name]
        return succeed(self.known[name]) if name in self.known else fail(DNSLookupError(name))


def result(deferred: Deferred[Any]) -> Any:
    got: list[Any] = []
    deferred.addCallback(got.append)
    return got[0]


def test_the_last_good_address_is_kept_while_the_name_is_away() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000", "gone:3000"]))
    del names.known["web"]
    assert result(Deferred.fromCoroutine(addresses.resolve("web"))) == "10.0.0.2"
    assert (addresses.known("web"), addresses.known("gone")) == ("10.0.0.2", None)
    names.known["web"] = "10.0.0.3"
    assert result(Deferred.fromCoroutine(addresses.resolve("web"))) == "10.0.0.3"


def test_addresses_need_no_resolving() -> None:
    assert Addresses(Names(), LIMITS).known("127.0.0.1") == "127.0.0.1"


def test_names_without_a_target_are_forgotten() -> None:
    addresses = Addresses(Names(web="10.0.0.2", api="10.0.0.3"), LIMITS)
    result(addresses.learn(["web:3000", "api:3000"]))
    addresses.keep_only(["api:3000"])
    assert (addresses.known("web"), addresses.known("api")) == (None, "10.0.0.3")


def test_a_question_that_is_never_answered_ends() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000"]))
    names.hanging["web"] = Deferred()
    got: list[Any] = []
    Deferred.fromCoroutine(addresses.resolve("web")).addBoth(got.append)
    names.advance(LIMITS.connect_time - 0.1)
    assert got == []
    names.advance(0.2)
    assert got == ["10.0.0.2"]


def test_asking_only_looks_at_now() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    assert result(Deferred.fromCoroutine(addresses.ask("web"))) == "10.0.0.2"
    assert addresses.known("web") is None
    result(addresses.learn(["web:3000"]))
    del names.known["web"]
    assert result(Deferred.fromCoroutine(addresses.ask("web"))) is None


def test_an_answer_that_comes_late_does_not_bring_a_forgotten_name_back() -> None:
    names = Names()
    names.hanging.update(old=Deferred(), new=Deferred())
    addresses = Addresses(names, LIMITS)
    addresses.learn(["old:3000", "new:3000"])
    addresses.keep_only(["new:3000"])
    names.hanging["old"].callback("10.0.0.2")
    names.hanging["new"].callback("10.0.0.3")
    assert (addresses.known("old"), addresses.known("new")) == (None, "10.0.0.3")
