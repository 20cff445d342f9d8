from __future__ import annotations

import re
from pathlib import Path

import attrs

from iopproxy.http.limits import Limits

DOCS = Path(__file__).parents[3] / "docs" / "proxy.md"


def test_every_limit_is_documented_with_its_default() -> None:
    documented: dict[str, str] = {}
    for line in DOCS.read_text().splitlines():
        if re.match(r"\| `[a-z0-9_]+`", line):
            names, _, defaults = line.strip("| ").partition("|")
            values = defaults.rpartition("|")[2].split(",")
            documented |= dict(zip(re.findall("`([a-z0-9_]+)`", names), map(str.strip, values), strict=False))
    undocumented = {}
    for each in attrs.fields(Limits):
        said = documented.get(each.name, "")
        if not re.fullmatch(r"[0-9.]+", said) or float(said) != each.default:
            undocumented[each.name] = (each.default, said)
    assert undocumented == {}
