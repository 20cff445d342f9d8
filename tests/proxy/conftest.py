"""One running proxy for all tests that don't end it; every test has hosts and upstreams of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proxy.running import Proxy
from tests.proxy.upstreams import Handler, Upstream
from tests.proxy.wire import Wire


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("state"))
    yield running
    running.stop()


@pytest.fixture
def start_proxy(tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Starts proxies on the same state folder, one after the other."""
    started: list[Proxy] = []

    def start(*options: str, environment: dict[str, str] | None = None) -> Proxy:
        started.append(Proxy(tmp_path / "state", *options, environment=environment))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def upstream() -> Iterator[Callable[[Handler], Upstream]]:
    started: list[Upstream] = []

    def start(handler: Handler) -> Upstream:
        started.append(Upstream(handler))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def wire(proxy: Proxy) -> Iterator[Wire]:
    with Wire(proxy.port) as connection:
        yield connection
