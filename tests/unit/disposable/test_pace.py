"""Hundreds of lines become a few."""

from __future__ import annotations

from iop.disposable import pace


def test_at_most_one_line_an_interval(monkeypatch):
    now = 100.0
    monkeypatch.setattr(pace.time, "monotonic", lambda: now)
    said: list[str] = []
    tell = pace.paced(said.append, "apt", interval=2.0)
    for second in (100.5, 101.9, 102.0, 103.0, 104.1):
        now = second
        tell(f"\x1b[0mline at {second}")
    assert said == ["apt: line at 102.0", "apt: line at 104.1"]
