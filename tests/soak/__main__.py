"""The run, and its table. The last line on stdout is one JSON object; the exit status is 1 if anything failed."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import ssl
import sys
import tempfile
import time
from pathlib import Path

from tests.proxy.running import Proxy
from tests.proxy.secure import HTTPS, certify, trusting
from tests.soak import client2, clients
from tests.soak.tally import Tally
from tests.soak.trouble import Trouble
from tests.soak.watch import Watch


async def soak(proxy: Proxy, minutes: float) -> tuple[Tally, Trouble, list[Watch]]:
    """All of it at once, for so long."""
    tally = Tally()
    trouble = Trouble(proxy, tally)
    await trouble.begin()
    trust: ssl.SSLContext = trusting(alpn=("http/1.1",))
    place = clients.Place(proxy.port, proxy.tls_port, trust, trusting(alpn=("h2",)))
    watches = [Watch("control", proxy.process.pid), Watch("worker", proxy.workers[0])]
    until = time.monotonic() + minutes * 60
    async with asyncio.TaskGroup() as group:
        for kind, (_, _, count) in clients.KINDS.items():
            for _ in range(count):
                group.create_task(clients.run(kind, place, tally, until))
        for _ in range(client2.CLIENTS):
            group.create_task(client2.run(place, tally, until))
        for work in (trouble.switch, trouble.kill, trouble.change, *(each.run for each in watches)):
            group.create_task(work(until))
    await trouble.end()
    return tally, trouble, watches


def main() -> None:
    """Parse, run, show."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes: float = parser.parse_args().minutes
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # it remarks every write to a connection that was cut
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(Path(folder) / "state", *HTTPS)
        try:
            certify(proxy, clients.HOST)
            worker = Watch("worker", proxy.workers[0])
            worker.look()
            tally, trouble, watches = asyncio.run(soak(proxy, minutes))
            time.sleep(8)  # the pool's idle connections end after 4 s, who lingers after 2
            worker.look()
            left = worker.samples[1][2] - worker.samples[0][2]
            same = worker.pid in proxy.workers
            proxy.terminate()
            proxy.wait(40)
        finally:
            proxy.stop()
    show(minutes, tally, trouble, watches, left)
    sys.exit(bool(tally.failed) or not same)


def show(minutes: float, tally: Tally, trouble: Trouble, watches: list[Watch], left: int) -> None:
    """The table, and its JSON."""
    print(f"{'client':20}{'done':>10}{'cut by a kill':>16}")
    for kind in (*clients.KINDS, "HTTP/2"):
        print(f"{kind:20}{tally.done[kind]:>10}{tally.cut[kind]:>16}")
    print(
        f"\n{trouble.switches} targets replaced, {trouble.kills} workers killed, {trouble.changes} other changes"
    )
    print(
        f"{len(tally.failed)} failures, {left} descriptors more than before in the worker that was left alone\n"
    )
    for failure in tally.failed[:20]:
        print(f"  {failure}")
    print(f"{'process':10}{'MB early':>10}{'late':>8}{'MB/hour':>10}{'descriptors early':>20}{'late':>8}")
    for each in watches:
        (before, after), (few, many) = each.medians(1), each.medians(2)
        print(f"{each.name:10}{before:>10.1f}{after:>8.1f}{each.slope:>10.1f}{few:>20.0f}{many:>8.0f}")
    result = {
        "minutes": minutes,
        "done": sum(tally.done.values()),
        "failures": len(tally.failed),
        "cut_by_kills": sum(tally.cut.values()),
        "worker_kills": trouble.kills,
        "targets_replaced": trouble.switches,
        "descriptors_left": left,
        "megabytes_per_hour": {each.name: round(each.slope, 1) for each in watches},
        "megabytes": {each.name: [round(size, 1) for size in each.medians(1)] for each in watches},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
