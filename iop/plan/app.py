"""The zero-downtime switch of one app on one server, as steps.

Which colour is live is what the proxy's route says. Everything else of this app on the server, whatever an
interrupted run left there, is brought to the same end: the wanted release live, nothing beside it.
"""

from __future__ import annotations

from attrs import frozen

from iop.config.project import App, Project
from iop.facts.server import Container, Facts, Route
from iop.plan import naming
from iop.plan.fingerprint import fingerprint
from iop.plan.steps import Argument, Step

__all__ = ["deploy"]


def deploy(project: Project, app: App, facts: Facts, release: str) -> tuple[Step, ...]:
    """Everything from what the server has to ``release`` live; empty when it is there already."""
    here = _Here.of(project, app, facts, release)
    if not here.matches():
        return (*here.image(), *here.recover(), *here.switch())
    return (*here.reroute(), *here.realias(), *here.clear(here.strays))


@frozen
class _Here:
    """One app on one server: what is wanted, and what is there."""

    project: Project
    app: App
    facts: Facts
    release: str
    live: Route | None
    running: tuple[Container, ...]
    """The live colour's containers."""
    strays: tuple[Container, ...]
    """The app's containers of no live colour: what an interrupted run left."""

    @classmethod
    def of(cls, project: Project, app: App, facts: Facts, release: str) -> _Here:
        live = facts.route(project.name, app.name)
        labels = {"iop.project": project.name, "iop.app": app.name}
        mine = [each for each in facts.containers if labels.items() <= each.labels.items()]
        named = {target.rpartition(":")[0] for target in live.targets} if live else set()
        return cls(
            project=project,
            app=app,
            facts=facts,
            release=release,
            live=live,
            running=tuple(each for each in mine if each.name in named),
            strays=tuple(each for each in mine if each.name not in named),
        )

    def matches(self) -> bool:
        """Whether the live containers are the wanted ones, all of them, running."""
        if self.live is None:
            return False
        wanted = {
            "iop.release": self.release,
            "iop.config": fingerprint(self.app, self.facts.machine_id),
        }
        names = naming.containers(self.project, self.app, self.live.color)
        same = all(each.running and wanted.items() <= each.labels.items() for each in self.running)
        port = self.app.proxy.app_port
        ports = {int(target.rpartition(":")[2]) for target in self.live.targets}
        return (
            same and {each.name for each in self.running} == set(names) and (port is None or ports == {port})
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
        return (*self.realias(), *self.clear(self.strays))

    def switch(self) -> tuple[Step, ...]:
        """Start, check, alias, switch, prove, then drain and remove the old colour."""
        old = self.live.color if self.live else None
        new = naming.other(old)
        name, arrow = self.app.name, f"{old} → {new}" if old else new
        release: dict[str, Argument] = {"release": self.release}
        config: dict[str, Argument] = {"config": fingerprint(self.app, self.facts.machine_id)}
        remove = self._step("app.remove", f"Removing {name} ({new})", new)
        back = (self._alias(old), remove) if old and self.running else (remove,)
        unswitch = self._step("app.switch-back", f"Switching {name} back to {old}", new)
        undo = (unswitch, self._unalias(new), self._drain(new), *back)
        return (
            self._step("app.start", f"Starting {name} ({new})", new, release | config, (remove,)),
            self._step("app.check", f"Health checking {name} ({new})", new, release, (remove,)),
            self._alias(new, back),
            self._switch(new, f"Switching traffic: {arrow}", back),
            self._step("app.prove", f"Probing {name} through the proxy", new, {}, undo if old else ()),
            *self.clear(self.running),
        )

    def reroute(self) -> tuple[Step, ...]:
        """Only what the proxy knows has changed: hosts or timeouts."""
        if self.live is None:
            return ()
        proxy = self.app.proxy
        hosts = naming.hosts(self.project, self.app, self.facts.address)
        wanted = (set(hosts), proxy.response_timeout, proxy.forward_headers)
        if wanted == (set(self.live.hosts), self.live.response_timeout, self.live.forward_headers):
            return ()
        return (self._switch(self.live.color, f"Updating the route of {self.app.name}"),)

    def realias(self) -> tuple[Step, ...]:
        """The shared aliases belong to the live colour."""
        wanted = set(naming.aliases(self.project, self.app))
        network = naming.network(self.project)
        if self.live is None or all(wanted <= set(each.aliases.get(network, ())) for each in self.running):
            return ()
        return (self._alias(self.live.color),)

    def clear(self, containers: tuple[Container, ...]) -> tuple[Step, ...]:
        """Let containers that are not live, or no longer, finish what they have; then remove them."""
        steps = []
        for color in sorted({each.labels["iop.color"] for each in containers}):
            if any(self._aliased(each) for each in containers if each.labels["iop.color"] == color):
                steps.append(self._unalias(color))
            steps.append(self._drain(color))
            steps.append(self._step("app.stop", f"Stopping {self.app.name} ({color})", color))
        return tuple(steps)

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
