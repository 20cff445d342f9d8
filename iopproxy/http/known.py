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

    def __init__(self) -> None:
        super().__init__()
        self._once: set[int] = set()
        """Hashes of those that came once."""

    def comes_again(self, head: bytes) -> bool:
        """Whether one that isn't known is to be learnt. Most come once only, and to learn them all would cost more."""
        if len(head) > _SIZE:
            return False
        key = hash(head)
        if key in self._once:
            return True
        if len(self._once) >= _COUNT:
            self._once.clear()
        self._once.add(key)
        return False

    def learn(self, head: bytes, meaning: _Meaning) -> None:
        """Keep one that comes again. ``meaning`` must not change any more."""
        if len(self) >= _COUNT:
            self.clear()
        self[head] = meaning
