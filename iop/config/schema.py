"""Every key of iop.yml. The defaults are those of the values in project.py."""

from __future__ import annotations

from voluptuous import Invalid, Marker, Required

from iop.config import docker, network
from iop.config.names import entry_name, environment_name, plain_variable, project_name
from iop.config.scalars import boolean, duration, got, matching, one_of, size, text, whole
from iop.config.section import Entries, Section, Validator, list_of

__all__ = ["SCHEMA"]

_PORT = whole(1, 65535)
_CERTIFICATE = Section(
    {
        Required("certificate", msg="is missing: the path of the certificate, with its chain"): text,
        Required("private_key", msg="is missing: the path of the certificate's key"): text,
    }
)
_SERVER = Required("server", msg="is missing: give a host name, an address or an alias from your ssh config")
_HEADER = matching(r"[A-Za-z0-9-]{1,64}", "the name of a header")
_HTTP_PATH = matching(r"/[!-~]*", "a path that begins with /")


def _ssl(value: object) -> object:
    return _CERTIFICATE(value) if isinstance(value, dict) else boolean(value)


def _hsts(value: object) -> int | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(f"must be a number of seconds, or false, {got(value)}")
    return value


_ENVIRONMENT = Section(
    {
        "plain": list_of(plain_variable, "KEY=VALUE"),
        "secret": list_of(environment_name, "names from .iop/secrets"),
    }
)
_REGISTRY = Section({"url": text, "username": text, "password_secret": environment_name})

#: What apps and services have in common.
_CONTAINER: dict[str | Marker, Validator] = {
    "environment": _ENVIRONMENT,
    "ports": list_of(docker.port, "ports"),
    "volumes": list_of(docker.volume, "volumes"),
    "command": docker.command,
    "user": docker.user,
    "registry": _REGISTRY,
    "stop_timeout": duration(zero=True),
}

_APP = Section(
    {
        _SERVER: network.server,
        "image": docker.image,
        "build": Section(
            {
                "context": text,
                "dockerfile": text,
                "args": list_of(environment_name, "names from the app's environment"),
                "target": docker.stage,
                "platform": docker.platform,
            }
        ),
        "replicas": whole(1),
        "strategy": one_of("blue-green", "rolling"),
        "proxy": Section(
            {
                "hosts": list_of(network.site_host, "domains"),
                "app_port": _PORT,
                "ssl": _ssl,
                "ssl_redirect": boolean,
                "hsts": _hsts,
                "forward_headers": boolean,
                "response_timeout": duration(),
                "max_body": size,
                "balance": one_of("round-robin", "least-connections"),
                "log_query": boolean,
                "log_headers": list_of(_HEADER, "names of headers"),
            }
        ),
        "health_check": Section(
            {
                "path": _HTTP_PATH,
                "interval": duration(),
                "timeout": duration(),
                "retries": whole(1),
                "start_period": duration(zero=True),
            }
        ),
        "drain_timeout": duration(zero=True),
        **_CONTAINER,
    }
)

_SERVICE = Section(
    {
        Required("image", msg="is missing: an image with its tag, such as postgres:17"): docker.image,
        _SERVER: network.server,
        **_CONTAINER,
    }
)

SCHEMA = Section(
    {
        Required("name", msg="is missing: give the project a name, such as `name: my-app`"): project_name,
        "ssh": Section(
            {
                "username": matching(r"[A-Za-z_][A-Za-z0-9_.-]*", "a login name"),
                "port": _PORT,
                "key_file": text,
            }
        ),
        "proxy": Section({"image": docker.image, "base_image": docker.image}),
        "acme": Section({"email": network.email, "staging": boolean, "directory": network.https_url}),
        "docker": Section({"registry": text, "username": text}),
        "keep_releases": whole(1),
        "apps": Entries(entry_name, _APP),
        "services": Entries(entry_name, _SERVICE),
    }
)
