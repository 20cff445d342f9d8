"""Validators of what Docker takes: images, platforms, ports, volumes, commands, users."""

from __future__ import annotations

import re
import shlex
from ipaddress import ip_address

from voluptuous import Invalid

from iop.config.scalars import got, matching

__all__ = ["command", "fixed_host_port", "image", "platform", "port", "stage", "tag_of", "user", "volume"]

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?"
_IMAGE = re.compile(
    rf"{_REGISTRY}{_PART}(?:/{_PART})*(?P<tag>:[\w][\w.-]{{0,127}})?(?P<digest>@sha256:[0-9a-f]{{64}})?",
    re.ASCII,
)
_PORT = re.compile(
    r"(?:(?:(?P<address>\[[^\]]+\]|[0-9.]+):)?(?P<host>\d+(?:-\d+)?)?:)?"
    r"(?P<inside>\d+(?:-\d+)?)(?:/(?P<protocol>tcp|udp|sctp))?",
    re.ASCII,
)
_OPTIONS = {"ro", "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent"} | {
    f"{prefix}{kind}" for prefix in ("", "r") for kind in ("shared", "slave", "private")
}

platform = matching(r"linux/[a-z0-9]+(/[a-z0-9]+)?", "a platform such as linux/amd64")
stage = matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "the name of a stage in the Dockerfile")


def image(value: object) -> str:
    """Accept an image reference, as ``docker pull`` takes it."""
    if not isinstance(value, str) or not _IMAGE.fullmatch(value):
        raise Invalid(f"must be an image name such as my-app/web or postgres:17, {got(value)}")
    return value


def tag_of(value: str) -> str | None:
    """Return the tag or digest of an image reference that was accepted, None when it has neither."""
    found = _IMAGE.fullmatch(value)
    return (found["digest"] or found["tag"]) if found else None


def port(value: object) -> str:
    """Accept a published port: ``8080:80``, ``127.0.0.1:8080:80/tcp``, a range, or the inner port alone."""
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _PORT.fullmatch(written) if isinstance(written, str) else None
    if not isinstance(written, str) or found is None:
        raise Invalid(f'must be a port such as "8080:80" or "127.0.0.1:8080:80/tcp", {got(value)}')
    spans = [_span(ports) for ports in (found["host"], found["inside"]) if ports]
    if not all(1 <= first <= last <= 65535 for first, last in spans):
        raise Invalid(f"must have ports from 1 to 65535, {got(value)}")
    if found["host"] and len({last - first for first, last in spans}) > 1:
        raise Invalid(f"must have two ranges of the same length, {got(value)}")
    if found["address"]:
        try:
            ip_address(found["address"].strip("[]"))
        except ValueError:
            raise Invalid(f"must begin with an address of the server, {got(value)}") from None
    return written


def fixed_host_port(value: object) -> str | None:
    """Return the port of the server that a port entry takes, None when it takes none or isn't one."""
    found = _PORT.fullmatch(value) if isinstance(value, str) else None
    return found["host"] if found else None


def volume(value: object) -> str:
    """Accept ``name:/path``, ``./folder:/path`` or ``/folder:/path``, each with options such as ``:ro``."""
    source, target, options = _volume_parts(value)
    if source.startswith("~"):
        raise Invalid(f"can't begin with ~: write the server's path in full, {got(value)}")
    if ".." in source.split("/"):
        raise Invalid(f"can't leave the project's directory with .., {got(value)}")
    if not re.fullmatch(r"(\./|/).*|\.|[A-Za-z0-9][A-Za-z0-9_.-]+", source):
        raise Invalid(f"must begin with a volume's name, ./folder or /folder, {got(value)}")
    if not target.startswith("/") or not target.strip("/"):
        raise Invalid(f"must mount on a path in the container that begins with /, {got(value)}")
    if unknown := sorted(set(options) - _OPTIONS):
        raise Invalid(f"has the unknown option {unknown[0]!r}; ro makes it read-only, {got(value)}")
    return str(value)


def command(value: object) -> tuple[str, ...]:
    """Accept a command as one line, split like a shell would, or as a list of words."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return tuple(value)
    try:
        words = shlex.split(value) if isinstance(value, str) else []
    except ValueError:
        raise Invalid(f"has a quote that is never closed, {got(value)}") from None
    if not words:
        raise Invalid(f"must be a command line or a list of words, {got(value)}")
    return tuple(words)


def user(value: object) -> str:
    """Accept a user or user:group, by name or number."""
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(written, str) or not re.fullmatch(r"\w[\w.-]*(:\w[\w.-]*)?", written, re.ASCII):
        raise Invalid(f"must be a user or user:group, {got(value)}")
    return written


def _span(ports: str) -> tuple[int, int]:
    first, _, last = ports.partition("-")
    return int(first), int(last or first)


def _volume_parts(value: object) -> tuple[str, str, list[str]]:
    parts = value.split(":") if isinstance(value, str) else []
    if len(parts) == 1 and parts[0].startswith("/"):
        raise Invalid(f"must name the volume, or its data is lost with the container: data:{parts[0]}")
    if len(parts) not in (2, 3) or not all(parts):
        raise Invalid(f"must be a volume such as data:/var/lib/data or ./config:/config:ro, {got(value)}")
    return parts[0], parts[1], parts[2].split(",") if len(parts) == 3 else []
