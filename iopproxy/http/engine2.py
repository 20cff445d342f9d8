"""The h2 library's connection, set up for a server that bounds what it keeps and decides itself when it is over."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.exceptions import StreamClosedError
from h2.settings import SettingCodes, Settings

from iopproxy.http.fieldblock import StaticEncoder
from iopproxy.http.limits import Limits

__all__ = ["Engine"]

_WINDOW = 65535
"""Of every connection at its beginning (RFC 9113 section 6.9.2)."""


class Engine(H2Connection):
    """Frames in, events out, frames out. Fields are checked in ``fields2``, floods in ``guards``."""

    MAX_CLOSED_STREAMS = 1024
    """How a stream ended is remembered for those that ended last, not for 65,536 of them."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(
            H2Configuration(
                client_side=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._sweep_at = 2 * limits.h2_streams
        self._largest_list = 2 * limits.head_size
        self.state_machine = _Lasting()
        self.encoder = StaticEncoder()
        self.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: limits.h2_streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.head_size,
                SettingCodes.INITIAL_WINDOW_SIZE: limits.h2_stream_window,
            },
        )
        self.allow_large_lists()
        self.initiate_connection()
        if limits.h2_connection_window > _WINDOW:
            self.increment_flow_control_window(limits.h2_connection_window - _WINDOW)

    def allow_large_lists(self) -> None:
        """Understand field sections larger than announced, so that 431 can be answered; h2 resets this at its ACK."""
        self.decoder.max_header_list_size = self._largest_list

    @property
    def open_inbound_streams(self) -> int:
        """None, as far as h2 is concerned: it would end the connection over one too many. We refuse that stream.

        h2 counts by going over all streams, and forgets the closed ones on the way; that is done now and then only.
        """
        if len(self.streams) > self._sweep_at:
            self._open_streams(1)
        return 0

    def clear_outbound_data_buffer(self) -> None:
        """Keep what is to be sent: a client's GOAWAY doesn't end the streams that are open (RFC 9113 section 6.8)."""

    def reset_if_open(self, stream_id: int, code: ErrorCodes) -> None:
        """RST_STREAM, unless the client has sent one."""
        with suppress(StreamClosedError):
            self.reset_stream(stream_id, code)


class _Lasting(H2ConnectionStateMachine):
    """A connection that stays open after a GOAWAY of either side."""

    def process_input(self, input_: ConnectionInputs) -> list[Any]:
        """What is allowed before the first request, h2 decides; from then on everything is."""
        if self.state is ConnectionState.SERVER_OPEN or input_ in _GOAWAYS:
            return []
        return super().process_input(input_)


_GOAWAYS = frozenset({ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY})
