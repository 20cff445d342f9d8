import pytest

from iop.argv import Command, expand
from iop.errors import UsageError

COMMANDS = {
    "deploy": Command({"--entry": True}),
    "plan": Command({"--entry": True}),
    "init": Command({"--name": True, "--non-interactive": False}),
    "app.start": Command({"--name": True}, positional=1),
}


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("", "deploy"),
        ("web api", "deploy --entry web --entry api"),
        ("deploy web", "deploy --entry web"),
        ("deploy --entry web", "deploy --entry=web"),
        ("plan", "plan"),
        ("plan web --verbose", "--verbose plan --entry web"),
        ("web -c other.yml api", "-c=other.yml deploy --entry web --entry api"),
        ("-cother.yml", "-c=other.yml deploy"),
        ("-c=other.yml", "-c=other.yml deploy"),
        ("--config=other.yml --yes", "--config=other.yml --yes deploy"),
        ("--ssh-config a=b plan", "--ssh-config=a=b plan"),
        ("init --name shop", "init --name=shop"),
        ("--name shop init", "init --name=shop"),
        ("-c plan", "-c=plan deploy"),
        ("web plan", "deploy --entry web --entry plan"),
        ("app.start web", "app.start web"),
        ("app start", "deploy --entry app --entry start"),
        ("--version", "--version deploy"),
        ("--help", "--help"),
        ("-h --verbose", "--help"),
        ("web --help", "--help"),
        ("plan --help", "--help plan"),
        ("--help plan web", "--help plan"),
        ("app.start --help", "--help app.start"),
    ],
)
def test_a_line_is_understood(typed: str, understood: str) -> None:
    assert expand(typed.split(), COMMANDS) == understood.split()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("-- web", "nothing may follow a bare --"),
        ("web --", "nothing may follow a bare --"),
        ("--verbos", "unknown flag --verbos: did you mean --verbose?"),
        ("init --nam x", "unknown flag --nam: did you mean --name?"),
        ("--nam x init", "unknown flag --nam: did you mean --name?"),
        ("plan --name x", "unknown flag --name: see iop plan --help"),
        ("--name shop web", "unknown flag --name: see iop deploy --help"),
        ("-x", "unknown flag -x: see iop deploy --help"),
        ("-c", "-c needs a value: -c VALUE"),
        ("-c --verbose", "-c needs a value"),
        ("--config=", "--config needs a value"),
        ("--yes=no", "--yes takes no value"),
        ("init shop", "iop init takes no 'shop'; see iop init --help"),
        ("app.start web api", "iop app.start takes no 'api'"),
    ],
)
def test_a_wrong_line_is_a_usage_error_of_one_line(typed: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        expand(typed.split(), COMMANDS)
    assert str(caught.value).startswith(told)
    assert caught.value.code == 2
