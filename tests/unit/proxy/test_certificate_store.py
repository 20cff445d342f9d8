from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from iopproxy.tls.certificates import Certificate
from iopproxy.tls.store import CertificateStore
from tests.certificates import Authority, ecdsa, key_pem

ISSUED_BY = Authority()
GOOD = Certificate.parse(ISSUED_BY.pem("a.example", "*.a.example"))


@pytest.fixture
def said() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_what_is_saved_is_loaded(tmp_path: Path, said: list[LogEvent]) -> None:
    store = CertificateStore(tmp_path / "certs")
    assert store.load() == {}
    store.save("a.example", GOOD)
    store.save("*.a.example", GOOD)
    assert store.load() == {"a.example": GOOD, "*.a.example": GOOD}
    store.delete("a.example")
    store.delete("a.example")
    assert store.load() == {"*.a.example": GOOD}
    assert not said


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        CertificateStore(tmp_path / "certs").save("a.example", GOOD)
    finally:
        os.umask(before)
    assert (tmp_path / "certs").stat().st_mode & 0o777 == 0o700
    assert [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "certs").iterdir()] == [0o600]


def test_a_file_that_others_can_read_is_made_private(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    store.save("a.example", GOOD)
    store.path("a.example").chmod(0o644)
    assert store.load() == {"a.example": GOOD}
    assert store.path("a.example").stat().st_mode & 0o777 == 0o600


UNUSABLE = {
    "empty": b"",
    "cut short": GOOD.pem.encode()[:400],
    "not text": bytes(range(256)) * 10,
    "huge": b"-----BEGIN CERTIFICATE-----\n" * 100000,
    "another's key": GOOD.pem.replace(GOOD.pem[: GOOD.pem.index("-----BEGIN C")], key_pem(ecdsa())).encode(),
    "another's name": ISSUED_BY.pem("b.example").encode(),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_can_not_be_used_is_set_aside(tmp_path: Path, said: list[LogEvent], kind: str) -> None:
    store = CertificateStore(tmp_path)
    store.save("b.a.example", GOOD)
    (tmp_path / "a.example.pem").write_bytes(UNUSABLE[kind])
    assert store.load() == {"b.a.example": GOOD}
    (kept,) = tmp_path.glob("a.example.pem.damaged-*")
    assert kept.read_bytes() == UNUSABLE[kind]
    (event,) = said
    sentence = formatEvent(event)
    assert str(kept) in sentence
    assert "BEGIN" not in sentence
    assert store.load() == {"b.a.example": GOOD}  # and it is gone from the next start on
    assert len(said) == 1


def test_what_can_not_be_read_stays(tmp_path: Path, said: list[LogEvent]) -> None:
    store = CertificateStore(tmp_path)
    store.save("b.a.example", GOOD)
    (tmp_path / "a.example.pem").mkdir()
    (tmp_path / "link.example.pem").symlink_to(tmp_path / "b.a.example.pem")
    assert store.load() == {"b.a.example": GOOD}
    assert len(said) == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_other_files_are_left_alone(tmp_path: Path, said: list[LogEvent]) -> None:
    store = CertificateStore(tmp_path)
    (tmp_path / "a.example.pem.new").write_text("of a write that was cut short")
    (tmp_path / "README").write_text("")
    assert store.load() == {}
    assert not said


def test_without_its_folder_it_has_nothing(tmp_path: Path, said: list[LogEvent]) -> None:
    (tmp_path / "certs").write_text("a file")
    assert CertificateStore(tmp_path / "certs").load() == {}
    assert len(said) == 1
