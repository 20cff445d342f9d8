"""nginx as a proxy.

One worker process; JSON access log through a 64 KB buffer; request id made; bodies stream in both directions without
temporary files (``proxy_request_buffering off``, ``proxy_max_temp_file_size 0``); 256 idle connections upstream.
"""

from __future__ import annotations

from pathlib import Path

from debian import found

from peers.proxy import ECHO_HOST, HOST, Job, Proxy, two_ports

_CONFIG = """
daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/nginx.error;
events {{ worker_connections 15000; }}
http {{
  log_format line escape=json '{{"time":"$time_iso8601","id":"$request_id","host":"$host",'
    '"method":"$request_method","path":"$uri","status":$status,"bytes":$body_bytes_sent,'
    '"first_byte":"$upstream_header_time","seconds":"$request_time","target":"$upstream_addr",'
    '"client":"$remote_addr"}}';
  access_log {folder}/nginx.access line buffer=64k flush=1s;
  keepalive_requests 100000000; keepalive_timeout 75s;
  client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;
  ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
  map $http_upgrade $upstream_connection {{ default upgrade; '' ''; }}
  proxy_http_version 1.1;
  proxy_set_header Connection $upstream_connection; proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Host $http_host; proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Request-ID $request_id;
  upstream app {{ server 127.0.0.1:{app}; keepalive 256; keepalive_requests 100000000; }}
  upstream echo {{ server 127.0.0.1:{echo}; }}
  server {{
    listen 127.0.0.1:{http} {shared}; listen 127.0.0.1:{https} ssl http2 {shared};
    server_name {host}; location / {{ proxy_pass http://app; }}
  }}
  server {{
    listen 127.0.0.1:{http}; server_name {echo_host}; location / {{ proxy_pass http://echo; }}
  }}
}}
"""


def nginx(job: Job) -> Proxy:
    http, https = two_ports()
    config: Path = job.folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            folder=job.folder,
            workers=job.workers,
            shared="reuseport" if job.workers > 1 else "",
            chain=job.certificate.chain,
            key=job.certificate.key,
            app=job.app,
            echo=job.echo,
            http=http,
            https=https,
            host=HOST,
            echo_host=ECHO_HOST,
        )
    )
    return Proxy("nginx", http, https, [found("nginx") or "nginx", "-c", str(config)], job.folder)
