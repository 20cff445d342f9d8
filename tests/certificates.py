"""Certificates made for tests: an authority of their own, and what it issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Moment = float | datetime
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def ecdsa() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> Key:
    return rsa.generate_private_key(65537, bits)


def key_pem(key: Key) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


class Authority:
    """A root and an intermediate; what it issues is signed by the intermediate."""

    def __init__(self, name: str = "Test") -> None:
        self._root_key, self._key = ecdsa(), ecdsa()
        self._subject = _named(f"{name} Intermediate")
        root = _named(f"{name} Root")
        self.root = _certificate(root, root, self._root_key, self._root_key, authority=True)
        self.intermediate = _certificate(self._subject, root, self._key, self._root_key, authority=True)

    def certificate(self, *names: str, key: Key, begins: Moment = -1, ends: Moment = 90) -> str:
        """One certificate without its chain. ``begins`` and ``ends``: days from now, or moments."""
        return _certificate(_named(""), self._subject, key, self._key, names, begins, ends)

    def issue(
        self,
        *names: str,
        private_key: Key | None = None,
        begins: Moment = -1,
        ends: Moment = 90,
    ) -> tuple[str, str]:
        """(certificate with its chain, private key), as the admin API takes them."""
        private_key = private_key or ecdsa()
        own = self.certificate(*names, key=private_key, begins=begins, ends=ends)
        return own + self.intermediate, key_pem(private_key)

    def pem(
        self,
        *names: str,
        private_key: Key | None = None,
        begins: Moment = -1,
        ends: Moment = 90,
    ) -> str:
        """The same in one text."""
        chain, key = self.issue(*names, private_key=private_key, begins=begins, ends=ends)
        return key + chain


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])


def _moment(days: Moment) -> datetime:
    return days if isinstance(days, datetime) else datetime.now(UTC) + timedelta(days=days)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    signer: Key,
    names: tuple[str, ...] = (),
    begins: Moment = -1,
    ends: Moment = 90,
    authority: bool = False,
) -> str:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(begins))
        .not_valid_after(_moment(ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=True)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
