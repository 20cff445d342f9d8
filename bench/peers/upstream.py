"""The servers behind every proxy: nginx for HTTP, a small program for WebSockets."""

from __future__ import annotations

import sys
from pathlib import Path

from debian import found

from peers.process import Process, free_port

BODY_SIZE = 1_000_000
"""Bytes of a large download."""

_CONFIG = """
daemon off; worker_processes 1; pid {folder}/upstream.pid; error_log {folder}/upstream.error;
events {{ worker_connections 15000; }}
http {{
  access_log off; keepalive_requests 100000000; sendfile on;
  client_max_body_size 0; client_body_buffer_size 2m;
  server {{
    listen {port} backlog=4096;
    location / {{ return 200 "hello from upstream\\n"; }}
    location = /varied {{ add_header X-Number $request_id; return 200 "hello from upstream\n"; }}
    location = /large {{ root {folder}; }}
    # Reads all of the body before it answers, and passes none of it on.
    location = /upload {{
      proxy_pass http://unix:{folder}/sink:/; proxy_pass_request_body off; proxy_set_header Content-Length "";
    }}
  }}
  server {{ listen unix:{folder}/sink; location / {{ return 200 "taken\\n"; }} }}
}}
"""


def app(folder: Path) -> tuple[Process, int]:
    """The app and its port. It listens on every address, so that one server can be many targets."""
    port, config = free_port(), folder / "upstream.conf"
    (folder / "large").write_bytes(bytes(BODY_SIZE))
    folder.chmod(0o755)  # nginx's worker is another user when root starts it
    config.write_text(_CONFIG.format(folder=folder, port=port))
    return Process("upstream", [found("nginx") or "nginx", "-c", str(config)], folder, port), port


def echo(folder: Path) -> tuple[Process, int]:
    """The WebSocket server and its port."""
    port = free_port()
    script = Path(__file__).with_name("echo.py")
    return Process("echo", [sys.executable, str(script), str(port)], folder, port), port
