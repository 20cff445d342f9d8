"""Names that become parts of Docker and DNS names."""

from __future__ import annotations

import re
import unicodedata

from voluptuous import Invalid

from iop.config.scalars import got

__all__ = [
    "COMMANDS",
    "LONGEST",
    "entry_name",
    "environment_name",
    "plain_variable",
    "project_name",
    "suggested",
]

#: Words that mean something after `iop`; an entry of that name could not be told from the command.
COMMANDS = frozenset({"demo", "deploy", "exec", "init", "logs", "plan", "proxy", "run", "status"})

#: iop's own containers on every server are called iop-proxy and iop-edge.
_OWN = frozenset({"iop", "iop-edge", "iop-proxy"})

#: A name is one part of a DNS label of at most 63 characters (RFC 1035, section 2.3.4).
LONGEST = 40

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_COLOURED = re.compile(r".*-(blue|green|next)(-\d+)?", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def project_name(value: object) -> str:
    """Accept a project name."""
    name = _name(value)
    if name in _OWN:
        raise Invalid(f"can't be {name}: iop's own containers are called so; choose another name")
    return name


def suggested(text: str) -> str:
    """Make a project name out of any text, such as a folder's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")
    return f"{name or 'my'}-app" if name in {"", *_OWN} else name


def entry_name(value: object) -> str:
    """Accept the name of an app or service."""
    name = _name(value)
    if name in COMMANDS:
        raise Invalid(f"`iop {name}` is a command, so no entry can be called {name}; choose another name")
    if _COLOURED.fullmatch(name):
        raise Invalid(f"ends like a container of a colour ({name}); choose another name")
    return name


def environment_name(value: object) -> str:
    """Accept the name of an environment variable. What stood there isn't shown: it may be a secret."""
    if isinstance(value, str) and _VARIABLE.fullmatch(value):
        return value
    if isinstance(value, str) and "=" in value:
        raise Invalid("must be a name alone; its value belongs in .iop/secrets or environment.plain")
    raise Invalid("must be a variable's name: letters, digits and _, not beginning with a digit")


def plain_variable(value: object) -> tuple[str, str]:
    """Accept ``KEY=VALUE``. What stood there isn't shown: it may be a secret."""
    name, equals, setting = value.partition("=") if isinstance(value, str) else ("", "", "")
    if not equals or not _VARIABLE.fullmatch(name):
        raise Invalid("must be KEY=VALUE; KEY has letters, digits and _ and doesn't begin with a digit")
    return name, setting


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Invalid(f"must be lower-case letters, digits and -, with no - at its ends, {got(value)}")
    if len(value) > LONGEST:
        raise Invalid(f"must be at most {LONGEST} characters long, this is {len(value)}")
    return value
