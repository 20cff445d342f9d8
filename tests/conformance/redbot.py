"""REDbot, Mark Nottingham's checker of HTTP: through the proxy it is to say of a resource what it says of the app."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.result import Result, output

VERSION = "redbot==2.7.1"


def redbot(folder: Path, direct: str, through: str) -> Iterator[Result]:
    """Both asked with REDbot's own requests: conditional, for ranges, for gzip."""
    program = folder / "bin" / "redbot"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", VERSION], check=True)
    for path in ("/", "/chunked", "/cached", "/none"):
        said = [notes(output(str(program), "-o", "text", each + path)) for each in (direct, through)]
        more = sorted(said[1] - said[0])
        yield Result("REDbot", path, not more, "; ".join(more) or f"the same {len(said[0])} notes")


def notes(text: str) -> set[str]:
    """What it remarks; of clocks it says something else every second."""
    found = {each.strip(" *") for each in text.splitlines() if each.startswith("  * ")}
    return {each for each in found if not any(word in each for word in ("clock", "minute", "second", "ago"))}
