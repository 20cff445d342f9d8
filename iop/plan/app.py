"""The zero-downtime switch of one app on one server, as steps.

Which colour is live is what the proxy's route says. Everything else of this app on the server, whatever an
interrupted run left there, is brought to the same end: the wanted release live, nothing beside it.
"""

from __future__ import annotations

from attrs import frozen

from iop.config.project import App, Project
from iop.facts.server import Container, Facts, Route
from iop.plan import naming, route
from iop.plan.fingerprint import fingerprint
from iop.plan.steps import Argument, Step

__all__ = ["deploy"]


def deploy(project: Project, app: App, facts: Facts, release: str) -> tuple[Step, ...]:
    """Everything from what the server has to ``release`` live; empty when it is there already."""
    here = _Here.of(project, app, facts, release)
    if not here.matches():
        return (*here.image(), *here.recover(), *here.switch())
    return here.settle()


@frozen
class _Here:
    """One app on one server: what is wanted, and what is there."""

    project: Project
    app: App
    facts: Facts
    release: str
    live: Route | None
    containers: tuple[Container, ...]
    """All of the app's, of either colour."""

    @classmethod
    def of(cls, project: Project, app: App, facts: Facts, release: str) -> _Here:
        labels = {"iop.project": project.name, "iop.app": app.name}
        mine = tuple(each for each in facts.containers if labels.items() <= each.labels.items())
        return cls(project, app, facts, release, facts.route(project.name, app.name), mine)

    @property
    def color(self) -> str | None:
        """The colour to keep until the new one serves: the live one; without a route, one that runs."""
        if self.live is not None:
            return self.live.color
        return next((each.labels["iop.color"] for each in self.containers if each.running), None)

    def of_color(self, color: str | None) -> tuple[Container, ...]:
        """The app's containers of one colour."""
        return tuple(each for each in self.containers if each.labels["iop.color"] == color)

    @property
    def strays(self) -> tuple[Container, ...]:
        """What an interrupted run left: containers of the colour that is not to be kept."""
        return self.of_color(naming.other(self.color))

    def matches(self) -> bool:
        """Whether the live containers are the wanted ones, all of them, running, and routed to."""
        if self.live is None:
            return False
        wanted = {
            "iop.release": self.release,
            "iop.config": fingerprint(self.app, self.facts.machine_id),
        }
        running = self.of_color(self.live.color)
        names = set(naming.containers(self.project, self.app, self.live.color))
        targets = [target.rpartition(":") for target in self.live.targets]
        port = self.app.proxy.app_port
        return (
            all(each.running and wanted.items() <= each.labels.items() for each in running)
            and {each.name for each in running} == names == {name for name, _, _ in targets}
            and (port is None or {int(number) for _, _, number in targets} == {port})
        )

    def image(self) -> tuple[Step, ...]:
        """Build and ship, unless the server still has this release."""
        tag = naming.image(self.app, self.release)
        if self.facts.has_image(tag):
            return ()
        name = self.app.name
        platform = self.app.build.platform or self.facts.platform
        build = {"name": name, "release": self.release, "platform": platform}
        return (
            Step("image.build", f"Building {name} {self.release}", None, build),
            Step("image.ship", f"Shipping {name} {self.release}", self.facts.host, {"image": tag}),
        )

    def recover(self) -> tuple[Step, ...]:
        """Undo what an interrupted run left: aliases back to the live colour, its other containers away."""
        return (*self.realias(), *self.clear(naming.other(self.color)))

    def switch(self) -> tuple[Step, ...]:
        """Start, check, alias, switch, prove, then drain and remove the old colour."""
        old = self.color
        new = naming.other(old)
        name, arrow = self.app.name, f"{old} → {new}" if self.live else new
        release: dict[str, Argument] = {"release": self.release}
        config: dict[str, Argument] = {"config": fingerprint(self.app, self.facts.machine_id)}
        remove = self._step("app.remove", f"Removing {name} ({new})", new)
        back = (self._alias(old), remove) if old and self.of_color(old) else (remove,)
        undo = (self._unswitch(new), self._unalias(new), self._drain(new), *back)
        return (
            self._step("app.start", f"Starting {name} ({new})", new, release | config, (remove,)),
            self._step("app.check", f"Health checking {name} ({new})", new, release, (remove,)),
            self._alias(new, back),
            self._switch(new, f"Switching traffic: {arrow}", undo),
            self._prove(new, undo),
            *self.clear(old),
        )

    def settle(self) -> tuple[Step, ...]:
        """The live colour is the wanted one: see to its aliases, its route, and what is beside it."""
        aliases = self.realias()
        # A colour that was off its network may be back under another address: a new route looks it up again.
        route = self.reroute(even_so=bool(aliases))
        # A run that was killed before it could prove the new colour may have left the old one.
        proof = (self._prove(self.color),) if self.color and (route or self.strays) else ()
        return (*aliases, *route, *proof, *self.clear(naming.other(self.color)))

    def reroute(self, even_so: bool) -> tuple[Step, ...]:
        """Only what the proxy knows has changed: hosts or timeouts."""
        if self.live is None:
            return ()
        hosts = naming.hosts(self.project, self.app, self.facts.address)
        same = set(hosts) == set(self.live.hosts) and route.matches(self.app, self.live.settings)
        if same and not even_so:
            return ()
        return (self._switch(self.live.color, f"Updating the route of {self.app.name}"),)

    def realias(self) -> tuple[Step, ...]:
        """The shared aliases belong to the live colour."""
        wanted = set(naming.aliases(self.project, self.app))
        network = naming.network(self.project)
        running = self.of_color(self.color)
        if self.color is None or all(wanted <= set(each.aliases.get(network, ())) for each in running):
            return ()
        return (self._alias(self.color),)

    def clear(self, color: str | None) -> tuple[Step, ...]:
        """Let a colour that is not live, or no longer, finish what it has; then remove it."""
        containers = self.of_color(color)
        if color is None or not containers:
            return ()
        unalias = (self._unalias(color),) if any(self._aliased(each) for each in containers) else ()
        stop = self._step("app.stop", f"Stopping {self.app.name} ({color})", color)
        return (*unalias, self._drain(color), stop)

    def _aliased(self, container: Container) -> bool:
        names = container.aliases.get(naming.network(self.project), ())
        return not set(naming.aliases(self.project, self.app)).isdisjoint(names)

    def _unalias(self, color: str) -> Step:
        return self._step("app.unalias", f"Taking {self.app.name} ({color}) off the aliases", color)

    def _drain(self, color: str) -> Step:
        return self._step("app.drain", f"Draining {self.app.name} ({color})", color)

    def _alias(self, color: str, on_failure: tuple[Step, ...] = ()) -> Step:
        title = f"Moving aliases of {self.app.name} to {color}"
        return self._step("app.alias", title, color, on_failure=on_failure)

    def _unswitch(self, color: str) -> Step:
        title = f"Switching {self.app.name} back" if self.live else f"Taking {self.app.name} off the proxy"
        return self._step("app.unswitch", title, color)

    def _prove(self, color: str, on_failure: tuple[Step, ...] = ()) -> Step:
        return self._step("app.prove", f"Probing {self.app.name} through the proxy", color, None, on_failure)

    def _switch(self, color: str, title: str, on_failure: tuple[Step, ...] = ()) -> Step:
        return self._step("app.switch", title, color, {"release": self.release}, on_failure)

    def _step(
        self,
        task: str,
        title: str,
        color: str,
        extra: dict[str, Argument] | None = None,
        on_failure: tuple[Step, ...] = (),
    ) -> Step:
        args = {"name": self.app.name, "color": color, **(extra or {})}
        return Step(task, title, self.facts.host, args, on_failure)
