"""The certificate that every proxy serves: self-signed, ECDSA on P-256."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@frozen
class Certificate:
    """Files in PEM: the certificate, its key, and both in one."""

    chain: Path
    key: Path
    both: Path


def certificate(folder: Path, name: str) -> Certificate:
    """A new one for ``name``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = signed.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "both.pem")
    for path, content in ((made.chain, chain), (made.key, secret), (made.both, chain + secret)):
        path.touch(mode=0o600)
        path.write_bytes(content)
    return made
