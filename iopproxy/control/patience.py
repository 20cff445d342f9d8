"""How long a worker may be silent, and how long it may take for an answer."""

from __future__ import annotations

from typing import Final

from attrs import define

__all__ = ["ANSWER_TIME", "Patience", "Question"]

ANSWER_TIME: Final = 10.0
"""Seconds that a worker has for an answer; one that is silent for longer hangs."""


@define(eq=False)
class Question:
    """Something a worker was asked, and how many seconds its answer may still take."""

    left: float
    queued: bool = False
    """It is answered after all that were ``queued`` before, each of which has the whole time for itself."""


class Patience:
    """With one worker. Time is what ``pass_time`` says, not the clock's: what the control process slept through, or
    was too busy to hear, is not held against a worker.
    """

    def __init__(self) -> None:
        self._silence = 0.0
        self._open: set[Question] = set()

    def asked(self, question: Question) -> None:
        """It was asked something."""
        self._open.add(question)

    def answered(self, question: Question) -> None:
        """It answered, or never will."""
        self._open.discard(question)
        if question.queued:
            for each in self._open:
                if each.queued:
                    each.left = ANSWER_TIME

    def heard(self) -> None:
        """It said something by itself."""
        self._silence = 0.0

    def pass_time(self, seconds: float) -> str | None:
        """So much went by; what a worker failed to do, once there is no patience left."""
        self._silence += seconds
        for each in self._open:
            each.left -= seconds
        if self._silence > ANSWER_TIME:
            return "says nothing"
        if any(each.left < 0 for each in self._open):
            return "doesn't answer"
        return None
