"""A dirty tree: offered a commit where somebody can answer, refused elsewhere."""

import io

import pytest
from invoke import Config, Context

from iop.config import load
from iop.console import Console, use
from iop.demo.sample import Sample
from iop.errors import UsageError
from iop.tasks.release import committed


@pytest.fixture
def owner(tmp_path):
    sample = Sample.create(tmp_path / "shop", "server.example", "base")
    sample.git("config", "user.name", "t")
    sample.git("config", "user.email", "t@example.com")
    (sample.folder / "new.txt").write_text("not committed")
    return load(sample.folder / "iop.yml")


def run(owner, answer, *, yes=False):
    out = io.StringIO()
    answers = None if answer is None else io.StringIO(answer)
    use(Console(out, out, live=False, verbose=False, answers=answers))
    context = Context(Config(overrides={"iop": {"yes": yes}}))
    return committed(context, owner), out.getvalue()


def test_a_message_commits_everything(owner):
    release, shown = run(owner, "all of it\n")
    assert not release.dirty
    assert "new.txt" in shown
    assert Sample(owner.directory).git("log", "-1", "--format=%s") == "all of it"


@pytest.mark.parametrize(("answer", "yes"), [("\n", False), (None, False), ("all of it\n", True)])
def test_otherwise_nothing_is_deployed_or_committed(owner, answer, yes):
    with pytest.raises(UsageError, match=r"new\.txt"):
        run(owner, answer, yes=yes)
    assert Sample(owner.directory).git("log", "-1", "--format=%s") == "version 1"
