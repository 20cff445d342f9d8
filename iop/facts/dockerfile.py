"""A project's Dockerfile: where it is and which port it exposes."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["exposed_port", "find"]

_INSTRUCTION = re.compile(r"\s*(FROM|EXPOSE)\s+(.*)", re.IGNORECASE)
_STAGE = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_PORT = re.compile(r"(\d+)(?:/tcp)?", re.IGNORECASE)

#: Folders full of other people's Dockerfiles.
_FOREIGN = frozenset({"node_modules", "vendor"})


def find(directory: Path) -> Path | None:
    """Return the Dockerfile of ``directory``, else the first one a folder below, relative to ``directory``."""
    below = sorted(
        path.relative_to(directory)
        for path in directory.glob("*/Dockerfile")
        if not path.parent.name.startswith(".") and path.parent.name not in _FOREIGN
    )
    return next((path for path in (Path("Dockerfile"), *below) if (directory / path).is_file()), None)


def exposed_port(text: str) -> int | None:
    """Return the first TCP port that the last stage exposes, by itself or by an earlier stage it begins with."""
    stages: dict[str, int | None] = {}
    name, port = "", None
    for line in re.sub(r"\\\s*\n", " ", text).splitlines():
        found = _INSTRUCTION.match(line)
        if found is None:
            continue
        if found[1].upper() == "FROM":
            base = _STAGE.match(found[2])
            port = stages.get(base[1].lower()) if base else None
            name = (base[2] or "").lower() if base else ""
        elif port is None:
            ports = (_PORT.fullmatch(word) for word in found[2].split())
            port = next((int(match[1]) for match in ports if match and 1 <= int(match[1]) <= 65535), None)
        stages[name] = port
    return port
