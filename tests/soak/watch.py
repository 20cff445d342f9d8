"""Memory and descriptors of the processes that live as long as the run, sampled."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from statistics import linear_regression, median

SAMPLE_TIME = 2.0


class Watch:
    """Samples of one process: (seconds, resident bytes, open descriptors)."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.samples: list[tuple[float, int, int]] = []

    def look(self) -> None:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        self.samples.append((time.monotonic(), pages * os.sysconf("SC_PAGE_SIZE"), descriptors))

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            self.look()
            await asyncio.sleep(SAMPLE_TIME)

    @property
    def late(self) -> list[tuple[float, int, int]]:
        """The last two thirds: caches and pools have filled by then."""
        return self.samples[len(self.samples) // 3 :]

    @property
    def slope(self) -> float:
        """Megabytes per hour."""
        moments, sizes, _ = zip(*self.late, strict=True)
        return linear_regression(moments, [size / 1e6 for size in sizes]).slope * 3600

    def medians(self, field: int) -> tuple[float, float]:
        """Of the first and the last third of ``late``; ``field`` 1 is memory in MB, 2 descriptors."""
        values = [sample[field] / (1e6 if field == 1 else 1) for sample in self.late]
        third = max(1, len(values) // 3)
        return median(values[:third]), median(values[-third:])
