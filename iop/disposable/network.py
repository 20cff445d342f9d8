"""The Docker network that disposable servers have their addresses on: one per process."""

from __future__ import annotations

import ipaddress
import socket
import threading

from iop.disposable.daemon import route_mtu
from iop.disposable.docker import docker, exists
from iop.disposable.owner import label, me
from iop.errors import IopError, MissingError

__all__ = ["Network"]


class Network:
    """Hands out addresses. None is given twice, so no two servers of a run share a known_hosts entry."""

    def __init__(self) -> None:
        self.name = f"iop-servers-{me()}"
        self._lock = threading.Lock()
        self._addresses: list[str] = []
        self._next = 9

    def address(self) -> str:
        """An address on the network, which is made first if need be."""
        with self._lock:
            if not exists("network", self.name):
                self._make()
            self._next += 1
            return self._addresses[self._next]

    def remove(self) -> None:
        """Remove it; the next server makes a new one."""
        with self._lock:
            if exists("network", self.name):
                docker("network", "rm", self.name)

    def _make(self) -> None:
        # Only a network with a subnet of the user's choice takes --ip; Docker chooses a free one for us.
        for _ in range(5):
            docker("network", "create", *label(), self.name)
            subnet = docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", self.name)
            docker("network", "rm", self.name)
            options = ("--subnet", subnet, "--opt", f"com.docker.network.driver.mtu={route_mtu()}")
            try:
                docker("network", "create", *label(), *options, self.name)
            except IopError:  # somebody took the subnet in between
                continue
            hosts = ipaddress.ip_network(subnet).hosts()
            self._addresses = [str(next(hosts)) for _ in range(1000)]
            _check_local(self._addresses[0])
            return
        raise IopError("Docker has no free subnet for the test servers", "docker network prune")


def _check_local(gateway: str) -> None:
    """Raise MissingError unless the network's gateway is this machine: else no server can be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            raise MissingError(
                "the Docker engine that answers runs on another machine or in a virtual one,"
                " so servers made in it can't be reached",
                "use an engine that runs on this machine itself (docker context use default)",
            ) from None
