"""SSH keys for one run."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

__all__ = ["KeyPair"]


@frozen(repr=False)
class KeyPair:
    """A private key as OpenSSH writes it, and the line for authorized_keys or known_hosts."""

    private: bytes
    public: str

    @classmethod
    def generate(cls) -> KeyPair:
        """A fresh ed25519 key."""
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return cls(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), public.decode())

    def save(self, path: Path) -> None:
        """Write the private key, 0600 from the first byte on."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self.private)
