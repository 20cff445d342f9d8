"""What is wrong with a file: where it is and what to do, one line each."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

__all__ = ["KeyPath", "Line", "Problem", "dotted"]

#: Keys and list positions from the top of iop.yml down: ``("apps", "web", "proxy", "hosts", 0)``.
KeyPath = tuple[object, ...]


@frozen
class Problem:
    """Something wrong with the value at ``path``; the message ends the sentence that the path begins."""

    path: KeyPath
    message: str


@frozen
class Line:
    """One line of the error a person reads. ``number`` counts from 1; 0 means the file as a whole."""

    file: str
    number: int
    message: str
    path: KeyPath = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.number}" if self.number else self.file
        return f"{place} {dotted(self.path)}: {self.message}" if self.path else f"{place}: {self.message}"


def dotted(path: Iterable[object]) -> str:
    """Write a key path as people do: ``apps.web.proxy.hosts[0]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else str(step)
    return text
