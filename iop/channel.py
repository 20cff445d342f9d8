"""One command over one SSH channel: input goes in while output comes out."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread

import paramiko
from attrs import frozen

__all__ = ["Result", "exchange"]


@frozen
class Result:
    """What a remote command left behind."""

    stdout: str
    stderr: str
    exited: int


def exchange(channel: paramiko.Channel, command: str, chunks: Iterable[bytes]) -> Result:
    """Run ``command`` with ``chunks`` as its standard input, sent as fast as the other side takes them.

    ``exited`` is -1 when the connection broke. Raises OSError when it broke while something was being sent; that the
    command ended, or stopped reading, before it had everything is no error.
    """
    output = _Collector(channel)
    channel.exec_command(command)
    output.start()
    try:
        for chunk in chunks:
            channel.sendall(chunk)
    except OSError:
        if not channel.closed and not channel.exit_status_ready() and not channel.eof_received:
            raise
    finally:
        channel.shutdown_write()
    return output.result()


class _Collector(Thread):
    """Reads both output streams of a channel while its input is being written."""

    def __init__(self, channel: paramiko.Channel) -> None:
        super().__init__(daemon=True)
        self._channel = channel
        self._stderr = b""
        self._stdout = b""

    def run(self) -> None:
        errors = Thread(target=self._read_stderr, daemon=True)
        errors.start()
        while data := self._channel.recv(65536):
            self._stdout += data
        errors.join()

    def _read_stderr(self) -> None:
        while data := self._channel.recv_stderr(65536):
            self._stderr += data

    def result(self) -> Result:
        self.join()
        exited = self._channel.recv_exit_status()
        self._channel.close()
        return Result(self._stdout.decode(errors="replace"), self._stderr.decode(errors="replace"), exited)
