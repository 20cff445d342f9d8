"""What a .dockerignore excludes from a build context (Docker's reference, "Excluding files")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

__all__ = ["ignored"]

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]*\]|\\.|.")


def ignored(path: str, lines: Iterable[str]) -> bool:
    """Whether ``path``, relative to the context, is left out; a later line wins over an earlier one."""
    whole = PurePosixPath(path)
    candidates = [str(each) for each in (whole, *whole.parents)][:-1]
    out = False
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        back = text.startswith("!")
        pattern = _expression(text.removeprefix("!").strip().strip("/"))
        if any(pattern.fullmatch(each) for each in candidates):
            out = not back
    return out


def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for token in _TOKEN.findall(pattern.removeprefix("./")):
        match token:
            case "**/":
                parts.append("(?:.*/)?")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if len(token) > 2 and token.startswith("["):
                parts.append(token)
            case _:
                parts.append(re.escape(token.removeprefix("\\") or token))
    return re.compile("".join(parts))
