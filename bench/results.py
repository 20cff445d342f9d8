"""What was measured, as tables for people and as keys for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from loads.hey import Latency
from scenarios.memory import Memory
from scenarios.routes import Routes
from scenarios.throughput import Figures
from scenarios.workers import Scaling
from table import table

OURS = "iopproxy"


class Results:
    """Prints each result at once and keeps its keys. Ratios are ours divided by theirs."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}

    def throughput(self, key: str, title: str, figures: Mapping[str, Figures]) -> None:
        ours = figures.get(OURS)
        rows = []
        for name, each in figures.items():
            ratio = None if ours is None else ours.cpu_us / each.cpu_us
            if ratio is not None and name != OURS:
                self.keys[f"{key}_cpu_vs_{_key(name)}"] = round(ratio, 3)
            shown = "" if ratio is None else f"{ratio:.2f}"
            rows.append((name, f"{each.cpu_us:.1f}", f"{each.per_second:.0f}", shown))
        self.keys[f"{key}_cpu_us"] = {_key(name): round(each.cpu_us, 1) for name, each in figures.items()}
        self.keys[f"{key}_per_second"] = {
            _key(name): round(each.per_second) for name, each in figures.items()
        }
        print(table(title, ("proxy", "CPU µs each", "per second", "ours / it"), rows), flush=True)

    def latency(self, key: str, title: str, figures: Mapping[str, Latency]) -> None:
        rows = [
            (name, f"{each.per_second:.0f}", f"{each.p50:.2f}", f"{each.p99:.2f}")
            for name, each in figures.items()
        ]
        self.keys[key] = {
            _key(name): {"p50_ms": round(each.p50, 2), "p99_ms": round(each.p99, 2)}
            for name, each in figures.items()
        }
        print(table(title, ("proxy", "requests/s", "p50 ms", "p99 ms"), rows), flush=True)

    def memory(self, key: str, title: str, figures: Mapping[str, Memory]) -> None:
        rows = [
            (name, f"{each.idle / 1e6:.1f}", f"{each.per_connection / 1000:.1f}", each.answered)
            for name, each in figures.items()
        ]
        if ours := figures.get(OURS):
            self.keys["idle_connections"] = min(
                ours.answered, self.keys.get("idle_connections", ours.answered)
            )
        for name, each in figures.items():
            self.keys.setdefault("memory_idle_mb", {})[_key(name)] = round(each.idle / 1e6, 1)
            per_connection = self.keys.setdefault(f"memory_per_{key}_kb", {})
            per_connection[_key(name)] = round(each.per_connection / 1000, 1)
        head = ("proxy", "MB when idle", "KB for each connection", "connections that still answered")
        print(table(title, head, rows), flush=True)

    def routes(self, title: str, found: Routes) -> None:
        self.keys["routes_ratio"] = round(found.ratio, 3)
        self.keys["routes_in_turn_ratio"] = round(found.ratio_in_turn, 3)
        rows = [
            ("few", f"{found.few.cpu_us:.1f}", "1.00"),
            ("the same few, among many", f"{found.among_many.cpu_us:.1f}", f"{found.ratio:.2f}"),
            ("all of many in turn", f"{found.many.cpu_us:.1f}", f"{found.ratio_in_turn:.2f}"),
        ]
        print(table(title, ("routes asked for", "CPU µs each", "to the first"), rows), flush=True)

    def scaling(self, figures: Mapping[str, Scaling]) -> None:
        rows = [
            (name, f"{each.throughput:.2f}", f"{each.cpu:.2f}", f"{each.busier:.0%}")
            for name, each in figures.items()
        ]
        if ours := figures.get(OURS):
            self.keys["scale_2_workers"] = round(ours.throughput, 3)
            self.keys["scale_2_workers_cpu"] = round(ours.cpu, 3)
            self.keys["scale_2_workers_busier"] = round(ours.busier, 3)
        cores = os.cpu_count() or 1
        self.keys["cores"] = cores
        title = f"Two workers compared with one, on {cores} cores"
        head = ("proxy", "requests/s", "CPU each", "part of the busier worker")
        print(table(title, head, rows), flush=True)
        if cores < 4:
            print(
                "  The load and the upstream need cores too: requests/s can't show here what a worker brings."
            )


def _key(name: str) -> str:
    return name.replace("-", "_")
