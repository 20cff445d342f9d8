"""Single values of the admin API's JSON, read strictly: each reader returns what is valid or raises InvalidError."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from iopproxy.routing.hosts import normalise

__all__ = [
    "InvalidError",
    "read_count",
    "read_flag",
    "read_header_names",
    "read_host",
    "read_name",
    "read_page",
    "read_path",
    "read_seconds",
    "read_strings",
    "read_target",
    "read_targets",
    "read_text",
    "read_threshold",
    "require_keys",
]

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TARGET = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,252}):([1-9][0-9]{0,4})")
_PATH = re.compile(r"/[!-~]{0,1023}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""JSON can hold half a character, UTF-8 can't."""
_PAGE_SIZE = 262144
"""Characters of a maintenance page."""
_LABEL_SIZE = 63
"""RFC 1035 section 2.3.4. A resolver that gets a longer or an empty label may never answer."""
_LOGGED_HEADERS = 16
"""Headers that a route may have logged: each makes every line of the access log longer."""


class InvalidError(Exception):
    """JSON that isn't what it should be. Its text is one sentence for a person."""


def require_keys(body: Any, required: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
    """Raise InvalidError unless ``body`` is an object with all required keys and no unknown one."""
    if not isinstance(body, dict):
        raise InvalidError("The body must be a JSON object.")
    if missing := required - body.keys():
        raise InvalidError(f"The key {min(missing)} is missing.")
    if unknown := body.keys() - required - optional:
        raise InvalidError(f"The key {min(unknown)} is unknown.")


def read_strings(value: Any, key: str) -> tuple[str, ...]:
    """A list of at least one string, none twice."""
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise InvalidError(f"{key} must be a list of at least one string.")
    if len(set(value)) != len(value):
        raise InvalidError(f"{key} names something twice.")
    return tuple(value)


def read_name(value: Any, key: str) -> str:
    """A project's or an app's name."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidError(f"{key} must be lower-case letters, digits and dashes.")
    return value


def read_text(value: Any, key: str) -> str:
    """A short string of printable characters."""
    if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isprintable():
        raise InvalidError(f"{key} must be a short string.")
    return value


def read_page(value: Any) -> str:
    """A maintenance page."""
    if not isinstance(value, str) or not 0 < len(value) <= _PAGE_SIZE or _SURROGATE.search(value):
        raise InvalidError(f"page must be text of 1 to {_PAGE_SIZE} characters.")
    return value


def read_path(value: Any) -> str:
    """A path to ask for, with or without a query."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise InvalidError("path must start with / and hold neither spaces nor control characters.")
    return value


def read_seconds(value: Any, key: str, most: float = 86400.0) -> float:
    """A time in seconds, above 0 and at most ``most``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= most:  # NaN isn't either
        raise InvalidError(f"{key} must be a number of seconds above 0 and at most {most:g}.")
    return float(value)


def read_flag(body: Mapping[str, Any], key: str) -> bool:
    """true or false; false when the key isn't there."""
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise InvalidError(f"{key} must be true or false.")
    return value


def read_count(body: Mapping[str, Any], key: str) -> int | None:
    """A whole number from 0; None when the key isn't there or is null."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise InvalidError(f"{key} must be a whole number, or null.")
    return value


def read_threshold(value: Any, key: str) -> int:
    """A whole number from 1 to 1000."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1000:
        raise InvalidError(f"{key} must be a whole number from 1 to 1000.")
    return value


def read_host(value: str) -> str:
    """A host name as routes are looked up by."""
    if ":" in value or normalise(value.encode("ascii", "replace")) != value:
        raise InvalidError(f"{value!r} in hosts must be a lower-case host name without port.")
    return value


def read_target(value: Any, key: str = "target") -> str:
    """``name:port``, the port from 1 to 65535."""
    match = _TARGET.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 65535:
        raise InvalidError(f"{key} must be NAME:PORT, like demo-web-blue:3000.")
    if not all(1 <= len(label) <= _LABEL_SIZE for label in match[1].split(".")):
        raise InvalidError(f"{key} must have 1 to {_LABEL_SIZE} characters between the dots of its name.")
    return match[0]


def read_targets(value: Any) -> tuple[str, ...]:
    """A list of at least one ``name:port``, none twice."""
    return tuple(read_target(each, "Each of targets") for each in read_strings(value, "targets"))


def read_header_names(value: Any) -> tuple[str, ...]:
    """A list of header names in lower case, possibly empty."""
    if value == []:
        return ()
    names = read_strings(value, "log_headers")
    if len(names) > _LOGGED_HEADERS or not all(_HEADER_NAME.fullmatch(name) for name in names):
        raise InvalidError(f"log_headers must be at most {_LOGGED_HEADERS} header names in lower case.")
    return names
