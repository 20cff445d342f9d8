"""What a one-line change costs to ship: ours against ``docker save | gzip | ssh docker load``, on one real server.

A 250 MB image (Debian with Python, 160 MB of dependencies, 5 MB of source code) is on a disposable server; one line
of its source is changed, and the new image is sent both ways, in turn. Bytes are what the server's network interface
received, SSH and TCP included. The last line on standard output is one JSON object.

    python bench/transfer.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

import fabric
from attrs import frozen

from iop import archive, building, local
from iop.connection import Server
from iop.disposable.bases import python_base
from iop.disposable.engine import local_engine
from iop.disposable.fleet import servers
from iop.disposable.server import DisposableServer
from iop.shipping import ship

BEFORE, AFTER = "bench/transfer:before", "bench/transfer:after"
DEPENDENCIES_MB, SOURCE_FILES, SOURCE_LINES = 160, 400, 180
SLACK = 64 * 1024


@frozen
class Cost:
    """One transfer: bytes that the server received, and seconds until the image was loaded."""

    received: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each way is measured; the median counts"
    )
    rounds = parser.parse_args().rounds
    with local_engine(say), tempfile.TemporaryDirectory() as folder, images(Path(folder)):
        layers = changed_layers()
        with servers(1, say, prepared=True) as (server,):
            say("sending the whole image once")
            first = measured(server, lambda: ours(server, BEFORE))
            ways: dict[str, Callable[[], None]] = {
                "iop": lambda: ours(server, AFTER),
                "docker save | gzip | ssh docker load": lambda: theirs(server, AFTER),
            }
            costs: dict[str, list[Cost]] = {name: [] for name in ways}
            for number in range(rounds):
                for name, send in ways.items():
                    say(f"round {number + 1} of {rounds}: {name}")
                    costs[name].append(measured(server, send))
                    server.exec("docker", "image", "rm", AFTER)
    middle = {name: median(each) for name, each in costs.items()}
    report(layers, first, middle)


def report(layers: int, first: Cost, middle: dict[str, Cost]) -> None:
    """The table for people, then the JSON line."""
    thin, full = middle.values()
    goal = 1.05 * layers + SLACK
    print(f"{'':40}{'received':>14}{'seconds':>10}")
    for name, cost in (("iop, nothing there yet", first), *middle.items()):
        print(f"{name:40}{cost.received / 1e6:>11.2f} MB{cost.seconds:>10.2f}")
    print(f"{'the changed layers, gzip -6':40}{layers / 1e6:>11.2f} MB")
    met = "met" if thin.received <= goal else "missed"
    print(f"goal: at most 1.05 times the changed layers + 64 KiB = {goal / 1e6:.2f} MB: {met}")
    keys = {
        "bytes_sent": thin.received,
        "bytes_ratio": round(thin.received / layers, 4),
        "full_bytes": full.received,
        "seconds": round(thin.seconds, 3),
        "full_seconds": round(full.seconds, 3),
    }
    print(json.dumps(keys))


@contextmanager
def images(folder: Path) -> Iterator[None]:
    """The image before and after the change, on this machine's engine."""
    say("building the image before and after a one-line change")
    chance = random.Random(1)  # the same image in every run
    (folder / "Dockerfile").write_text(
        f"FROM {python_base(say)}\nCOPY dependencies /opt/dependencies\nCOPY source /srv/app\nCMD ['python3']\n"
    )
    (folder / "source").mkdir()
    with (folder / "dependencies").open("w") as target:
        for _ in range(DEPENDENCIES_MB):
            target.write(chance.randbytes(500_000).hex())  # compresses to half, as libraries do
    for number in range(SOURCE_FILES):
        lines = [
            f"    item_{chance.randrange(10**6)} = compute({chance.random()}, {number})"
            for _ in range(SOURCE_LINES)
        ]
        (folder / "source" / f"module_{number}.py").write_text("\n".join(["def work():", *lines, ""]))
    try:
        for tag in (BEFORE, AFTER):
            building.build(tag, context=folder, dockerfile=folder / "Dockerfile")
            with (folder / "source" / "module_7.py").open("a") as source:
                source.write("print('a line more')\n")
        yield
    finally:
        subprocess.run(["docker", "image", "rm", "--force", BEFORE, AFTER], check=False, capture_output=True)


def changed_layers() -> int:
    """The bytes of the layers that only the later image has, each compressed as gzip does."""
    before = set(indexed(BEFORE).diff_ids)
    members = {layer.member for layer in indexed(AFTER).layers if layer.diff_id not in before}
    size = 0
    with saved(AFTER) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for info in tar:
            if info.name in members and (content := tar.extractfile(info)):
                size += len(zlib.compress(content.read(), 6, zlib.MAX_WBITS | 16))
        stream.read()  # docker save fails when its last padding finds no reader
    return size


def indexed(tag: str) -> archive.Index:
    with saved(tag) as stream:
        return archive.read_index(stream)


def saved(tag: str) -> AbstractContextManager[IO[bytes]]:
    return local.reading(["docker", "save", tag])


def ours(server: DisposableServer, tag: str) -> None:
    config = fabric.Config(runtime_ssh_path=str(server.ssh_config))
    with Server(server.name, config=config) as connection:
        ship(connection, tag)


def theirs(server: DisposableServer, tag: str) -> None:
    ssh = shlex.join(["ssh", "-F", str(server.ssh_config), server.name, "docker load"])
    command = f"set -o pipefail; docker save {tag} | gzip | {ssh}"
    subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL)


def measured(server: DisposableServer, send: Callable[[], None]) -> Cost:
    before, begun = received(server), time.monotonic()
    send()
    seconds = time.monotonic() - begun
    return Cost(received(server) - before, seconds)


def received(server: DisposableServer) -> int:
    """The bytes that the server's interface took in since it booted."""
    return int(server.exec("cat", "/sys/class/net/eth0/statistics/rx_bytes"))


def median(costs: list[Cost]) -> Cost:
    return Cost(
        int(statistics.median(cost.received for cost in costs)),
        statistics.median(cost.seconds for cost in costs),
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
