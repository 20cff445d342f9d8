"""The admin API's certificates and challenges: checked, written, pushed to the workers, in this order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from iopproxy.control import certificates
from iopproxy.control.certificates import Certificates, NoCertificateError, read_certificate
from iopproxy.control.challenges import Challenges, read_key_authorization
from iopproxy.routing.values import InvalidError
from iopproxy.tls.store import CertificateStore
from tests.certificates import Authority, ecdsa, key_pem

ISSUED_BY = Authority()
TOKEN, THUMBPRINT = "evaGxfADs6pSRb2LAv9IZf17", "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


class Workers:
    """Records what is pushed; acknowledges when told to."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, str, Any]] = []
        self.acknowledged: Deferred[None] | None = None

    async def put(self, entries: list[tuple[str, str, Any]]) -> None:
        self.pushed += entries
        if self.acknowledged is not None:
            await self.acknowledged


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def changes(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setattr(certificates, "deferToThread", lambda call, *args: succeed(call(*args)))
    return Certificates(CertificateStore(tmp_path / "certs"), workers)


def body(*names: str, **more: Any) -> dict[str, str]:
    chain, key = ISSUED_BY.issue(*names, **more)
    return {"certificate": chain, "private_key": key}


def result(coroutine: Any) -> Any:
    """Of what is over at once."""
    results: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    (one,) = results
    if isinstance(one, Failure):
        one.raiseException()
    return one


def test_the_life_of_a_certificate(changes: Certificates, workers: Workers, tmp_path: Path) -> None:
    first, second = body("a.example", "www.a.example"), body("a.example")
    shown = result(changes.put("a.example", read_certificate("a.example", first)))
    assert shown["names"] == ["a.example", "www.a.example"]
    assert shown["file"] == str(tmp_path / "certs" / "a.example.pem")
    assert Path(shown["file"]).read_text() == workers.pushed[0][2]
    assert first["private_key"] not in str(changes.listed())
    result(changes.put("a.example", read_certificate("a.example", second)))
    assert [each["names"] for each in changes.listed()["certificates"]] == [["a.example"]]
    assert result(changes.delete("a.example")) == {"certificates": []}
    assert not list((tmp_path / "certs").iterdir())
    assert [(kind, key, value is None) for kind, key, value in workers.pushed] == [
        ("certificates", "a.example", False),
        ("certificates", "a.example", False),
        ("certificates", "a.example", True),
    ]
    with pytest.raises(NoCertificateError, match=r"no certificate a\.example"):
        result(changes.delete("a.example"))


def test_the_answer_waits_for_the_workers(changes: Certificates, workers: Workers) -> None:
    workers.acknowledged = Deferred()
    answers: list[Any] = []
    putting = changes.put("a.example", read_certificate("a.example", body("a.example")))
    Deferred.fromCoroutine(putting).addBoth(answers.append)
    assert workers.pushed
    assert not answers
    workers.acknowledged.callback(None)
    assert [each["name"] for each in answers] == ["a.example"]


def test_all_are_put_in_force_at_the_start(changes: Certificates, workers: Workers, tmp_path: Path) -> None:
    for name in ("a.example", "*.b.example"):
        result(changes.put(name, read_certificate(name, body(name))))
    before, workers.pushed = workers.pushed, []
    again = Certificates(CertificateStore(tmp_path / "certs"), workers)
    result(again.share())
    assert sorted(workers.pushed) == sorted(before)
    assert again.listed() == changes.listed()


def test_what_can_not_be_saved_is_not_in_force(
    changes: Certificates, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(certificates, "deferToThread", full)
    with pytest.raises(OSError, match="No space"):
        result(changes.put("a.example", read_certificate("a.example", body("a.example"))))
    assert changes.listed() == {"certificates": []}
    assert not workers.pushed


REFUSED: dict[str, tuple[str, Any, str]] = {
    "no object": ("a.example", [], "must be a JSON object"),
    "no key": ("a.example", {"certificate": ""}, "private_key is missing"),
    "numbers": ("a.example", {"certificate": 1, "private_key": 2}, "must be text in PEM form"),
    "no PEM": ("a.example", {"certificate": "", "private_key": ""}, "exactly one private key"),
    "another's key": (
        "a.example",
        {**body("a.example"), "private_key": key_pem(ecdsa())},
        "doesn't belong to the certificate",
    ),
    "another name": ("b.example", body("a.example"), "not for b.example"),
    "expired": ("a.example", body("a.example", ends=-0.1), "expired on"),
    "too early": ("a.example", body("a.example", begins=1), "isn't valid before"),
    "a path": ("..", body("a.example"), "must be a host name"),
    "an address": ("A.example", body("a.example"), "must be a host name"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(kind: str) -> None:
    name, given, said = REFUSED[kind]
    with pytest.raises(InvalidError, match=said):
        read_certificate(name, given)


def test_the_life_of_a_challenge(workers: Workers) -> None:
    challenges = Challenges(workers)
    answer = f"{TOKEN}.{THUMBPRINT}"
    assert read_key_authorization(TOKEN, {"key_authorization": answer}) == answer
    result(challenges.put(TOKEN, answer))
    result(challenges.delete(TOKEN))
    result(challenges.delete(TOKEN))
    assert workers.pushed == [("challenges", TOKEN, answer), ("challenges", TOKEN, None)]


@pytest.mark.parametrize(
    ("token", "given"),
    [
        (TOKEN, None),
        (TOKEN, {"key_authorization": None}),
        (TOKEN, {"key_authorization": TOKEN}),
        (TOKEN, {"key_authorization": f"{TOKEN}.{THUMBPRINT}="}),
        (TOKEN, {"key_authorization": f"another.{THUMBPRINT}"}),
        ("short", {"key_authorization": f"short.{THUMBPRINT}"}),
        ("%2e%2e" * 5, {"key_authorization": f"{'%2e%2e' * 5}.{THUMBPRINT}"}),
    ],
)
def test_challenges_are_strict(token: str, given: Any) -> None:
    with pytest.raises(InvalidError):
        read_key_authorization(token, given)


def test_there_is_an_end_to_challenges(workers: Workers) -> None:
    challenges = Challenges(workers)
    for number in range(1000):
        result(challenges.put(f"{number:020}", "answer"))
    result(challenges.put(f"{0:020}", "another answer"))
    with pytest.raises(InvalidError, match="1000 challenges"):
        result(challenges.put(TOKEN, "answer"))
