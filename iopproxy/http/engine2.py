"""The h2 library's connection, set up for a server that bounds what it keeps and decides itself when it is over."""

from __future__ import annotations

from contextlib import suppress
from struct import Struct
from typing import Any, Final

from h2.config import H2Configuration
from h2.connection import (
    AllowedStreamIDs,
    ConnectionInputs,
    ConnectionState,
    H2Connection,
    H2ConnectionStateMachine,
)
from h2.errors import ErrorCodes
from h2.events import Event, RequestReceived, StreamEnded
from h2.exceptions import DenialOfServiceError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from h2.stream import H2StreamStateMachine, StreamClosedBy, StreamState
from h2.windows import WindowManager
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hyperframe.frame import Frame, HeadersFrame

from iopproxy.http.fieldblock import StaticEncoder
from iopproxy.http.fielddecoder import FieldDecoder
from iopproxy.http.limits import Limits

__all__ = ["Engine"]

_WINDOW: Final = 65535
"""Of every connection and every stream at its beginning (RFC 9113 section 6.9.2)."""


class CompressionError(ProtocolError):
    """A header block can't be decoded (RFC 9113 section 4.3)."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class Engine(H2Connection):
    """Frames in, events out, frames out. Fields are checked in ``fields2``, floods in ``guards``.

    The connection's window has room for what every stream has at its beginning, so that those whose targets take
    nothing keep no other from coming, and for ``spare`` bytes more: streams whose targets take fast share them.
    """

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
        window = min(limits.h2_stream_window, _WINDOW)
        self.spare = limits.h2_connection_window
        self._widest = limits.h2_stream_window - window
        self._sweep_at = 2 * limits.h2_streams
        self.state_machine = _Lasting()
        self.encoder = StaticEncoder()
        # Larger than announced, so that 431 can be answered.
        self.decoder = FieldDecoder(2 * limits.head_size)
        self.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: limits.h2_streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.head_size,
                SettingCodes.INITIAL_WINDOW_SIZE: window,
            },
        )
        self.initiate_connection()
        self._inbound_flow_control_window_manager = _Shared(_WINDOW)
        shared = window * limits.h2_streams + self.spare
        if shared > _WINDOW:
            self.increment_flow_control_window(shared - _WINDOW)

    @property
    def open_inbound_streams(self) -> int:
        """None, as far as h2 is concerned: it would end the connection over one too many. We refuse that stream."""
        return 0

    @property
    def unsent(self) -> int:
        """Bytes that ``data_to_send`` would give."""
        return len(self._data_to_send)

    def clear_outbound_data_buffer(self) -> None:
        """Keep what is to be sent: a client's GOAWAY doesn't end the streams that are open (RFC 9113 section 6.8)."""

    def reset_if_open(self, stream_id: int, code: ErrorCodes) -> None:
        """RST_STREAM, unless the client has sent one."""
        with suppress(StreamClosedError):
            self.reset_stream(stream_id, code)

    def widen(self, stream_id: int, wider: int) -> int:
        """Make a stream's window wider, which is so by ``wider`` bytes already; by how much."""
        more = min(self._widest - wider, self.spare, _WINDOW)
        if more <= 0:
            return 0
        self.spare -= more
        self.increment_flow_control_window(more, stream_id)
        return more

    # What follows does what h2 does, for the frames of which there are many, in a fraction of its time.

    def _receive_frame(self, frame: Frame) -> list[Event]:
        """Take in one frame. Raises ProtocolError for what ends the connection."""
        if (
            type(frame) is HeadersFrame
            and frame.stream_id > self.highest_inbound_stream_id
            and frame.stream_id & 1
        ):
            return [self._receive_request(frame)]
        try:
            return super()._receive_frame(frame)
        except ProtocolError as error:
            if type(error) is ProtocolError and isinstance(error.__cause__, HPACKError):
                raise CompressionError(str(error)) from error
            raise

    def _receive_request(self, frame: HeadersFrame) -> RequestReceived:
        """A new stream."""
        if len(self.streams) > self._sweep_at:
            self._open_streams(1)  # forgets the closed ones, by going over all
        self.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        fields = self._decode(frame.data)
        stream_id = frame.stream_id
        if "PRIORITY" in frame.flags and frame.depends_on == stream_id:
            raise ProtocolError("A stream depends on itself.")  # RFC 7540 section 5.3.1
        machine = self._begin_new_stream(stream_id, AllowedStreamIDs.ODD).state_machine
        machine.client = False
        machine.headers_received = True
        event = RequestReceived(stream_id=stream_id, headers=fields)
        if "END_STREAM" in frame.flags:
            machine.state = StreamState.HALF_CLOSED_REMOTE
            event.stream_ended = StreamEnded(stream_id=stream_id)
        else:
            machine.state = StreamState.OPEN
        return event

    def _decode(self, block: bytes) -> Any:
        try:
            return self.decoder.decode(block)
        except OversizedHeaderListError as error:
            raise DenialOfServiceError(str(error)) from error
        except HPACKError as error:
            raise CompressionError(str(error)) from error

    def send_headers(self, stream_id: int, headers: Any, end_stream: bool = False, *priority: Any) -> None:
        """A head, 1xx or final, or trailers. Raises StreamClosedError."""
        machine = self._sending(stream_id)
        block = self.encoder.encode(headers)
        most = self.max_outbound_frame_size
        machine.headers_sent = True
        if len(block) <= most:
            self._data_to_send += _frame(len(block), _HEADERS, _END_HEADERS | end_stream, stream_id) + block
        else:
            kind, flags = _HEADERS, int(end_stream)
            while len(block) > most:
                self._data_to_send += _frame(most, kind, flags, stream_id) + block[:most]
                block, kind, flags = block[most:], _CONTINUATION, 0
            self._data_to_send += _frame(len(block), kind, _END_HEADERS, stream_id) + block
        if end_stream:
            _end(machine)

    def send_data(
        self, stream_id: int, data: bytes | memoryview, end_stream: bool = False, pad_length: Any = None
    ) -> None:
        """One DATA frame, no larger than the windows and ``max_outbound_frame_size``. Raises StreamClosedError."""
        machine = self._sending(stream_id)
        size = len(data)
        self.streams[stream_id].outbound_flow_control_window -= size
        self.outbound_flow_control_window -= size
        self._data_to_send += _frame(size, _DATA, int(end_stream), stream_id)
        self._data_to_send += data
        if end_stream:
            _end(machine)

    def _sending(self, stream_id: int) -> H2StreamStateMachine:
        machine = self.streams[stream_id].state_machine
        if machine.state not in _SENDING:
            raise StreamClosedError(stream_id)
        return machine


def _end(machine: H2StreamStateMachine) -> None:
    """We have sent all (RFC 9113 section 5.1)."""
    if machine.state is StreamState.OPEN:
        machine.state = StreamState.HALF_CLOSED_LOCAL
    else:
        machine.state = StreamState.CLOSED
        machine.stream_closed_by = StreamClosedBy.SEND_END_STREAM


_SENDING: Final = (StreamState.HALF_CLOSED_REMOTE, StreamState.OPEN)
_DATA: Final = 0
_HEADERS: Final = 1
_CONTINUATION: Final = 9
_END_HEADERS: Final = 4
_layout: Final = Struct(">BHBBL").pack


def _frame(size: int, kind: int, flags: int, stream_id: int) -> bytes:
    """A frame's header (RFC 9113 section 4.1). END_STREAM is flag 1."""
    return _layout(size >> 16, size & 0xFFFF, kind, flags, stream_id)


class _Shared(WindowManager):
    """The connection's window. h2 waits until half of it can be given back; but stalled bodies may hold most of it."""

    def _maybe_update_window(self) -> int | None:
        if self._bytes_processed < _WINDOW // 2:
            return None
        increment = min(self._bytes_processed, self.max_window_size - self.current_window_size)
        self._bytes_processed = 0
        self.current_window_size += increment
        return increment


class _Lasting(H2ConnectionStateMachine):
    """A connection that stays open after a GOAWAY of either side."""

    def process_input(self, input_: ConnectionInputs) -> list[Any]:
        """What is allowed before the first request, h2 decides; from then on everything is."""
        if self.state is ConnectionState.SERVER_OPEN or input_ in _GOAWAYS:
            return []
        return super().process_input(input_)


_GOAWAYS = frozenset({ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY})
