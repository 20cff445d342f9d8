"""The type of what is passed in as a reactor or a clock."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["Reactor"]

Reactor: TypeAlias = Any
"""Whatever provides the Twisted interface that the docstring names. A zope interface can't be checked by mypy."""
