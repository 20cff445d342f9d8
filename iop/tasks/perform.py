"""Running steps: each is looked up by its task's name and called as a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from invoke import Collection, Context, Task

from iop.connection import Server
from iop.console import console
from iop.errors import ConnectError, IopError
from iop.plan.steps import Step
from iop.tasks import app, image, proxy, server
from iop.tasks.context import PROGRESS

__all__ = ["STEPS", "perform"]

STEPS = {
    module.__name__.rpartition(".")[2]: Collection.from_module(module)
    for module in (app, image, proxy, server)
}
"""The collections that hold every task a plan may name."""


def perform(c: Context, steps: Sequence[Step], servers: Mapping[str, Server]) -> None:
    """Run the steps in order. When one fails, what it names puts things back, and the error goes on.

    A connection that broke is no reason to put anything back: the step may well have taken effect.
    """
    with console().run([(step.host, step.title) for step in steps]):
        for step in steps:
            try:
                _run(c, step, servers)
            except ConnectError:
                raise  # nobody knows what took effect, nor holds the lock: the next run sees and converges
            except Exception:
                for undo in step.on_failure:
                    with suppress(IopError):  # the first error is the one to show; the next run cleans up
                        _run(c, undo, servers)
                raise


def _run(c: Context, step: Step, servers: Mapping[str, Server]) -> None:
    with console().step(step.title, step.host) as progress:
        token = PROGRESS.set(progress)
        try:
            _task(step.task)(servers[step.host] if step.host else c, **step.args)
        finally:
            PROGRESS.reset(token)


def _task(name: str) -> Task[Any]:
    collection, _, leaf = name.partition(".")
    found: Task[Any] = STEPS[collection][leaf]
    return found
