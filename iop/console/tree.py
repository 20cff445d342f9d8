"""The live tree of a run, drawn with rich. Text objects only: markup in a title means nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from iop.console import text
from iop.console.steps import Row, State

__all__ = ["THIS_MACHINE", "by_host", "tree"]

THIS_MACHINE = "this machine"

_FRAMES = {True: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", False: "-\\|/"}
_FRAMES_PER_SECOND = 10
_STYLES = {State.PENDING: "dim", State.RUNNING: "cyan", State.DONE: "green", State.FAILED: "bold red"}


def by_host(rows: Sequence[Row]) -> dict[str | None, list[Row]]:
    """The rows of each host, hosts in the order they first appear."""
    groups: dict[str | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.host, []).append(row)
    return groups


def tree(rows: Sequence[Row], now: float, *, unicode: bool) -> Tree:
    """The run at the moment ``now``: a flat list for one server, a branch a host when there are several."""
    root = Tree("", hide_root=True)
    groups = by_host(rows)
    branches = len(groups.keys() - {None}) > 1
    for row in () if branches else rows:
        root.add(_line(row, now, unicode=unicode))
    for host, group in groups.items() if branches else ():
        branch = root.add(Text(text.one_line(host or THIS_MACHINE), style="bold"))
        for row in group:
            branch.add(_line(row, now, unicode=unicode))
    return root


def _line(row: Row, now: float, *, unicode: bool) -> Text:
    mark = (text.UNICODE if unicode else text.ASCII)[row.state]
    tail = ""
    if row.state is State.RUNNING:
        frames = _FRAMES[unicode]
        mark = frames[int(now * _FRAMES_PER_SECOND) % len(frames)]
        tail = text.running(row, now)
    elif row.state is not State.PENDING:
        tail = text.finished(row, now)
    title = "dim" if row.state is State.PENDING else ""
    return Text.assemble(
        ("[", "dim"),
        (mark, _STYLES[row.state]),
        ("] ", "dim"),
        (text.one_line(row.title), title),
        (tail, "dim"),
    )
