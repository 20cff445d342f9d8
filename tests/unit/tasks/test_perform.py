"""Running steps: what happens when one fails."""

import io

import pytest
from invoke import Collection, Context, task

from iop.console import Console, use
from iop.errors import ConnectError, HealthError
from iop.plan.steps import Step
from iop.tasks import perform
from iop.tasks.context import note


@pytest.fixture
def done(monkeypatch):
    """A collection whose tasks write down that they ran."""
    ran = []

    @task
    def good(c, name):
        ran.append((c, name))
        note("noted")

    @task
    def bad(c, name):
        ran.append((c, name))
        raise HealthError(f"{name} is bad")

    @task
    def broken(c, name):
        ran.append((c, name))
        raise ConnectError("the connection broke")

    monkeypatch.setattr(perform, "STEPS", {"app": Collection(good=good, bad=bad, broken=broken)})
    return ran


@pytest.fixture
def out():
    stream = io.StringIO()
    use(Console(stream, stream, live=False, verbose=False))
    return stream


def step(task, name, host="server", on_failure=()):
    return Step(f"app.{task}", f"Doing {name}", host, {"name": name}, on_failure)


def test_each_step_runs_on_its_host_and_prints_a_line(done, out):
    here, there = Context(), Context()
    perform.perform(here, [step("good", "one", None), step("good", "two")], {"server": there})
    assert [(c is there, name) for c, name in done] == [(False, "one"), (True, "two")]
    lines = out.getvalue().splitlines()
    assert [line.partition("  ")[0] for line in lines] == ["[✓] Doing one", "[✓] Doing two"]
    assert all(line.endswith("· noted") for line in lines)


def test_a_failed_step_is_undone_and_stops_the_run(done, out):
    undo = (step("good", "undo one"), step("good", "undo two"))
    steps = [step("good", "one"), step("bad", "two", on_failure=undo), step("good", "three")]
    with pytest.raises(HealthError, match="two is bad"):
        perform.perform(Context(), steps, {"server": Context()})
    assert [name for _, name in done] == ["one", "two", "undo one", "undo two"]
    assert "[✗] Doing two" in out.getvalue()


def test_an_undo_that_fails_hides_neither_the_error_nor_the_other_undos(done, out):
    undo = (step("bad", "undo one"), step("good", "undo two"))
    with pytest.raises(HealthError, match="one is bad"):
        perform.perform(Context(), [step("bad", "one", on_failure=undo)], {"server": Context()})
    assert [name for _, name in done] == ["one", "undo one", "undo two"]


def test_a_connection_that_broke_undoes_nothing(done, out, monkeypatch):
    """The step may have taken effect, and the lock is gone: the next run sees what is there."""
    undo = (step("good", "undo one"),)
    with pytest.raises(ConnectError):
        perform.perform(Context(), [step("broken", "one", on_failure=undo)], {"server": Context()})
    assert [name for _, name in done] == ["one"]


def test_every_step_a_plan_may_name_is_a_task():
    from iop.plan.deploy import plan
    from tests.unit.plan.samples import APP, BLUE, FRESH, HOST, PROJECT, PROXY_IMAGE

    for facts in (FRESH, BLUE):
        for each in plan(PROJECT, {HOST: facts}, (APP,), "two", {facts.platform: PROXY_IMAGE}).steps:
            for one in (each, *each.on_failure):
                found = perform._task(one.task)
                assert {argument.name.replace("-", "_") for argument in found.get_arguments()} == set(
                    one.args
                )
