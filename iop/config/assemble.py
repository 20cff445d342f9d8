"""Checked values -> the frozen Project. Nothing can fail here: loading.py comes only without problems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iop.config import files
from iop.config.project import (
    Acme,
    App,
    AppProxy,
    Build,
    Environment,
    HealthCheck,
    Project,
    ProxyImage,
    Secret,
    Ssh,
)

__all__ = ["assemble"]


def assemble(values: dict[str, Any], directory: Path, secrets: Mapping[str, Secret]) -> Project:
    """Build the Project from what the schema returned; ``directory`` is the absolute folder of iop.yml."""
    ssh = dict(values.get("ssh", {}))
    if "key_file" in ssh:
        ssh["key_file"] = files.key_file(directory, ssh["key_file"])
    plain = {key: values[key] for key in ("name", "keep_releases") if key in values}
    return Project(
        **plain,
        directory=directory,
        ssh=Ssh(**ssh),
        proxy=ProxyImage(**values.get("proxy", {})),
        acme=Acme(**values.get("acme", {})),
        apps=tuple(
            _app(name, entry, values["name"], directory, secrets)
            for name, entry in values.get("apps", {}).items()
        ),
    )


def _app(
    name: str, entry: dict[str, Any], project: str, directory: Path, secrets: Mapping[str, Secret]
) -> App:
    made = {
        "build": _build(entry.get("build", {}), directory),
        "proxy": _proxy(entry.get("proxy", {})),
        "health_check": HealthCheck(**entry.get("health_check", {})),
        "environment": _environment(entry.get("environment", {}), secrets),
    }
    rest = {key: value for key, value in entry.items() if key not in made and key != "strategy"}
    return App(**{"name": name, "image": f"{project}/{name}", **rest, **made})


def _build(values: dict[str, Any], directory: Path) -> Build:
    context, dockerfile = files.build_paths(directory, values.get("context"), values.get("dockerfile"))
    return Build(**{**values, "context": context, "dockerfile": dockerfile})


def _proxy(values: dict[str, Any]) -> AppProxy:
    without_https = {} if values.get("ssl", True) else {"ssl_redirect": False, "hsts": None}
    return AppProxy(**{**values, **without_https})


def _environment(values: dict[str, Any], secrets: Mapping[str, Secret]) -> Environment:
    return Environment(
        plain=values.get("plain", ()),
        secret=tuple((name, secrets[name]) for name in values.get("secret", ())),
    )
