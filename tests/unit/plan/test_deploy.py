"""The whole plan of a server: what comes before any app, and what is decided when little can be seen."""

import pytest
from attrs import evolve

from iop.errors import UsageError
from iop.plan.deploy import plan, selected
from tests.unit.plan.samples import APP, BLUE, EDGE, FRESH, HOST, NETWORK, PROJECT, PROXY, PROXY_IMAGE, READY

IMAGES = {"linux/amd64": PROXY_IMAGE}


def planned(facts, release="one"):
    return plan(PROJECT, {HOST: facts}, (APP,), release, IMAGES)


def tasks(facts, release="one"):
    return [step.task for step in planned(facts, release).steps]


def test_a_bare_server_gets_everything_and_this_machine_builds_first():
    assert tasks(FRESH) == [
        "proxy.build",
        "image.build",
        "server.install-docker",
        "server.network",
        "image.ship",
        "proxy.boot",
        "proxy.join",
        "image.ship",
        "app.start",
        "app.check",
        "app.alias",
        "app.switch",
        "app.prove",
    ]
    assert not planned(FRESH).partial


def test_a_prepared_server_goes_straight_to_the_app():
    assert tasks(READY)[:3] == ["image.build", "image.ship", "app.start"]


def test_a_matching_server_needs_no_step():
    assert planned(BLUE).steps == ()


def test_a_proxy_in_no_network_of_ours_joins_it():
    edge = evolve(EDGE, aliases={"bridge": ()})
    facts = evolve(READY, containers=(edge, PROXY), networks=frozenset({"bridge"}))
    assert tasks(facts)[1:3] == ["server.network", "proxy.join"]


def test_with_a_silent_proxy_no_colour_is_guessed():
    """It is started first; what it serves is only known then."""
    stopped = evolve(BLUE, routes=None, containers=(EDGE, evolve(PROXY, running=False), *BLUE.containers[2:]))
    assert tasks(stopped, "two") == ["proxy.boot"]
    assert planned(stopped).partial


def test_with_the_proxy_gone_the_apps_there_are_not_taken_for_leftovers():
    gone = evolve(BLUE, routes=None, containers=(EDGE, *BLUE.containers[2:]))
    assert tasks(gone, "two") == ["proxy.boot"]
    assert planned(gone).partial


def test_a_stopped_edge_is_started_and_joined_before_anything_is_decided():
    """The proxy still answers from inside its dead network."""
    stopped = evolve(BLUE, containers=(evolve(EDGE, running=False), *BLUE.containers[1:]))
    assert tasks(stopped) == ["proxy.boot", "proxy.join"]
    assert planned(stopped).partial


def test_a_proxy_in_the_network_of_an_edge_that_ended_is_started_anew():
    assert tasks(evolve(BLUE, attached=False)) == ["proxy.boot"]


def test_with_docker_stopped_it_is_started_and_nothing_is_guessed():
    down = evolve(FRESH, fresh=False)
    assert [step.title for step in planned(down).steps] == ["Starting Docker"]
    assert planned(down).partial


def test_a_host_of_another_app_is_refused_before_anything_runs():
    other = evolve(BLUE.routes[0], project="shop")
    with pytest.raises(UsageError, match=r"web\.example is the host of app web of project shop"):
        planned(evolve(READY, routes=(other,)))


def test_two_servers_share_one_build_of_the_proxy():
    there = evolve(APP, name="api", server="other.example", image="demo/api")
    facts = {HOST: FRESH, "other.example": evolve(FRESH, host="other.example")}
    steps = plan(evolve(PROJECT, apps=(APP, there)), facts, (APP, there), "one", IMAGES).steps
    assert [step.task for step in steps].count("proxy.build") == 1
    assert [step.host for step in steps if step.task == "server.network"] == [HOST, "other.example"]


def test_a_step_can_be_typed_by_hand():
    commands = [step.command for step in planned(FRESH).steps]
    assert f"fab -c tasks -H {HOST} server.network --name {NETWORK}" in commands
    assert "inv image.build --name web --release one --platform linux/amd64" in commands


def test_entries_pick_apps_and_an_unknown_one_is_refused():
    assert selected(PROJECT, ["web"]) == (APP,)
    assert selected(PROJECT, []) == (APP,)
    with pytest.raises(UsageError, match="no app named 'wbe'"):
        selected(PROJECT, ["wbe"])
