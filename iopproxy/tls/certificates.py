"""A certificate with its chain and its key: read from PEM, strictly, and described."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeAlias

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["Certificate", "CertificateError", "covers", "is_name"]

Key: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey

_SIZE = 49152
"""Characters of key and chain. RSA ones with a long chain have some 12,000."""
_CHAIN = 8
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n[A-Za-z0-9+/=\s]+-----END \1-----")
_KEYS = frozenset({"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"})
_LABEL = "[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(\*\.{_LABEL}\.)?({_LABEL}\.)*{_LABEL}")
_NAME_SIZE = 200
"""Characters: a file is called by the name, and a damaged one by more than that."""
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_RSA_BITS = 2048


class CertificateError(Exception):
    """A certificate that can't be used. Its text is one sentence for a person."""


def is_name(name: str) -> bool:
    """Whether it is a host name in lower case, possibly with ``*`` as its whole first label."""
    return len(name) <= _NAME_SIZE and _NAME.fullmatch(name) is not None


def covers(names: tuple[str, ...], name: str) -> bool:
    """Whether one of a certificate's names is ``name``, or a wildcard for its first label (RFC 9525 section 6.3)."""
    return name in names or "*." + name.partition(".")[2] in names


@frozen
class Certificate:
    """Whoever has ``pem`` has the private key: it is never shown."""

    names: tuple[str, ...]
    """The DNS names, in lower case; ``*.`` stands for one label."""
    issuer: str
    not_before: datetime
    not_after: datetime
    ecdsa: bool
    pem: str = field(repr=False)
    """The key, the certificate, its chain; nothing else that was in the file."""

    @classmethod
    def parse(cls, text: str) -> Certificate:
        """Read a private key and the certificates from its own up to one that clients know, in this order.

        Raises CertificateError. Whether it is expired isn't asked here.
        """
        if len(text) > _SIZE:
            raise CertificateError(f"Certificate and key are larger than {_SIZE} characters.")
        blocks = [(match[1], match[0]) for match in _BLOCK.finditer(text)]
        keys = [block for label, block in blocks if label in _KEYS]
        chain = [block for label, block in blocks if label == "CERTIFICATE"]
        if any("ENCRYPTED" in label for label, _ in blocks) or "Proc-Type: 4,ENCRYPTED" in text:
            raise CertificateError("The private key is encrypted; it must come without a passphrase.")
        if len(keys) != 1:
            raise CertificateError(f"There must be exactly one private key in PEM form, not {len(keys)}.")
        if not 1 <= len(chain) <= _CHAIN:
            raise CertificateError(f"There must be 1 to {_CHAIN} certificates in PEM form, not {len(chain)}.")
        key, certificates = _read_key(keys[0]), _read_chain(chain)
        _check_chain(key, certificates)
        leaf = certificates[0]
        return cls(
            names=_names(leaf),
            issuer=_issuer(leaf),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            ecdsa=isinstance(key, EllipticCurvePrivateKey),
            pem="\n".join((keys[0], *chain, "")),
        )

    def valid(self, now: datetime) -> bool:
        """Whether clients accept it at that moment, as far as its own dates go."""
        return self.not_before <= now <= self.not_after

    def check(self, name: str, now: datetime) -> None:
        """Whether it can be served for ``name`` now. Raises CertificateError."""
        if not covers(self.names, name):
            raise CertificateError(f"The certificate is for {', '.join(self.names)}, not for {name}.")
        if now > self.not_after:
            raise CertificateError(f"The certificate expired on {_day(self.not_after)}.")
        if now < self.not_before:
            raise CertificateError(f"The certificate isn't valid before {_day(self.not_before)}.")


def _read_key(pem: str) -> Key:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise CertificateError("The private key can't be read.") from error
    except Exception as error:  # UnsupportedAlgorithm, and what a C library thinks of next
        raise CertificateError("The private key is of a kind that isn't supported.") from error
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= _RSA_BITS:
        return key
    raise CertificateError(
        f"The private key must be ECDSA on P-256, P-384 or P-521, or RSA of {_RSA_BITS} bits or more."
    )


def _read_chain(blocks: list[str]) -> list[x509.Certificate]:
    read = []
    for number, block in enumerate(blocks, 1):
        try:
            read.append(x509.load_pem_x509_certificate(block.encode()))
        except Exception as error:  # ValueError, and whatever else its insides make the parser think of
            raise CertificateError(f"Certificate {number} of the chain can't be read.") from error
    return read


def _check_chain(key: Key, chain: list[x509.Certificate]) -> None:
    own = _public_bytes(key.public_key())
    fits = [number for number, each in enumerate(chain, 1) if _certified(each) == own]
    if not fits:
        raise CertificateError("The private key doesn't belong to the certificate.")
    if fits[0] != 1:
        raise CertificateError(f"The private key belongs to certificate {fits[0]}; that must be the first.")
    for number, (each, above) in enumerate(pairwise(chain), 1):
        if each.issuer.public_bytes() != above.subject.public_bytes():
            raise CertificateError(f"Certificate {number + 1} isn't the issuer of certificate {number}.")


def _certified(certificate: x509.Certificate) -> bytes | None:
    try:
        return _public_bytes(certificate.public_key())
    except Exception:  # a key of a kind that the library doesn't know is not ours
        return None


def _public_bytes(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Browsers have looked at the subject alternative names alone since 2017 (RFC 9525 section 2)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        names = []
    except ValueError as error:
        raise CertificateError("The certificate's names can't be read.") from error
    usable = tuple(dict.fromkeys(name for name in names if is_name(name)))
    if not usable:
        raise CertificateError("The certificate has no DNS name among its subject alternative names.")
    return usable


def _issuer(certificate: x509.Certificate) -> str:
    try:
        return certificate.issuer.rfc4514_string()
    except ValueError:
        return ""


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %B %Y")
