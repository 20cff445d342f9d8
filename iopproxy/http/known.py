"""Heads that were read before: clients and apps say the same again and again, and reading is what costs most.

Nothing is read less strictly for that. What a head means depends on its bytes and the limits alone, so what the strict
reader made of the very same bytes is used again, and only for messages of which nothing else has to be read.
"""

from __future__ import annotations

from typing import Final, TypeVar

__all__ = ["Known"]

_COUNT: Final = 512
_SIZE: Final = 2048
"""Bytes of a head. Others choose what they send, so neither many nor long ones are kept."""

_Meaning = TypeVar("_Meaning")


class Known(dict[bytes, _Meaning]):
    """What heads mean under one set of limits."""

    def learn(self, head: bytes, meaning: _Meaning) -> None:
        """Keep one. ``meaning`` must not change any more."""
        if len(head) <= _SIZE:
            if len(self) >= _COUNT:
                self.clear()
            self[head] = meaning
