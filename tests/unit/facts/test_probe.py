"""The probe: run by a real shell on a machine without Docker, and parsed from what servers print."""

import json
import subprocess

import pytest

from iop.errors import RemoteError
from iop.facts import probe
from tests.contract import ROUTE

ANSWER = """
@@iop machine
x86_64

@@iop machine-id
0123456789abcdef0123456789abcdef

@@iop installed
/usr/bin/docker

@@iop docker
20.10.24+dfsg1

@@iop containers
{"name":"/demo-web-blue","image":"demo/web:one","running":true,"labels":{"iop.app":"web"},\
"networks":{"demo-network":{"Aliases":["web","0a1b2c"],"IPAddress":"172.18.0.3"}}}
{"name":"/iop-proxy","image":"iop/proxy:1","running":true,"labels":null,"networks":{}}

@@iop networks
bridge
demo-network

@@iop images
demo/web:one
<none>:<none>

@@iop attached
yes

@@iop routes
"""


def test_the_probe_runs_on_a_server_that_has_nothing(tmp_path):
    """Only what every Debian has is on the path."""
    for tool in ("sh", "cat", "uname", "sort"):
        (tmp_path / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
    done = subprocess.run(
        [tmp_path / "sh", "-s"],
        input=probe.script(),
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
        check=True,
    )
    facts = probe.parse("bare", "192.0.2.1", done.stdout)
    assert facts.fresh
    assert facts.docker is None
    assert facts.routes is None
    assert facts.platform.startswith("linux/")


def test_what_a_server_prints_becomes_facts():
    facts = probe.parse("server", "192.0.2.1", ANSWER + json.dumps({"routes": [ROUTE]}))
    assert (facts.platform, facts.docker, facts.fresh) == ("linux/amd64", "20.10.24+dfsg1", False)
    assert facts.networks == {"bridge", "demo-network"}
    blue = facts.container("demo-web-blue")
    assert blue is not None
    assert blue.aliases["demo-network"] == ("web", "0a1b2c")
    assert facts.has_image("demo/web:one")
    assert facts.attached
    assert not facts.has_image("demo/web:two")
    found = facts.route(ROUTE["project"], ROUTE["app"])
    assert found is not None
    assert list(found.targets) == ROUTE["targets"]


def test_a_proxy_that_does_not_answer_leaves_the_routes_unknown():
    assert probe.parse("server", "192.0.2.1", ANSWER).routes is None
    refused = json.dumps({"error": "The admin token is missing or wrong."})
    assert probe.parse("server", "192.0.2.1", ANSWER + refused).routes is None


def test_the_probe_asks_for_no_environment():
    """A whole `docker inspect` would bring every secret of every container along."""
    assert "{{json .}}" not in probe.script()
    assert "Env" not in probe.script()


def test_a_login_shell_that_answers_something_else_is_an_error():
    with pytest.raises(RemoteError, match="without an answer"):
        probe.parse("server", "192.0.2.1", "This account is currently not available.\n")
