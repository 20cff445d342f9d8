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
        self.asked: list[str] = []

    def resolve(self, name: str) -> Deferred[str]:
        self.asked.append(name)
        if name in self.hanging:
            return self.hanging[name]
        return succeed(self.known[name]) if name in self.known else fail(DNSLookupError(name))


def result(deferred: Deferred[Any]) -> Any:
    got: list[Any] = []
    deferred.addCallback(got.append)
    return got[0]


def wait(coroutine: Any) -> Any:
    return result(Deferred.fromCoroutine(coroutine))


def test_the_last_good_address_is_kept_while_the_name_is_away() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000", "gone:3000"]))
    del names.known["web"]
    assert wait(addresses.again("web:3000")) == "10.0.0.2"
    assert (wait(addresses.find("web:3000")), wait(addresses.find("gone:3000"))) == ("10.0.0.2", None)
    names.known["web"] = "10.0.0.3"
    assert wait(addresses.again("web:3000")) == "10.0.0.3"


def test_an_address_is_asked_for_again_once_it_is_old() -> None:
    """Its container may have come back with another one, and somebody else may have this one now."""
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000"]))
    names.known["web"] = "10.0.0.3"
    names.advance(LIMITS.refresh_time - 0.1)
    assert (wait(addresses.find("web:3000")), names.asked) == ("10.0.0.2", ["web"])
    names.advance(0.2)
    assert (wait(addresses.find("web:3000")), names.asked) == ("10.0.0.3", ["web", "web"])
    names.advance(LIMITS.refresh_time - 0.1)
    assert (wait(addresses.find("web:3000")), names.asked) == ("10.0.0.3", ["web", "web"])


def test_addresses_need_no_resolving() -> None:
    names = Names()
    assert wait(Addresses(names, LIMITS).find("127.0.0.1:80")) == "127.0.0.1"
    assert names.asked == []


def test_only_what_was_learned_is_remembered_until_it_is_forgotten() -> None:
    names = Names(web="10.0.0.2", api="10.0.0.3")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000"]))
    wait(addresses.find("api:3000"))
    addresses.forget("web:3000")
    names.known.clear()
    assert (wait(addresses.find("web:3000")), wait(addresses.find("api:3000"))) == (None, None)


def test_a_question_that_is_never_answered_ends_and_holds_up_one_request() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000"]))
    names.advance(LIMITS.refresh_time)
    names.hanging["web"] = Deferred()
    got: list[Any] = []
    Deferred.fromCoroutine(addresses.find("web:3000")).addBoth(got.append)
    assert wait(addresses.find("web:3000")) == "10.0.0.2"
    names.advance(LIMITS.resolve_time - 0.1)
    assert got == []
    names.advance(0.2)
    assert got == ["10.0.0.2"]


def test_many_who_ask_for_one_name_ask_once() -> None:
    """Each question blocks a thread, and those are needed for the names of others."""
    names = Names()
    names.hanging["web"] = Deferred()
    addresses = Addresses(names, LIMITS)
    got: list[Any] = []
    for _ in range(3):
        Deferred.fromCoroutine(addresses.find("web:3000")).addBoth(got.append)
    names.advance(LIMITS.connect_time + 1)
    Deferred.fromCoroutine(addresses.find("web:3000")).addBoth(got.append)
    assert (got, names.asked) == ([None] * 3, ["web"])
    names.hanging.pop("web").callback("10.0.0.2")
    assert got == [None] * 3 + ["10.0.0.2"]


def test_asking_only_looks_at_now() -> None:
    names = Names(web="10.0.0.2")
    addresses = Addresses(names, LIMITS)
    result(addresses.learn(["web:3000"]))
    del names.known["web"]
    assert wait(addresses.ask("web")) is None


def test_an_answer_that_comes_late_does_not_bring_a_forgotten_target_back() -> None:
    names = Names()
    names.hanging.update(old=Deferred(), new=Deferred())
    addresses = Addresses(names, LIMITS)
    addresses.learn(["old:3000", "new:3000"])
    addresses.forget("old:3000")
    names.hanging.pop("old").callback("10.0.0.2")
    names.hanging.pop("new").callback("10.0.0.3")
    assert (wait(addresses.find("old:3000")), wait(addresses.find("new:3000"))) == (None, "10.0.0.3")
