"""What is imported is asked for, what is asked for is pinned, and the proxy's image has what the proxy imports."""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from iop.proxyimage import LIBRARIES
from tests.unit.sources import PROGRAMS, ROOT, imported, sources

ASKED_FOR = {
    canonicalize_name(each.name): each
    for each in map(
        Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    )
}


def with_theirs(names: set[str]) -> set[str]:
    """Those distributions and what they themselves ask for: that may be imported, too."""
    theirs = (Requirement(each) for name in names for each in metadata.requires(name) or ())
    wanted = (each for each in theirs if each.marker is None or each.marker.evaluate({"extra": ""}))
    return {canonicalize_name(each) for each in (*names, *(each.name for each in wanted))}


def distributions(program: str) -> set[str]:
    """Of other authors, that a program imports."""
    tops = {name.partition(".")[0] for tree in sources(program).values() for name in imported(tree)}
    providers_of = metadata.packages_distributions()
    found: set[str] = set()
    for top in tops - sys.stdlib_module_names - set(PROGRAMS):
        providers = set(map(canonicalize_name, providers_of[top]))
        found |= providers & {canonicalize_name(top)} or providers  # others add plugins to Twisted's package
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_imported_is_asked_for(program: str) -> None:
    assert distributions(program) - with_theirs(set(ASKED_FOR)) == set()


def test_what_is_asked_for_is_pinned() -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line
    )
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    assert [name for name, each in ASKED_FOR.items() if not each.specifier.contains(pinned[name])] == []


def test_the_image_of_the_proxy_has_what_the_proxy_imports() -> None:
    assert distributions("iopproxy") - with_theirs(set(LIBRARIES)) == set()
    assert {canonicalize_name(each) for each in LIBRARIES} <= set(ASKED_FOR)


def test_the_image_of_the_proxy_has_nothing_that_only_iop_imports() -> None:
    imported_by_twisted = {"service-identity"}  # for the names in certificates
    assert {canonicalize_name(each) for each in LIBRARIES} - distributions("iopproxy") == imported_by_twisted
