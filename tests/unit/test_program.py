"""The program from the words typed to the exit code, on a small namespace with tasks of every kind."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke import Collection, Context, task

from iop import argv, program
from iop.config.names import COMMANDS as RESERVED
from iop.console import Console, console, use
from iop.errors import HealthError

Run = Callable[..., tuple[int, str, str]]


@task(iterable=["entry"], auto_shortflags=False)
def deploy(c: Context, entry: list[str] | None = None) -> None:
    """Deploy apps."""
    console().say(json.dumps({"entry": entry or [], **dict(c.config.iop)}))


@task(auto_shortflags=False, positional=[], help={"name": "the project's name"})
def init(c: Context, name: str = "here", non_interactive: bool = False) -> None:
    """Write iop.yml.

    It never overwrites one.
    """
    console().say(f"{name} {non_interactive}")


@task(iterable=["entry"], auto_shortflags=False)
def plan(c: Context, entry: list[str] | None = None) -> None:
    """Show the steps."""
    raise HealthError("web did not become healthy", "see its log above")


@task(auto_shortflags=False)
def demo(c: Context) -> None:
    """Show it all."""
    raise KeyError("boo")


@task(auto_shortflags=False)
def interrupt(c: Context) -> None:
    raise KeyboardInterrupt


@task(auto_shortflags=False)
def local(c: Context, count: int = 1) -> None:
    c.run("echo it broke >&2; exit 7", hide=True, in_stream=False)


@task(auto_shortflags=False)
def ssh(c: Context, host: str) -> None:
    console().say(c.config.base_ssh_config.lookup(host)["hostname"])


@pytest.fixture(scope="module")
def small() -> program.Program:
    """The program on the tasks above."""
    fake = Collection(deploy, init, plan, demo, Collection("step", local, interrupt, ssh))
    fake.configure(
        {"iop": {"file": "iop.yml", "ssh_config": None, "verbose": False, "debug": False, "yes": False}}
    )
    return program.Program(name="iop", version="1.2.3", namespace=fake, config_class=program.Config)


@pytest.fixture
def run(small: program.Program, capsys: pytest.CaptureFixture[str]) -> Run:
    """Types a line; returns the exit code, standard output and standard error."""

    def typed(*words: str) -> tuple[int, str, str]:
        use(Console.of_process())
        with pytest.raises(SystemExit) as ended:
            small.run(["iop", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return typed


def test_alone_it_deploys_with_the_defaults(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "entry": [], "file": "iop.yml", "ssh_config": None, "verbose": False, "debug": False, "yes": False
    }  # fmt: skip


def test_names_and_flags_reach_the_task(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "ssh"
    config.write_text("")
    _, out, _ = run("web", "-c", "other.yml", "api", "--verbose", "--yes", "--ssh-config", str(config))
    assert json.loads(out) == {
        "entry": ["web", "api"], "file": "other.yml", "ssh_config": str(config),
        "verbose": True, "debug": False, "yes": True,
    }  # fmt: skip


def test_a_later_run_starts_from_the_defaults(run: Run) -> None:
    run("--verbose", "-c", "other.yml")
    assert json.loads(run()[1])["file"] == "iop.yml"


def test_the_environment_may_set_what_no_flag_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOP_IOP_FILE", "env.yml")
    assert json.loads(run()[1])["file"] == "env.yml"
    assert json.loads(run("-c", "flag.yml")[1])["file"] == "flag.yml"


def test_the_ssh_config_named_is_the_one_read(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "ssh"
    config.write_text("Host one\n  HostName 192.0.2.7\n")
    assert run("step.ssh", "one", "--ssh-config", str(config))[:2] == (0, "192.0.2.7\n")
    code, _, err = run("--ssh-config", str(tmp_path / "none"))
    assert (code, err) == (2, f"error: --ssh-config: there is no file {tmp_path}/none\n")


def test_a_command_keeps_its_own_flags(run: Run) -> None:
    assert run("init", "--name", "shop", "--non-interactive")[1] == "shop True\n"


def test_an_error_is_told_with_its_remedy(run: Run) -> None:
    assert run("plan") == (1, "", "error: web did not become healthy\n  → see its log above\n")


def test_a_failed_command_is_told_with_its_last_line(run: Run) -> None:
    assert run("step.local") == (1, "", "error: `echo it broke >&2; exit 7` exited 7\n  → it broke\n")


def test_the_unexpected_is_one_line(run: Run) -> None:
    assert run("demo") == (1, "", "error: unexpected KeyError: 'boo'; run again with --debug\n")


def test_debug_shows_the_traceback(run: Run) -> None:
    code, _, err = run("demo", "--debug")
    assert code == 1
    assert "Traceback" in err
    assert err.endswith("error: unexpected KeyError: 'boo'\n")


def test_an_interrupt_is_one_line(run: Run) -> None:
    assert run("step.interrupt") == (
        130,
        "",
        "error: interrupted\n  → nothing is lost: run the same again, it goes on from there\n",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--", "web"], "nothing may follow a bare --"),
        (["--verbos"], "unknown flag --verbos: did you mean --verbose?"),
        (["init", "shop"], "iop init takes no 'shop'"),
        (["step.local", "--count", "many"], "a flag wants a number"),
        (["step.ssh"], "'step.ssh' did not receive required positional arguments: 'host'"),
    ],
)
def test_a_wrong_line_exits_2(run: Run, line: list[str], told: str) -> None:
    code, out, err = run(*line)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {told}")


def test_the_version(run: Run) -> None:
    assert run("--version") == (0, "iop 1.2.3\n", "")


def test_help_lists_commands_but_not_steps(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in argv.COMMANDS:
        assert f"  iop {name} " in out
    assert "step." not in out
    assert {flag for flag in argv.GLOBAL if f"{flag} " in out or f"{flag}," in out} == set(argv.GLOBAL)


def test_help_of_a_command_tells_its_own_flags(run: Run) -> None:
    out = run("init", "--help")[1]
    assert out.startswith("Usage:\n  iop init [flags]\n\nWrite iop.yml.\n\nIt never overwrites one.\n")
    assert "--name NAME " in out
    assert "the project's name" in out
    assert "--non-interactive" in out
    assert run("deploy", "-h")[1].startswith(
        "Usage:\n  iop deploy [NAME …] [flags]\n  iop [NAME …] [flags]\n"
    )
    assert run("plan", "-h")[1].startswith("Usage:\n  iop plan [NAME …] [flags]\n")
    assert run("step.ssh", "-h")[1].startswith("Usage:\n  iop step.ssh HOST [flags]\n")


def test_the_commands_are_those_of_the_real_program() -> None:
    tasks = program.program.namespace
    assert tasks is not None
    assert set(argv.COMMANDS) == {name for name in tasks.task_names if "." not in name}
    assert tasks.default == argv.DEFAULT


def test_no_app_may_be_named_like_a_command() -> None:
    assert set(argv.COMMANDS) <= RESERVED
