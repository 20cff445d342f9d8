"""When a worker is taken to hang."""

from __future__ import annotations

from iopproxy.control.patience import ANSWER_TIME, Patience, Question


def test_who_says_nothing_for_long_hangs() -> None:
    patience = Patience()
    assert patience.pass_time(ANSWER_TIME) is None
    patience.heard()
    assert patience.pass_time(ANSWER_TIME) is None
    assert patience.pass_time(1) == "says nothing"


def test_who_talks_but_does_not_answer_hangs() -> None:
    patience, question = Patience(), Question(3.0)
    patience.asked(question)
    for _ in range(3):
        patience.heard()
        assert patience.pass_time(1) is None
    patience.heard()
    assert patience.pass_time(1) == "doesn't answer"
    patience.answered(question)
    assert patience.pass_time(1) is None


def test_each_of_a_queue_has_the_whole_time() -> None:
    """A worker that starts is sent everything at once, and works it off in that order."""
    patience, queue, other = (
        Patience(),
        [Question(ANSWER_TIME, queued=True) for _ in range(3)],
        Question(25.5),
    )
    for each in (*queue, other):
        patience.asked(each)
    for each in queue[:2]:
        patience.heard()
        assert patience.pass_time(ANSWER_TIME - 1) is None
        patience.answered(each)
    patience.heard()
    assert patience.pass_time(ANSWER_TIME - 2) == "doesn't answer"  # the other one, which nobody gave more


def test_what_is_left_of_a_queue_may_hang() -> None:
    patience, queue = Patience(), [Question(ANSWER_TIME, queued=True) for _ in range(2)]
    for each in queue:
        patience.asked(each)
    patience.answered(queue[0])
    patience.heard()
    assert patience.pass_time(ANSWER_TIME) is None
    patience.heard()
    assert patience.pass_time(1) == "doesn't answer"
