"""The admin API's certificates and challenges answer as tests/contract.py says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import contract
from tests.proxy.running import Proxy
from tests.proxy.secure import AUTHORITY

NAME = contract.CERTIFICATE["name"]
CALL = f"/v1/certificates/{NAME}"


def body(*names: str, **how: Any) -> dict[str, str]:
    chain, key = AUTHORITY.issue(*names, **how)
    return {"certificate": chain, "private_key": key}


def error(status: int, answered: tuple[int, Any]) -> str:
    """The sentence of an error of that status."""
    assert answered[0] == status, answered
    assert set(answered[1]) == set(contract.ERROR)
    sentence: str = answered[1]["error"]
    assert sentence.endswith("."), sentence
    return sentence


def test_the_life_of_a_certificate(start_proxy: Callable[..., Proxy]) -> None:
    """Without HTTPS too: a certificate may be there before its port is."""
    proxy = start_proxy()
    begins, ends = (datetime.fromisoformat(contract.CERTIFICATE[key]) for key in ("not_before", "expiry"))
    sent = body(*contract.CERTIFICATE["names"], begins=begins, ends=ends)
    expected = {**contract.CERTIFICATE, "file": str(proxy.state / "certs" / f"{NAME}.pem")}
    assert proxy.api("GET", "/v1/certificates") == (200, {"certificates": []})
    assert proxy.api("PUT", CALL, sent) == (200, expected)
    assert proxy.api("GET", "/v1/certificates") == (200, {"certificates": [expected]})
    status, shown = proxy.api("PUT", f"/v1/certificates/*.{NAME}", sent)
    assert (status, Path(shown["file"]).name) == (200, f"_.{NAME}.pem")
    assert proxy.api("DELETE", f"/v1/certificates/*.{NAME}") == (200, {"certificates": [expected]})
    assert proxy.api("DELETE", CALL) == (200, {"certificates": []})
    assert "no certificate" in error(404, proxy.api("DELETE", CALL))
    assert sent["private_key"].splitlines()[1] not in proxy.log


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        (NAME, None, "must be a JSON object"),
        (NAME, {"certificate": ""}, "private_key is missing"),
        (NAME, {"certificate": None, "private_key": []}, "must be text"),
        (NAME, {"certificate": "x", "private_key": "y"}, "exactly one private key"),
        (NAME, body("b.example"), "not for a.example"),
        (NAME, body(NAME, ends=-0.5), "expired"),
        ("..%2fstate", body(NAME), "host name"),
        ("A.example", body(NAME), "host name"),
    ],
)
def test_certificates_are_checked_before_they_are_used(proxy: Proxy, name: str, sent: Any, said: str) -> None:
    assert said in error(400, proxy.api("PUT", f"/v1/certificates/{name}", sent))
    assert proxy.api("GET", "/v1/certificates") == (200, {"certificates": []})


def test_challenges(proxy: Proxy) -> None:
    path = f"/v1/challenges/{contract.CHALLENGE_TOKEN}"
    assert proxy.api("PUT", path, contract.CHALLENGE_BODY) == (200, {})
    assert proxy.api("DELETE", path) == (200, {})
    assert proxy.api("DELETE", path) == (200, {})
    assert "thumbprint" in error(400, proxy.api("PUT", path, {"key_authorization": "x"}))
    assert "token" in error(400, proxy.api("PUT", "/v1/challenges/short", contract.CHALLENGE_BODY))


def test_they_want_the_token(proxy: Proxy) -> None:
    for method, path in (("GET", "/v1/certificates"), ("PUT", CALL), ("PUT", "/v1/challenges/x")):
        error(401, proxy.api(method, path, token="wrong"))
