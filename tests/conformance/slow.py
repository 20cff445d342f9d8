"""slowhttptest: slow heads, slow bodies, slow readers. The others are to be served, the slow ones to be let go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.conformance.result import Result, line, output

LIMITS = ("--limit", "head_time=4", "--limit", "body_grace_time=4", "--limit", "write_stall_time=4")
"""Short, so that it can be seen that they act."""

CASES = {
    "slow heads (slowloris)": ("-H", "-i", "2", "-x", "24"),
    "slow bodies (R.U.D.Y.)": ("-B", "-i", "2", "-s", "8192", "-x", "10"),
    "slow readers": ("-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"),
    "many ranges (Apache killer)": ("-R", "-a", "10", "-b", "3000"),
}


def slow(url: str) -> Iterator[Result]:
    """400 connections each, while the tool itself asks now and then whether the service is there."""
    for case, options in CASES.items():
        said = output("slowhttptest", *options, "-c", "400", "-r", "200", "-l", "15", "-p", "3", "-u", url)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
        available = set(re.findall(r"service available:\s+(\w+)", plain))
        status = line(plain, "Exit status").partition(":")[2].strip()
        closed = line(plain, "closed:").partition(":")[2].strip()
        yield Result(
            "slowhttptest", case, available == {"YES"}, f"available; {closed} of 400 closed; {status}"
        )
