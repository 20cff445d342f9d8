"""The layers of iop, held by reading its source: imports point downwards only."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: The app that ``iop demo`` deploys: it runs in a container and is no part of the program.
SAMPLE_APP = ROOT / "iop" / "demo" / "app"

#: The demo's load generator runs in a process of its own, and its standard output goes to its parent alone.
ANSWERS_ITS_PARENT = "iop.demo.traffic"

#: From the top down. A module may import from its own layer and from those below it.
LAYERS = (
    {"iop.__main__"},
    {"iop.program", "iop.argv", "iop.usage", "iop.failure"},
    {"iop.tasks", "iop.demo"},
    {"iop.building", "iop.health", "iop.lock", "iop.proxyapi", "iop.proxyimage", "iop.shipping"},
    {"iop.channel", "iop.connection", "iop.hostkeys", "iop.local", "iop.disposable"},
    {"iop.plan"},
    {"iop.facts"},
    {"iop.commands"},
    {"iop.archive", "iop.dockerignore"},
    {"iop.config"},
    {"iop.console"},
    {"iop.errors"},
    {"iop"},
)

#: Where values are made from values. git is a program that has to be asked, so reading a release may run it.
PURE = ("iop.plan", "iop.facts", "iop.commands", "iop.archive", "iop.config", "iop.dockerignore")
MAY_RUN_PROGRAMS = "iop.facts.git"

OUTSIDE = {
    "asyncio", "fabric", "http", "paramiko", "requests", "rich", "select", "socket", "ssl", "subprocess", "twisted",
    "urllib", "iop.console", "iop.connection", "iop.local", "invoke.context", "invoke.runners",
}  # fmt: skip


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
    """The modules a module imports, wherever in it: ``from iop import archive`` is ``iop.archive``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in sources("iop") else node.module for name in whole)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer(name: str) -> int:
    """The rank of a module's layer, 0 at the top."""
    top = ".".join(name.split(".")[:2])
    ranks = [rank for rank, members in enumerate(LAYERS) if top in members]
    assert ranks, f"{top} has no layer: add it to LAYERS"
    return ranks[0]


def test_imports_point_downwards() -> None:
    upwards = [
        f"{name} imports {other}"
        for name, tree in sources("iop").items()
        for other in imported(tree)
        if within(other, "iop") and layer(other) < layer(name)
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: set(imported(tree)) - {name} for name, tree in sources("iop").items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("package", PURE)
def test_planning_never_touches_the_network(package: str) -> None:
    reached = {name for name in sources("iop") if within(name, package) and name != MAY_RUN_PROGRAMS}
    assert reached
    pending = list(reached)
    while pending:
        name = pending.pop()
        for other in set(imported(sources("iop")[name])):
            assert not any(within(other, each) for each in OUTSIDE), f"{name} imports {other}"
            if other in sources("iop") and other not in reached:
                reached.add(other)
                pending.append(other)


def test_the_release_is_read_with_git_alone() -> None:
    used = set(imported(sources("iop")[MAY_RUN_PROGRAMS]))
    assert {each for each in used if any(within(each, outside) for outside in OUTSIDE)} == {"subprocess"}


@pytest.mark.parametrize(("package", "other"), [("iop", "iopproxy"), ("iopproxy", "iop")])
def test_the_two_programs_never_import_each_other(package: str, other: str) -> None:
    users = [
        name for name, tree in sources(package).items() if any(within(each, other) for each in imported(tree))
    ]
    assert users == []


def test_only_the_console_prints() -> None:
    printing = [
        f"{name}:{node.lineno}"
        for name, tree in sources("iop").items()
        if not within(name, "iop.console") and name != ANSWERS_ITS_PARENT
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
        if ast.unparse(node) in {"print", "pprint", "sys.stdout", "sys.stderr"}
    ]
    assert printing == []


def test_only_connection_makes_connections() -> None:
    made = {
        "Connection",
        "fabric.Connection",
        "paramiko.SSHClient",
        "SSHClient",
        "paramiko.Transport",
        "Transport",
    }
    makers = set()
    for name, tree in sources("iop").items():
        for node in ast.walk(tree):
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            used = [*bases, node.func] if isinstance(node, ast.Call) else bases
            if made & {ast.unparse(each) for each in used}:
                makers.add(name)
    assert makers == {"iop.connection"}
