import contextlib
import io
import os
import pty
import re
import threading
from collections.abc import Iterator

import pytest

from iop.console import Console, console, seconds, size, size_of, use
from iop.errors import IopError

WEB, API = "web.example", "api.example"


class Screen:
    """A console that writes into memory."""

    def __init__(self, *, verbose: bool = False, encoding: str = "utf-8", answers: str | None = None) -> None:
        self._out, self._err = io.BytesIO(), io.BytesIO()
        self._streams = [
            io.TextIOWrapper(each, encoding, write_through=True) for each in (self._out, self._err)
        ]
        stdin = None if answers is None else io.StringIO(answers)
        self.console = Console(*self._streams, live=False, verbose=verbose, answers=stdin)

    def lines(self) -> list[str]:
        """What was printed, with every duration as 0.0 s."""
        return re.sub(r"\d+\.\d s", "0.0 s", self._out.getvalue().decode()).splitlines()

    def errors(self) -> list[str]:
        return self._err.getvalue().decode().splitlines()


class Terminal:
    """A console on a real pseudo-terminal."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self._drawn = b""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.console = Console(self.stream, self.stream, live=True, verbose=True)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while more := os.read(self._master, 65536):
                with self._more:
                    self._drawn += more
                    self._more.notify_all()

    def wait(self, text: str) -> None:
        """Until ``text`` was drawn."""
        with self._more:
            assert self._more.wait_for(lambda: text.encode() in self._drawn, timeout=60)

    def drawn(self) -> str:
        """Everything that was drawn. Ends the terminal."""
        self.stream.close()
        self._reader.join()
        return self._drawn.decode()

    def close(self) -> None:
        self.drawn()
        os.close(self._master)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    shown = Terminal()
    yield shown
    shown.close()


def plain(drawn: str) -> str:
    """The text alone, with every duration as 0.0 s."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn).replace("\r", "")
    return re.sub(r"\d+\.\d s", "0.0 s", text)


def test_a_finished_step_is_one_line_with_its_note() -> None:
    screen = Screen()
    with screen.console.run([(None, "Building web"), (WEB, "Sending web")]):
        with screen.console.step("Building web"):
            pass
        with screen.console.step("Sending web", WEB) as progress:
            progress.bytes(5, 10)
            progress.note("3.1 of 250.0 MB sent")
    assert screen.lines() == ["[✓] Building web  0.0 s", "[✓] Sending web  0.0 s · 3.1 of 250.0 MB sent"]


def test_a_failed_step_is_marked_and_its_error_goes_on() -> None:
    screen = Screen()
    with (
        pytest.raises(ValueError, match="no"),
        screen.console.run([(WEB, "Start")]),
        screen.console.step("Start", WEB),
    ):
        raise ValueError("no")
    assert screen.lines() == ["[✗] Start  0.0 s"]


def test_steps_of_several_hosts_say_which() -> None:
    screen = Screen()
    with screen.console.run([(None, "Build"), (WEB, "Start"), (API, "Start")]):
        for host in (None, WEB, API):
            with screen.console.step("Start" if host else "Build", host):
                pass
    assert screen.lines() == [
        "[✓] Build  0.0 s",
        "[✓] web.example: Start  0.0 s",
        "[✓] api.example: Start  0.0 s",
    ]


def test_a_step_outside_of_a_run_is_shown() -> None:
    screen = Screen()
    with screen.console.step("Start", WEB):
        pass
    assert screen.lines() == ["[✓] Start  0.0 s"]


def test_parallel_steps_print_whole_lines() -> None:
    screen = Screen()
    hosts = [f"host{number}" for number in range(8)]
    together = threading.Barrier(len(hosts))

    def work(host: str) -> None:
        together.wait()
        for number in range(50):
            with screen.console.step(f"step {number}", host) as progress:
                progress.note(host)

    with screen.console.run([(host, "step 0") for host in hosts]):
        threads = [threading.Thread(target=work, args=(host,)) for host in hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    expected = [f"[✓] {host}: step {n}  0.0 s · {host}" for host in hosts for n in range(50)]
    assert sorted(screen.lines()) == sorted(expected)


def test_a_stream_that_is_not_utf8_gets_plain_signs() -> None:
    screen = Screen(encoding="ascii")
    with screen.console.step("Grün → blau") as progress:
        progress.note("done")
    screen.console.fail(IopError("no server", "look again"))
    assert screen.lines() == ["[+] Gr?n -> blau  0.0 s - done"]
    assert screen.errors() == ["error: no server", "  -> look again"]


def test_titles_and_notes_can_not_move_the_cursor() -> None:
    screen = Screen()
    with screen.console.step("Start\x1b[2J") as progress:
        progress.note("one\ntwo")
    assert screen.lines() == ["[✓] Start [2J  0.0 s · one two"]


def test_the_output_of_commands_is_for_verbose() -> None:
    quiet, loud = Screen(), Screen(verbose=True)
    for screen in (quiet, loud):
        screen.console.output("Step 1/3\n")
    assert (quiet.lines(), loud.lines()) == ([], ["Step 1/3"])


def test_warnings_and_errors_go_to_stderr() -> None:
    screen = Screen()
    screen.console.warn("a new host key")
    screen.console.fail(IopError("no server"))
    assert (screen.lines(), screen.errors()) == ([], ["warning: a new host key", "error: no server"])


@pytest.mark.parametrize(
    ("typed", "answer"), [("shop\n", "shop"), ("\n", "demo"), ("", "demo"), (None, "demo")]
)
def test_a_question_has_a_default(typed: str | None, answer: str) -> None:
    screen = Screen(answers=typed)
    assert screen.console.ask("Project name", "demo") == answer
    assert bool(screen.lines()) == (typed is not None)


def test_a_plan_is_grouped_by_host() -> None:
    screen = Screen()
    screen.console.plan([(None, "Build"), (WEB, "Start"), (API, "Start"), (WEB, "Switch")])
    expected = ["this machine", "  · Build", WEB, "  · Start", "  · Switch", API, "  · Start"]
    assert screen.lines() == expected


def test_urls_stand_in_a_column() -> None:
    screen = Screen()
    screen.console.urls([("web", "https://a.example"), ("worker", "https://b.example")])
    assert screen.lines() == ["web     https://a.example", "worker  https://b.example"]


def test_the_live_tree_stays_on_the_screen(terminal: Terminal) -> None:
    shown = terminal.console
    with shown.run([(None, "Build"), (WEB, "Start"), (API, "Start [bold]now[/]"), (API, "Switch")]):
        with shown.step("Build"):
            shown.output("Step [1/3]")
        with shown.step("Start [bold]now[/]", API) as progress:
            progress.note("sent")
    drawn = plain(terminal.drawn())
    assert "Step [1/3]\n" in drawn
    assert drawn.endswith(
        "this machine\n└── [✓] Build  0.0 s\nweb.example\n└── [ ] Start\n"
        "api.example\n├── [✓] Start [bold]now[/]  0.0 s · sent\n└── [ ] Switch\n"
    )


def test_a_running_step_shows_its_bytes(terminal: Terminal) -> None:
    with terminal.console.run([(WEB, "Send")]), terminal.console.step("Send", WEB) as progress:
        progress.bytes(12_300_000, 45_000_000)
        terminal.wait("12.3 of 45.0 MB")


def test_the_live_tree_is_closed_before_an_error_is_printed(terminal: Terminal) -> None:
    shown = terminal.console
    with pytest.raises(IopError), shown.run([(WEB, "Start")]), shown.step("Start", WEB):
        raise IopError("it fell over")
    shown.fail(IopError("it fell over"))
    drawn = terminal.drawn()
    assert plain(drawn).endswith("[✗] Start  0.0 s\nerror: it fell over\n")
    assert drawn.rindex("\x1b[?25h") < drawn.rindex("error:")  # the cursor is back


def test_no_color_draws_without_colours(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = Console(terminal.stream, terminal.stream, live=True, verbose=False)
    with shown.run([(WEB, "Start")]), shown.step("Start", WEB):
        pass
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.drawn())


def test_the_process_has_one_console() -> None:
    before, screen = console(), Screen()
    try:
        assert use(screen.console) is screen.console
        assert console() is screen.console
    finally:
        use(before)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 s"), (3.24, "3.2 s"), (59.96, "1 min 0 s"), (72.4, "1 min 12 s"), (3601, "60 min 1 s")],
)
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (3_140_000, "3.1 MB"), (2e9, "2.0 GB")],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [(12_300_000, 45_000_000, "12.3 of 45.0 MB"), (1, 2, "1 of 2 bytes"), (0, 10**9, "0.0 of 1.0 GB")],
)
def test_size_of(done: int, total: int, text: str) -> None:
    assert size_of(done, total) == text
