"""haproxy as a proxy.

One thread; its usual HTTP log, a line for each request, written to a file through standard output (it has no buffer
for that); request id made.
"""

from __future__ import annotations

from pathlib import Path

from debian import found

from peers.proxy import ECHO_HOST, Job, Proxy, two_ports

_CONFIG = """
global
  nbthread {workers}
  maxconn 12000
  no strict-limits
  log stdout format raw local0 info
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout tunnel 1h
  http-reuse always
frontend clients
  maxconn 12000
  bind 127.0.0.1:{http}
  bind 127.0.0.1:{https} ssl crt {both} alpn h2,http/1.1
  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  use_backend echo if {{ hdr(host) -i {echo_host} }}
  default_backend app
backend app
  server app 127.0.0.1:{app} pool-max-conn 256
backend echo
  server echo 127.0.0.1:{echo}
"""


def haproxy(job: Job) -> Proxy:
    http, https = two_ports()
    config: Path = job.folder / "haproxy.cfg"
    config.write_text(
        _CONFIG.format(
            workers=job.workers,
            both=job.certificate.both,
            app=job.app,
            echo=job.echo,
            http=http,
            https=https,
            echo_host=ECHO_HOST,
        )
    )
    argv = [found("haproxy") or "haproxy", "-db", "-f", str(config)]
    return Proxy("haproxy", http, https, argv, job.folder)
