"""The two ways to write apps and services: a mapping by name, or a list of entries with ``name``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iop.config.problems import Problem

__all__ = ["by_name", "dig", "entries"]


def by_name(data: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the top of iop.yml with every list of entries as a mapping by name, and what was wrong with the lists."""
    problems: list[Problem] = []
    result = dict(data)
    for kind in ("apps", "services"):
        if isinstance(data.get(kind), list):
            result[kind] = mapping = {}
            for position, entry in enumerate(data[kind]):
                name = entry.get("name") if isinstance(entry, dict) else None
                if not isinstance(name, str):
                    problems.append(Problem((kind, position), "must be an entry with a `name`"))
                elif name in mapping:
                    problems.append(Problem((kind, position), f"is a second entry called {name}; rename one"))
                else:
                    mapping[name] = {key: value for key, value in entry.items() if key != "name"}
    return result, problems


def entries(data: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and entry of each ``apps`` or ``services`` entry that has the shape of one."""
    for name, entry in (dig(data, kind, kind=dict) or {}).items():
        if isinstance(entry, dict | None):
            yield str(name), entry or {}


def dig(data: Any, *path: str, kind: type = object) -> Any:
    """Return what lies at ``path``, None when the way there or the value is of another kind."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data if isinstance(data, kind) else None
