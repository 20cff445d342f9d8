"""Shell text, checked by running it through a real shell wherever it does not need Docker."""

import subprocess

from iop.commands import app, docker, image, proxy
from iop.commands.shell import ensure, exports, feed, line, script

NASTY = "a'b\"c $HOME `id` \\ \n second line; rm -rf /"


def run(text):
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def start(**changes):
    options = {
        "network": "demo-network",
        "labels": {"iop.app": "web"},
        "plain": {"PLAIN": "p v"},
        "secret": {"KEY": NASTY},
        "ports": ["9000:9000"],
        "volumes": ["data:/data"],
        "user": "app",
        "command": ("serve", "--all"),
        "stop_timeout": 10.0,
    }
    return app.start("demo-web-blue", "demo/web:one", **(options | changes))


def test_words_survive_a_shell():
    assert run(line("printf", "%s", NASTY)) == (0, NASTY)


def test_exported_values_survive_a_shell_and_appear_in_no_argument():
    assert run(f'{exports({"KEY": NASTY})}\nprintf %s "$KEY"') == (0, NASTY)


def test_text_is_fed_as_standard_input():
    assert run(feed(NASTY, "cat")) == (0, NASTY)


def test_a_script_stops_at_the_first_failure():
    assert run(script("echo one", "false", "echo two")) == (1, "one\n")


def test_half_a_script_does_nothing():
    """A connection that breaks while a script is sent must not run its beginning."""
    whole = script("echo one", "echo two")
    assert run(whole[: whole.index("echo two")])[1] == ""


def test_ensure_acts_only_when_the_check_fails():
    assert run(ensure("true", "echo acted")) == (0, "")
    assert run(ensure("false", "echo acted")) == (0, "acted\n")


def test_start_names_secrets_and_never_shows_their_values_to_docker():
    fake = 'docker() { for word; do printf "%s\\n" "$word"; done; }\n'
    text = fake + start().replace(">/dev/null", "")
    assert NASTY not in run(text)[1]
    assert run(text)[1].splitlines() == [
        *("run", "--detach", "--name", "demo-web-blue", "--network", "demo-network"),
        *("--restart", "unless-stopped", "--stop-timeout", "10", "--label", "iop.app=web"),
        *("--env", "PLAIN=p v", "--env", "KEY", "--publish", "9000:9000", "--volume", "data:/data"),
        *("--user", "app", *docker.LOGS, "demo/web:one", "serve", "--all"),
    ]


def test_start_hands_the_secret_over_in_the_environment_and_no_further():
    text = 'docker() { printf %s "$KEY" >&2; }\n' + start() + '\nprintf %s "${KEY-gone}"'
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=True)
    assert (done.stderr, done.stdout) == (NASTY, "gone")


def test_the_alias_moves_with_the_address():
    fake = 'docker() { case "$1" in inspect) echo 172.18.0.3;; *) echo "$@" >&2;; esac; }\n'
    text = fake + app.alias("c", "net", ("web", "demo-web")).replace(">/dev/null 2>&1", "").replace(
        ">/dev/null", ""
    )
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "network disconnect --force net c",
        "network connect --alias web --alias demo-web --ip 172.18.0.3 net c",
    ]


def test_build_arguments_are_named_only(tmp_path):
    argv = image.build("demo/web:one", context=tmp_path, dockerfile=tmp_path / "Dockerfile", args=["TOKEN"])
    assert argv[argv.index("--build-arg") + 1] == "TOKEN"


def test_the_admin_api_gets_its_body_on_stdin():
    text = proxy.admin("PUT", "/v1/routes/demo/web", {"hosts": ["it's"]})
    assert run("docker() { cat; }\n" + text) == (0, '{"hosts": ["it\'s"]}')
