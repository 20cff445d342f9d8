"""Building, as far as it needs no Docker."""

import pytest

from iop import building
from iop.errors import BuildError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "site" / ".iop").mkdir(parents=True)
    (tmp_path / "site" / ".iop" / "secrets").write_text("KEY=value\n")
    for context in (tmp_path, tmp_path / "site"):
        (context / "Dockerfile").write_text("FROM scratch\nCOPY . .\n")
    return tmp_path


@pytest.fixture
def argv(monkeypatch):
    words = []
    monkeypatch.setattr(building, "_buildkit", lambda: False)
    monkeypatch.setattr(building, "_engine_platform", lambda: "linux/amd64")
    monkeypatch.setattr(building.local, "watched", lambda argv, *_, **__: words.extend(argv))
    return words


def build(folder, context):
    building.build(
        "demo/web:one",
        context=context,
        dockerfile=context / "Dockerfile",
        secrets=folder / "site" / ".iop" / "secrets",
    )


def test_secrets_in_the_context_stop_the_build(folder, argv):
    with pytest.raises(BuildError, match=r"echo \.iop/secrets >> .*/site/\.dockerignore"):
        build(folder, folder / "site")
    assert not argv


def test_a_context_above_the_project_is_no_way_around(folder, argv):
    (folder / ".dockerignore").write_text(".iop\n")
    with pytest.raises(BuildError, match=r"echo site/\.iop/secrets >>"):
        build(folder, folder)
    (folder / ".dockerignore").write_text("**/.iop\n")
    build(folder, folder)
    assert argv[:2] == ["docker", "build"]


def test_a_context_beside_the_project_has_no_secrets(folder, argv):
    beside = folder / "beside"
    beside.mkdir()
    (beside / "Dockerfile").write_text("FROM scratch\n")
    build(folder, beside)
    assert argv


def test_a_missing_dockerfile_is_named(tmp_path):
    with pytest.raises(BuildError, match="no Dockerfile at"):
        building.build("demo/web:one", context=tmp_path, dockerfile=tmp_path / "Dockerfile")
