"""Every broken file of ``broken/*.txt`` gives exactly the lines that stand below it.

A case is ``=== title``, the text of iop.yml, perhaps ``<<< .iop/secrets`` and its text, then ``>>>`` and the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from iop.config import load
from iop.errors import ConfigError


def cases() -> Iterator[object]:
    for source in sorted((Path(__file__).parent / "broken").glob("*.txt")):
        for case in source.read_text(encoding="utf-8").removeprefix("=== ").split("\n=== "):
            title, _, rest = case.partition("\n")
            files, expected = rest.split(">>>\n")
            config, _, secrets = files.partition("<<< .iop/secrets\n")
            yield pytest.param(config, secrets, expected.rstrip("\n"), id=f"{source.stem}: {title}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in ("Dockerfile", "api/Dockerfile", "api/Dockerfile.api", "empty/README"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("config", "secrets", "expected"), list(cases()))
def test_broken(folder: Path, config: str, secrets: str, expected: str) -> None:
    (folder / "iop.yml").write_text(config, encoding="utf-8")
    (folder / ".iop").mkdir()
    (folder / ".iop" / "secrets").touch(mode=0o600)
    (folder / ".iop" / "secrets").write_text(secrets)
    with pytest.raises(ConfigError) as refused:
        load(Path("iop.yml"))
    assert str(refused.value) == expected
    assert "hunter" not in str(refused.value)
    assert refused.value.__cause__ is None
