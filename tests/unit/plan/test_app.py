"""The switch, planned from every state that an interrupted run can leave."""

import pytest
from attrs import evolve

from iop.config.project import Environment, Secret
from iop.plan.app import deploy
from tests.unit.plan.samples import (
    ALIASES,
    APP,
    BLUE,
    EDGE,
    PROJECT,
    PROXY,
    READY,
    container,
    route,
)


def planned(facts, release="two", app=APP):
    return [(step.task, step.args.get("color")) for step in deploy(PROJECT, app, facts, release)]


SWITCH_TO_GREEN = [
    ("app.start", "green"),
    ("app.check", "green"),
    ("app.alias", "green"),
    ("app.switch", "green"),
    ("app.prove", "green"),
    ("app.unalias", "blue"),
    ("app.drain", "blue"),
    ("app.stop", "blue"),
]
IMAGE = [("image.build", None), ("image.ship", None)]


def test_the_first_deploy_is_blue_and_has_nothing_to_stop():
    assert planned(READY) == [
        *IMAGE,
        ("app.start", "blue"),
        ("app.check", "blue"),
        ("app.alias", "blue"),
        ("app.switch", "blue"),
        ("app.prove", "blue"),
    ]


def test_a_new_release_goes_to_the_other_colour():
    assert planned(BLUE) == [*IMAGE, *SWITCH_TO_GREEN]


def test_the_same_release_needs_nothing():
    assert planned(BLUE, "one") == []


def test_a_release_whose_image_is_there_is_neither_built_nor_sent():
    facts = evolve(BLUE, images=BLUE.images | {"demo/web:two"})
    assert planned(facts) == SWITCH_TO_GREEN


@pytest.mark.parametrize(
    "app",
    [
        evolve(APP, environment=Environment(plain=(("A", "1"),))),
        evolve(APP, environment=Environment(secret=(("A", Secret("1")),))),
        evolve(APP, volumes=("data:/data",)),
        evolve(APP, ports=("9000:9000",)),
        evolve(APP, command=("serve",)),
        evolve(APP, user="nobody"),
        evolve(APP, replicas=2),
        evolve(APP, proxy=evolve(APP.proxy, app_port=4000)),
    ],
)
def test_a_changed_container_is_replaced_even_at_the_same_release(app):
    assert planned(BLUE, "one", app) == SWITCH_TO_GREEN


@pytest.mark.parametrize(
    "app",
    [
        evolve(APP, proxy=evolve(APP.proxy, hosts=("a.example",))),
        evolve(APP, proxy=evolve(APP.proxy, response_timeout=9.0)),
        evolve(APP, proxy=evolve(APP.proxy, hsts=60)),
        evolve(APP, health_check=evolve(APP.health_check, interval=9.0)),
    ],
)
def test_a_changed_route_touches_no_container(app):
    assert planned(BLUE, "one", app) == [("app.switch", "blue"), ("app.prove", "blue")]


def test_a_dead_live_container_is_replaced():
    facts = evolve(BLUE, containers=(EDGE, PROXY, container("blue", aliases=ALIASES, running=False)))
    assert planned(facts, "one") == SWITCH_TO_GREEN


def test_killed_after_start():
    facts = evolve(BLUE, containers=(*BLUE.containers, container("green", "two")))
    assert planned(facts) == [*IMAGE, ("app.drain", "green"), ("app.stop", "green"), *SWITCH_TO_GREEN]


def test_killed_while_the_aliases_moved():
    """Green has them and blue is live: blue keeps them until green is started anew."""
    facts = evolve(BLUE, containers=(*BLUE.containers, container("green", "two", aliases=ALIASES)))
    assert planned(facts)[2:5] == [("app.unalias", "green"), ("app.drain", "green"), ("app.stop", "green")]


def test_killed_with_the_live_colour_off_the_network():
    facts = evolve(BLUE, containers=(EDGE, PROXY, container("blue")))
    assert planned(facts, "one") == [("app.alias", "blue"), ("app.switch", "blue"), ("app.prove", "blue")]


def test_killed_after_the_switch():
    """Green is live: it is proved, what remains of blue is drained and removed, and nothing else happens."""
    facts = evolve(
        BLUE,
        containers=(*BLUE.containers, container("green", "two", aliases=ALIASES)),
        images=BLUE.images | {"demo/web:two"},
        routes=(route("green", "two"),),
    )
    assert planned(facts) == [
        ("app.prove", "green"),
        ("app.unalias", "blue"),
        ("app.drain", "blue"),
        ("app.stop", "blue"),
    ]


def test_every_replica_is_named_and_the_old_number_of_them_goes():
    app = evolve(APP, replicas=2)
    one, two = (container("blue", number=n, replicas=2, aliases=ALIASES, app=app) for n in (1, 2))
    facts = evolve(
        BLUE,
        containers=(EDGE, PROXY, one, two),
        routes=(route("blue", names=("demo-web-blue-1", "demo-web-blue-2")),),
    )
    assert planned(facts, "one", app) == []
    assert planned(evolve(facts, containers=(EDGE, PROXY, one)), "one", app) == SWITCH_TO_GREEN
    assert planned(facts, "one", APP) == SWITCH_TO_GREEN


UNSWITCHED = [
    ("app.unswitch", "green"),
    ("app.unalias", "green"),
    ("app.drain", "green"),
    ("app.alias", "blue"),
    ("app.remove", "green"),
]


@pytest.mark.parametrize(
    ("task", "undone"),
    [
        ("app.start", [("app.remove", "green")]),
        ("app.check", [("app.remove", "green")]),
        ("app.alias", [("app.alias", "blue"), ("app.remove", "green")]),
        ("app.switch", UNSWITCHED),
        ("app.prove", UNSWITCHED),
        ("app.stop", []),
    ],
)
def test_what_a_failed_step_puts_back(task, undone):
    """From the switch on the new colour may be live: it is removed only after it was switched away from."""
    step = next(step for step in deploy(PROJECT, APP, BLUE, "two") if step.task == task)
    assert [(undo.task, undo.args["color"]) for undo in step.on_failure] == undone


def test_a_first_deploy_that_fails_behind_the_proxy_leaves_nothing():
    prove = next(step for step in deploy(PROJECT, APP, READY, "one") if step.task == "app.prove")
    assert [undo.task for undo in prove.on_failure] == [
        "app.unswitch",
        "app.unalias",
        "app.drain",
        "app.remove",
    ]


def test_without_a_route_what_runs_is_kept_until_the_new_colour_serves():
    """The proxy lost its state: the app's containers are all that still serves anybody."""
    assert planned(evolve(BLUE, routes=()), "two") == [*IMAGE, *SWITCH_TO_GREEN]


def test_a_route_to_other_containers_than_the_wanted_ones_does_not_match():
    """The live colour's containers are never stopped one by one for that: the other colour takes over."""
    extra = container("blue", number=2, replicas=2, aliases=ALIASES)
    assert planned(evolve(BLUE, containers=(*BLUE.containers, extra)), "one") == SWITCH_TO_GREEN


def test_other_apps_and_projects_are_left_alone():
    stranger = container("green", "two")
    other = evolve(stranger, labels={**stranger.labels, "iop.project": "shop"})
    assert planned(evolve(BLUE, containers=(*BLUE.containers, other)), "one") == []
