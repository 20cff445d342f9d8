"""A short hash of everything that makes a container what it is: equal hash, nothing to do."""

from __future__ import annotations

import hashlib
import hmac
import json

from iop.config.project import App

__all__ = ["fingerprint"]


def fingerprint(app: App, machine_id: str) -> str:
    """Twelve hex digits over the container's configuration, secret values included.

    Keyed with the server's machine id, so that the label on a container gives nobody a way to test guesses of
    a secret against it elsewhere (machine-id(5) asks for exactly this use of the id).
    """
    parts = {
        "image": app.image,
        "plain": list(app.environment.plain),
        "secret": [(name, value.reveal()) for name, value in app.environment.secret],
        "ports": app.ports,
        "volumes": app.volumes,
        "command": app.command,
        "user": app.user,
        "stop_timeout": app.stop_timeout,
    }
    text = json.dumps(parts, sort_keys=True)
    return hmac.new(machine_id.encode(), text.encode(), hashlib.sha256).hexdigest()[:12]
