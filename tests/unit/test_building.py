"""Building, as far as it needs no Docker."""

import pytest

from iop import building
from iop.errors import BuildError


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . .\n")
    (tmp_path / ".iop").mkdir()
    (tmp_path / ".iop" / "secrets").write_text("KEY=value\n")
    return tmp_path


def test_secrets_in_the_context_stop_the_build(context):
    with pytest.raises(BuildError, match=r"echo \.iop/ >>"):
        building.build("demo/web:one", context=context, dockerfile=context / "Dockerfile")


@pytest.mark.parametrize("line", [".iop/", "/.iop", ".iop/secrets", ".iop"])
def test_a_dockerignore_that_names_them_is_enough(context, line, monkeypatch):
    argv = []
    monkeypatch.setattr(building, "_buildkit", lambda: False)
    monkeypatch.setattr(building.local, "watched", lambda words, *_, **__: argv.extend(words))
    (context / ".dockerignore").write_text(f"node_modules\n{line}\n")
    building.build("demo/web:one", context=context, dockerfile=context / "Dockerfile")
    assert argv[:2] == ["docker", "build"]


def test_a_missing_dockerfile_is_named(tmp_path):
    with pytest.raises(BuildError, match="no Dockerfile at"):
        building.build("demo/web:one", context=tmp_path, dockerfile=tmp_path / "Dockerfile")
