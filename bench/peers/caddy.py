"""Caddy as a proxy.

GOMAXPROCS=1; its usual JSON access log to a file; request id made; HTTP/3 off. It is there twice: as its
documentation sets it up, with 32 idle connections upstream for the 64 clients that come, and with as many as others.
"""

from __future__ import annotations

from pathlib import Path

from debian import found

from peers.proxy import ECHO_HOST, HOST, Job, Proxy, two_ports

_CONFIG = """
{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2
  }}
}}
(app) {{
  bind 127.0.0.1
  log {{
    output file {folder}/{name}.access {{
      roll_disabled
    }}
  }}
  reverse_proxy 127.0.0.1:{app} {{
    header_up X-Request-Id {{http.request.uuid}}
    header_up X-Real-IP {{remote_host}}
    header_up X-Forwarded-Port {{http.request.port}}
    {more}
  }}
}}
http://{host}:{http} {{
  import app
}}
https://{host}:{https} {{
  tls {chain} {key}
  import app
}}
http://{echo_host}:{http} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{echo}
}}
"""
_POOL = """transport http {
      keepalive_idle_conns_per_host 256
    }"""


def caddy(job: Job) -> Proxy:
    return _start("caddy", job, "")


def caddy_pooled(job: Job) -> Proxy:
    return _start("caddy-pooled", job, _POOL)


def _start(name: str, job: Job, more: str) -> Proxy:
    http, https = two_ports()
    config: Path = job.folder / f"{name}.Caddyfile"
    config.write_text(
        _CONFIG.format(
            folder=job.folder,
            name=name,
            chain=job.certificate.chain,
            key=job.certificate.key,
            app=job.app,
            echo=job.echo,
            http=http,
            https=https,
            host=HOST,
            echo_host=ECHO_HOST,
            more=more,
        )
    )
    argv = [found("caddy") or "caddy", "run", "--adapter", "caddyfile", "--config", str(config)]
    return Proxy(name, http, https, argv, job.folder, GOMAXPROCS=str(job.workers), HOME=str(job.folder))
