"""A small web app: says its version, slowly if asked, and stops gracefully. Standard library only."""

import os
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = "1"
PORT = 3000
LONGEST = 60.0


class Handler(BaseHTTPRequestHandler):
    """``/``, ``/slow?seconds=5`` and ``/up``, over connections that are kept open."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        if url.path == "/up":
            # With BROKEN=1 in its environment it is a version that never gets healthy.
            broken = bool(os.environ.get("BROKEN"))
            self.answer(503 if broken else 200, "not ready" if broken else "OK")
        elif url.path == "/slow":
            time.sleep(min(LONGEST, float(parse_qs(url.query).get("seconds", ["5"])[0])))
            self.answer(200, f"hello from version {VERSION}")
        elif url.path == "/":
            self.answer(200, f"hello from version {VERSION}")
        else:
            self.answer(404, "there is nothing here")

    def answer(self, status: int, text: str) -> None:
        """Send a whole response; the connection's last one while the server stops."""
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping.is_set():
            self.send_header("Connection", "close")  # http.server closes it then
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of single requests: under load the log would be all there is."""


class Server(ThreadingHTTPServer):
    """Knows its open connections, so that idle ones don't hold up a stop."""

    daemon_threads = False  # server_close() waits for the requests in flight
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("", PORT), Handler)
        self.stopping = threading.Event()
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note a new connection, then give it a thread."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Accept no more, let requests in flight finish, close idle connections."""
        self.stopping.set()
        self.shutdown()
        for connection in tuple(self.connections):
            try:
                connection.shutdown(socket.SHUT_RD)  # what has arrived is still read, then comes the end
            except OSError:
                continue  # the other side was faster


def main() -> None:
    """Serve until SIGTERM."""
    server = Server()
    # shutdown() waits for serve_forever(), which runs below in this thread: so it takes another.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
    print(f"version {VERSION} listens on port {PORT}", flush=True)  # noqa: T201
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    print(f"version {VERSION} has stopped", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
