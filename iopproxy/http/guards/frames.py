"""A look at HTTP/2 frames before they are understood (RFC 9113 section 4.1): their sizes, and what they cost us.

h2 waits for the whole of a frame before it looks at its size, collects the fragments of a header block without
looking at theirs, and says nothing of frames on streams that are gone. So their headers are read here first.
"""

from __future__ import annotations

from typing import Final

from h2.errors import ErrorCodes

__all__ = ["AbuseError", "FrameWatch"]

_PREFACE_SIZE: Final = 24
_HEAD_SIZE: Final = 9
_FRAME_SIZE: Final = 16384
"""SETTINGS_MAX_FRAME_SIZE: the smallest that can be asked for is plenty."""
_DATA, _HEADERS, _SETTINGS, _CONTINUATION = 0, 1, 4, 9
_BLOCK: Final = frozenset({_HEADERS, _CONTINUATION})
_END_STREAM, _END_HEADERS, _PADDED, _ACK = 1, 4, 8, 1
_SETTING_SIZE: Final = 6
_SMALL: Final = 256
"""DATA of less costs more time for its frame than for its bytes."""


class AbuseError(Exception):
    """The connection has to end. ``code`` tells the client why."""

    def __init__(self, code: ErrorCodes, why: str) -> None:
        super().__init__(why)
        self.code = code


class FrameWatch:
    """Follows the frames of one connection.

    ``units`` counts those that began, a header block as one. ``waiting``: only a part of one came, and not of DATA.
    """

    __slots__ = ("_block", "_block_size", "_carry", "_in_block", "_skip", "small", "units", "waiting")

    def __init__(self, block_size: int) -> None:
        self.units = 0
        self.small = 0
        """DATA frames of a few bytes so far that weren't their body's last, beyond one for each request."""
        self.waiting = True
        self._block_size = block_size
        """The largest header block, in bytes as they come."""
        self._carry = b""
        """The beginning of a frame's header."""
        self._skip = _PREFACE_SIZE
        """Bytes until the next frame's header."""
        self._block = 0
        self._in_block = False

    def feed(self, data: bytes) -> int:
        """How many frames began that carry neither a request nor a body. Raises AbuseError."""
        if self._carry:
            data = self._carry + data
            self._carry = b""
        at, size, cost = self._skip, len(data), 0
        kind = _DATA
        while at + _HEAD_SIZE <= size:
            length = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
            kind, flags = data[at + 3], data[at + 4]
            if length > _FRAME_SIZE:
                raise AbuseError(ErrorCodes.FRAME_SIZE_ERROR, "A frame is too large.")
            if kind == _DATA:
                if length < _SMALL and not flags & _END_STREAM:
                    self.small += 1
                    cost += not length
                cost += bool(flags & _PADDED)
            elif kind in _BLOCK:
                self.small -= kind == _HEADERS
                cost += self._part_of_block(kind, length, flags)
            else:
                cost += 1
                if kind == _SETTINGS:
                    cost += length // _SETTING_SIZE
                    if length and flags & _ACK:
                        raise AbuseError(ErrorCodes.FRAME_SIZE_ERROR, "An acknowledgement has settings.")
            at += _HEAD_SIZE + length
            self.units += kind != _CONTINUATION
        self._skip = max(at - size, 0)
        self._carry = data[at:]
        self.waiting = self._in_block or bool(self._carry) or (self._skip > 0 and kind != _DATA)
        return cost

    def _part_of_block(self, kind: int, length: int, flags: int) -> int:
        self._block = length if kind == _HEADERS else self._block + length
        self._in_block = not flags & _END_HEADERS
        if self._block > self._block_size:
            raise AbuseError(ErrorCodes.ENHANCE_YOUR_CALM, "A header block is too large.")
        return int(kind == _CONTINUATION)
