"""A step: the name of a task, a host, and plain arguments. Data that can be printed, run, or typed by hand."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from attrs import field, frozen

__all__ = ["Argument", "Step"]

Argument = str | int | float | bool


@frozen
class Step:
    """One task to run. ``host`` None means this machine.

    ``on_failure`` are the steps that put things back when this one fails; they run before the error is shown.
    """

    task: str
    title: str
    host: str | None = None
    args: Mapping[str, Argument] = field(factory=dict)
    on_failure: tuple[Step, ...] = ()

    @property
    def command(self) -> str:
        """The same step typed by hand."""
        words = ["inv"] if self.host is None else ["fab", "-c", "tasks", "-H", self.host]
        words.append(self.task)
        for name, value in self.args.items():
            flag = f"--{name.replace('_', '-')}"
            if value is True:
                words.append(flag)
            elif value is not False:
                words += [flag, str(value)]
        return shlex.join(words)
