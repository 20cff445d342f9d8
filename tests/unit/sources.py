"""The two programs as source: every module parsed, and what each imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("iop", "iopproxy")

#: The app that ``iop demo`` deploys: it runs in a container and is no part of the program.
SAMPLE_APP = ROOT / "iop" / "demo" / "app"


@cache
def sources(package: str) -> dict[str, ast.Module]:
    """Every module of a package by its dotted name, parsed."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        if SAMPLE_APP in path.parents:
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    assert found
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules a module imports, wherever in it, but not for types alone: ``from iop import archive`` is
    ``iop.archive``.
    """
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (
                name if any(name in sources(each) for each in PROGRAMS) else node.module for name in whole
            )


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All that is there when the program runs."""
    if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        yield node
        for each in ast.iter_child_nodes(node):
            yield from _run(each)


def within(name: str, package: str) -> bool:
    """Whether it is that package or module, or in it."""
    return name == package or name.startswith(f"{package}.")


def reached(names: set[str]) -> set[str]:
    """Those modules and all that they import, of ours and of others, however deep."""
    ours = {name: tree for program in PROGRAMS for name, tree in sources(program).items()}
    found, pending = set(names), list(names)
    while pending:
        name = pending.pop()
        new = set(imported(ours[name])) - found if name in ours else set()
        found |= new
        pending += new
    return found
