"""Waiting for a new replica to become healthy, and saying why when it doesn't."""

from __future__ import annotations

from attrs import frozen

from iop.commands import app, docker
from iop.commands.shell import script
from iop.config.project import HealthCheck
from iop.connection import Server
from iop.errors import HealthError
from iop.proxyapi import ProxyApi

__all__ = ["Attempt", "await_healthy"]

PATIENCE = 5.0
"""Seconds of checking between two looks at whether the container still runs."""

MAX_RESTARTS = 3
LOG_LINES = 20


@frozen
class Attempt:
    """Which container, under which target and Host header, is to become healthy by which rules."""

    container: str
    target: str
    host: str
    check: HealthCheck


def await_healthy(server: Server, attempt: Attempt) -> int:
    """Check until it is healthy; returns how many tries it took.

    Raises HealthError, with the container's last lines, when the tries are used up or it keeps dying.
    """
    check, tries = attempt.check, 0
    # The start period gives an app time in which failed tries don't count (as in a Dockerfile's HEALTHCHECK).
    allowed = check.retries + int(check.start_period / max(check.interval, 0.1))
    batch = max(1, int(PATIENCE / max(check.interval, 0.1)))
    reason = ""
    while tries < allowed:
        answer = ProxyApi(server).check(attempt.target, attempt.host, check, min(batch, allowed - tries))
        tries += answer.attempts
        if answer.healthy:
            return tries
        dead = _dead(server, attempt.container)
        reason = dead or f"{check.path} on {attempt.target}: {answer.reason}"
        if dead:
            break
    raise HealthError(
        f"{server.original_host}: {attempt.container} is not healthy: {reason}\n{_log(server, attempt.container)}",
        f"it was checked {tries} times; nothing was switched" + _hint(reason, check.path),
    )


def _dead(server: Server, container: str) -> str:
    """Why there is no point in checking on, or nothing."""
    result = server.script(script(app.state([container])), "looking at the new container", check=False)
    if result.exited:
        return "its container is gone"
    _, running, code, restarts = result.stdout.split()
    if running != "true" and int(restarts) == 0:
        return f"it exited with status {code}"
    return f"it keeps exiting with status {code}" if int(restarts) >= MAX_RESTARTS else ""


def _log(server: Server, container: str) -> str:
    said = server.script(
        script(docker.logs(container, LOG_LINES)), "reading its log", check=False
    ).stdout.rstrip()
    lines = said.splitlines() or ["(its log is empty)"]
    return "\n".join(f"    {line}" for line in lines)


def _hint(reason: str, path: str) -> str:
    if "refused" in reason:
        return "; does the app listen on this port, and on 0.0.0.0? (proxy.app_port)"
    if "404" in reason:
        return f"; does the app answer {path}? (health_check.path)"
    return ""
