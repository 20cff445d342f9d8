"""Validators of hosts, servers, URLs and mail addresses."""

from __future__ import annotations

import re
from ipaddress import ip_address

import idna
from voluptuous import Invalid

from iop.config.scalars import got

__all__ = ["email", "https_url", "server", "site_host"]

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)


def site_host(value: object) -> str:
    """Accept a DNS name (RFC 1123, section 2.1) and return it in lower case; others than ASCII by IDNA 2008."""
    if not isinstance(value, str) or not value:
        raise Invalid(f"must be a domain such as www.example.com, {got(value)}")
    if "/" in value:
        raise Invalid(f"must be the domain alone, without https:// or a path, {got(value)}")
    if value.startswith("*."):
        raise Invalid(f"must be one domain; list each one instead of a wildcard, {got(value)}")
    if _is_address(value):
        raise Invalid(
            f"must be a domain, not an address; leave hosts out to get a name made of it, {got(value)}"
        )
    if ":" in value:
        raise Invalid(f"must be the domain alone, without a port, {got(value)}")
    name = value.removesuffix(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
        except idna.IDNAError as error:
            raise Invalid(f"isn't a valid domain ({error}), {got(value)}") from None
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise Invalid(f"must be a domain such as www.example.com, {got(value)}")
    return name


def server(value: object) -> str:
    """Accept a host name, an address, or an alias from the ssh config."""
    if not isinstance(value, str) or not value:
        raise Invalid(f"must be a host name, an address or an alias from your ssh config, {got(value)}")
    if "@" in value:
        raise Invalid(f"must be the host alone; the login belongs in ssh.username, {got(value)}")
    if _is_address(value) or _ALIAS.fullmatch(value):
        return value
    if re.fullmatch(r"[^:/]+:\d+", value):
        raise Invalid(f"must be the host alone; the port belongs in ssh.port, {got(value)}")
    raise Invalid(f"must be a host name, an address or an alias from your ssh config, {got(value)}")


def https_url(value: object) -> str:
    """Accept an https:// URL."""
    if not isinstance(value, str) or not re.fullmatch(r"https://[^\s/]+(/\S*)?", value):
        raise Invalid(f"must be a URL that begins with https://, {got(value)}")
    return value


def email(value: object) -> str:
    """Accept a mail address."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\s@<>,:]+@[^\s@<>,:]+", value):
        raise Invalid(f"must be a mail address, {got(value)}")
    return value


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True
