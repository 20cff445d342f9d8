"""Keys that OpenSSH and paramiko take."""

from __future__ import annotations

import io

import pytest
from paramiko import Ed25519Key

from iop.disposable.keys import KeyPair


def test_the_two_halves_belong_together_and_paramiko_reads_them():
    pair = KeyPair.generate()
    key = Ed25519Key.from_private_key(io.StringIO(pair.private.decode()))
    assert pair.public == f"ssh-ed25519 {key.get_base64()}"


def test_each_is_new():
    assert KeyPair.generate() != KeyPair.generate()


def test_the_file_is_private_and_never_overwritten(tmp_path):
    pair = KeyPair.generate()
    pair.save(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == pair.private
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        pair.save(tmp_path / "key")


def test_its_repr_does_not_show_it():
    pair = KeyPair.generate()
    assert "PRIVATE" not in repr(pair)
