from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from iopproxy.tls.certificates import Certificate, CertificateError, is_name
from tests.certificates import Authority, ecdsa, key_pem, rsa_key

ISSUED_BY = Authority()
NOW = datetime.now(UTC)


def test_what_it_says_of_itself() -> None:
    found = Certificate.parse(ISSUED_BY.pem("A.example", "*.a.example", ends=30))
    assert found.names == ("a.example", "*.a.example")
    assert found.issuer == "CN=Test Intermediate"
    assert found.ecdsa
    assert abs(found.not_after - NOW - timedelta(days=30)) < timedelta(hours=1)
    assert found.valid(NOW)
    assert not found.valid(NOW + timedelta(days=31))


def test_only_key_and_chain_are_kept() -> None:
    chain, key = ISSUED_BY.issue("a.example", private_key=rsa_key())
    found = Certificate.parse(f"Bag Attributes: <none>\r\n{chain}a comment\n{key}".replace("\n", "\r\n"))
    assert "Bag Attributes" not in found.pem
    assert "comment" not in found.pem
    assert not found.ecdsa
    assert Certificate.parse(found.pem) == found


def test_the_key_is_not_shown() -> None:
    chain, key = ISSUED_BY.issue("a.example")
    assert key.splitlines()[1] not in repr(Certificate.parse(key + chain))


def parts(*names: str) -> tuple[str, str, str]:
    """(key, own certificate, intermediate)"""
    key = ecdsa()
    return key_pem(key), ISSUED_BY.certificate(*names, key=key), ISSUED_BY.intermediate


def encrypted() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        .decode()
    )


KEY, OWN, MIDDLE = parts("a.example")
OTHER = Authority("Other")

REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "nothing": (lambda: "", "exactly one private key in PEM form, not 0"),
    "no key": (lambda: OWN, "exactly one private key in PEM form, not 0"),
    "two keys": (lambda: KEY + KEY + OWN, "exactly one private key in PEM form, not 2"),
    "an encrypted key": (lambda: encrypted() + OWN, "without a passphrase"),
    "no certificate": (lambda: KEY, "1 to 8 certificates in PEM form, not 0"),
    "too many": (lambda: KEY + OWN * 9, "not 9"),
    "too large": (lambda: KEY + OWN + " " * 50000, "larger than"),
    "another's key": (lambda: key_pem(ecdsa()) + OWN, "doesn't belong to the certificate"),
    "out of order": (lambda: KEY + MIDDLE + OWN, "belongs to certificate 2; that must be the first"),
    "another's chain": (
        lambda: KEY + OWN + OTHER.intermediate,
        "Certificate 2 isn't the issuer of certificate 1",
    ),
    "no names": (lambda: "".join(parts()), "no DNS name"),
    "names that are none": (lambda: "".join(parts("a b", "*.*.a", "f*.a.example", "")), "no DNS name"),
    "a key that is none": (lambda: KEY.replace("M", "A", 1) + OWN, "private key can't be read"),
    "a short key": (lambda: ISSUED_BY.pem("a.example", private_key=rsa_key(1024)), "must be ECDSA on P-256"),
    "an odd curve": (
        lambda: ISSUED_BY.pem("a.example", private_key=ec.generate_private_key(ec.SECP256K1())),
        "must be ECDSA on P-256",
    ),
    "an odd kind": (
        lambda: (
            ed25519.Ed25519PrivateKey.generate()
            .private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            .decode()
            + OWN
        ),
        "must be ECDSA on P-256",
    ),
    "a certificate that is none": (
        lambda: KEY + OWN.replace("MII", "AAA", 1),
        "Certificate 1 of the chain can't be read",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, said = REFUSED[name]
    with pytest.raises(CertificateError) as caught:
        Certificate.parse(make())
    sentence = str(caught.value)
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "later", "said"),
    [
        ("a.example", 0, None),
        ("x.b.example", 0, None),
        ("*.b.example", 0, None),
        ("b.example", 0, "is for a.example, *.b.example, not for b.example"),
        ("x.y.b.example", 0, "not for x.y.b.example"),
        ("a.example", 91, "expired on"),
        ("a.example", -2, "isn't valid before"),
    ],
)
def test_whether_it_can_be_served(name: str, later: int, said: str | None) -> None:
    certificate = Certificate.parse(ISSUED_BY.pem("a.example", "*.b.example"))
    when = NOW + timedelta(days=later)
    if said is None:
        certificate.check(name, when)
    else:
        with pytest.raises(CertificateError, match=re.escape(said)):
            certificate.check(name, when)


@pytest.mark.parametrize("name", ["a", "a.example", "*.a.example", "xn--bcher-kva.example", "a_b.example"])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "*",
        "*.",
        "a.*.b",
        "**.a",
        "A.example",
        "a/b",
        "..",
        "_.a",
        "a\n",
        "a" * 64,
        "b." * 120,
    ],
)
def test_no_names(name: str) -> None:
    assert not is_name(name)
