"""Validators of single values. Each returns the value as iop uses it or raises Invalid."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping

from voluptuous import Invalid

__all__ = ["boolean", "duration", "got", "matching", "one_of", "size", "text", "whole"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)", re.ASCII)
_SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB|)", re.ASCII | re.IGNORECASE)
_BYTES = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def got(value: object) -> str:
    """Say what stood there instead, shortened: ``got "two"``."""
    if value is None:
        return "got nothing"
    if isinstance(value, Mapping):
        return "got a mapping"
    if isinstance(value, list):
        return "got a list"
    shown = json.dumps(value, ensure_ascii=False)
    return f"got {shown}" if len(shown) <= 60 else f"got {shown[:56]}…"


def whole(minimum: int, maximum: int | None = None) -> Callable[[object], int]:
    """Make a validator of whole numbers from ``minimum`` to ``maximum``, both included."""
    span = f"≥ {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def validate(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(f"must be a whole number {span}, {got(value)}")
        if value < minimum or (maximum is not None and value > maximum):
            raise Invalid(f"must be a whole number {span}, {got(value)}")
        return value

    return validate


def boolean(value: object) -> bool:
    """Accept true and false."""
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, {got(value)}")
    return value


def text(value: object) -> str:
    """Accept a string with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"must be text, {got(value)}")
    return value


def matching(pattern: str, what: str) -> Callable[[object], str]:
    """Make a validator of strings that match ``pattern`` as a whole; ``what`` describes them."""
    compiled = re.compile(pattern, re.ASCII)

    def validate(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Invalid(f"must be {what}, {got(value)}")
        return value

    return validate


def one_of(*choices: str) -> Callable[[object], str]:
    """Make a validator of a few fixed words."""

    def validate(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Invalid(f"must be {' or '.join(choices)}, {got(value)}")
        return value

    return validate


def duration(*, zero: bool = False) -> Callable[[object], float]:
    """Make a validator of times: ``500ms``, ``30s``, ``1m``, ``1h`` or a number of seconds. Returns seconds."""
    more = "≥ 0" if zero else "> 0"

    def validate(value: object) -> float:
        found = None if isinstance(value, bool) else _DURATION.fullmatch(str(value))
        if found is None:
            raise Invalid(f"must be a time such as 500ms, 30s or 1m, {got(value)}")
        seconds = float(found[1]) * _SECONDS[found[2]]
        if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not zero):
            raise Invalid(f"must be a time {more}, {got(value)}")
        return seconds

    return validate


def size(value: object) -> int:
    """Accept ``500KB``, ``10MB``, ``2GB`` or a number of bytes, above 0. Returns bytes."""
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value))
    count = int(found[1]) * _BYTES[found[2].upper()] if found else 0
    if not 0 < count < 2**53:
        raise Invalid(f"must be a size such as 500KB, 10MB or 2GB, {got(value)}")
    return count
