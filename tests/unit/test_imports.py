"""The layers of both programs, held by reading their source: imports point downwards only."""

import ast
from graphlib import TopologicalSorter

import pytest

from tests.unit.sources import PROGRAMS, imported, reached, sources, within

#: The demo's load generator runs in a process of its own, and its standard output goes to its parent alone.
ANSWERS_ITS_PARENT = "iop.demo.traffic"

#: From the top down. A module may import from its own layer and from those below it.
LAYERS: dict[str, tuple[set[str], ...]] = {
    "iop": (
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
    ),
    "iopproxy": (
        {"iopproxy.tap"},
        {"iopproxy.service"},
        {"iopproxy.control"},
        {"iopproxy.worker"},
        {"iopproxy.orders"},
        {"iopproxy.inbox"},
        {"iopproxy.link", "iopproxy.listening", "iopproxy.logs"},
        {"iopproxy.tls"},
        {"iopproxy.http"},
        {"iopproxy.routing"},
        {"iopproxy.http.limits", "iopproxy.http.meter"},  # numbers that everybody goes by, or adds to
        {"iopproxy.reactor", "iopproxy.repeated", "iopproxy.together"},
        {"iopproxy"},
    ),
}

#: Where values are made from values. git is a program that has to be asked, so reading a release may run it.
PURE = ("iop.plan", "iop.facts", "iop.commands", "iop.archive", "iop.config", "iop.dockerignore")
MAY_RUN_PROGRAMS = "iop.facts.git"

OUTSIDE = {
    "asyncio", "fabric", "http", "paramiko", "requests", "rich", "select", "socket", "ssl", "subprocess", "twisted",
    "urllib", "iop.console", "iop.connection", "iop.local", "invoke.context", "invoke.runners",
}  # fmt: skip

NETWORK = {"asyncio", "select", "socket", "ssl", "twisted", "uvloop"}
PROTOCOLS = {f"iopproxy.http.{each}" for each in ("http1", "http2", "reader", "stream1", "stream2")}

#: Modules of the proxy, and what they must not reach through any import.
APART = {
    "iopproxy.routing.router": NETWORK,
    "iopproxy.http.reader": NETWORK,
    "iopproxy.http.response": NETWORK,
    "iopproxy.http.fields2": NETWORK,
    "iopproxy.http.exchange": PROTOCOLS,
    "iopproxy.control.client": {"twisted", "attrs", "iopproxy.http", "iopproxy.routing"},
}


def outside(names: set[str], packages: set[str]) -> list[str]:
    return [name for name in names if any(within(name, each) for each in packages)]


def layer(name: str) -> int:
    """The rank of a module's layer, 0 at the top: that of the longest name which it is or is in."""
    parts = name.split(".")
    ranks = {member: rank for rank, members in enumerate(LAYERS[parts[0]]) for member in members}
    names = [".".join(parts[:length]) for length in range(len(parts), min(len(parts), 2) - 1, -1)]
    found = [ranks[each] for each in names if each in ranks]
    assert found, f"{name} has no layer: add it to LAYERS"
    return found[0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_imports_point_downwards(program: str) -> None:
    upwards = [
        f"{name} imports {other}"
        for name, tree in sources(program).items()
        for other in imported(tree)
        if within(other, program) and layer(other) < layer(name)
    ]
    assert upwards == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_modules_import_each_other_in_a_circle(program: str) -> None:
    graph = {name: set(imported(tree)) - {name} for name, tree in sources(program).items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("package", PURE)
def test_planning_never_touches_the_network(package: str) -> None:
    pure = {name for name in sources("iop") if within(name, package) and name != MAY_RUN_PROGRAMS}
    assert pure
    assert outside(reached(pure), OUTSIDE) == []


@pytest.mark.parametrize("apart", APART)
def test_what_knows_nothing_of_others_does_not_import_them(apart: str) -> None:
    assert apart in sources("iopproxy")
    assert outside(reached({apart}), APART[apart]) == []


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
