"""Real servers for the tests: Debian containers with systemd and sshd, gone when the test is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import pytest

from iop.disposable.engine import local_engine
from iop.disposable.fleet import servers as started
from iop.disposable.packages import install
from iop.disposable.server import DisposableServer
from iop.errors import MissingError


class Servers(Protocol):
    """``servers(2, release="trixie", prepared=True)``: so many servers, until the fixture's scope ends."""

    def __call__(
        self, n: int = 1, *, release: str = "bookworm", prepared: bool = False
    ) -> tuple[DisposableServer, ...]: ...


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows slow set-up at once, past pytest's capturing."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {text}", end="", flush=True)

    return line


@pytest.fixture(scope="session")
def engine(say: Callable[[str], None]) -> Iterator[None]:
    """A local Docker engine. Without one the tests skip on a laptop; in CI nothing may be skipped."""
    with ExitStack() as stack:
        with _nothing_missing():
            install({"ssh": "openssh-client"}, say, "testing over SSH")
            stack.enter_context(local_engine(say))
        yield


@contextmanager
def _nothing_missing() -> Iterator[None]:
    try:
        yield
    except MissingError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def _factory(say: Callable[[str], None]) -> Iterator[Servers]:
    with ExitStack() as stack:

        def start(
            n: int = 1, *, release: str = "bookworm", prepared: bool = False
        ) -> tuple[DisposableServer, ...]:
            with _nothing_missing():
                return stack.enter_context(started(n, say, release, prepared))

        yield start


@pytest.fixture
def servers(engine: None, say: Callable[[str], None]) -> Iterator[Servers]:
    """Servers for one test."""
    yield from _factory(say)


@pytest.fixture(scope="module")
def module_servers(engine: None, say: Callable[[str], None]) -> Iterator[Servers]:
    """Servers that the tests of a module share."""
    yield from _factory(say)
