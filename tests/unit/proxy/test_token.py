from __future__ import annotations

from pathlib import Path

import pytest

from iopproxy.control.token import load_token


def test_a_token_is_made_once(tmp_path: Path) -> None:
    token = load_token(tmp_path)
    assert len(token) == 43
    assert load_token(tmp_path) == token


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_token_that_others_can_read_is_made_private(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "admin.token"
    path.write_text("token\n")
    path.chmod(mode)
    assert load_token(tmp_path) == "token"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"", b"\n", b"two words\n", b"a" * 5000, b"a\x00b"])
def test_what_is_no_token_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "admin.token"
    path.write_bytes(content)
    token = load_token(tmp_path)
    assert path.read_text() == f"{token}\n"
    (aside,) = tmp_path.glob("admin.token.damaged-*")
    assert aside.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("token\n")
    other.chmod(0o644)
    (tmp_path / "admin.token").symlink_to(other)
    with pytest.raises(OSError, match="symbolic link"):
        load_token(tmp_path)
    assert other.stat().st_mode & 0o777 == 0o644
