"""Certificates as the admin API changes them: checked, on the disk, and in force in every worker, in this order."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from iopproxy.control.routes import Sharing
from iopproxy.control.shield import shielded
from iopproxy.routing.values import InvalidError, require_keys
from iopproxy.tls.certificates import Certificate, CertificateError, covers, is_name
from iopproxy.tls.contexts import certificate_context
from iopproxy.tls.store import CertificateStore

__all__ = ["Certificates", "NoCertificateError", "read_certificate"]

KIND = "certificates"
"""Of the entries that workers get: the key is the name, the value key and chain in PEM form."""


class NoCertificateError(Exception):
    """There is no certificate of that name. Its text is one sentence for a person."""


def read_certificate(name: str, body: Any) -> Certificate:
    """A certificate for ``name`` from the body of a PUT, good to be served at once. Raises InvalidError."""
    _require_name(name)
    require_keys(body, frozenset({"certificate", "private_key"}))
    if not all(isinstance(value, str) for value in body.values()):
        raise InvalidError("certificate and private_key must be text in PEM form.")
    try:
        certificate = Certificate.parse(f"{body['private_key']}\n{body['certificate']}")
        certificate.check(name, datetime.now(UTC))
        certificate_context(certificate)
    except CertificateError as error:
        raise InvalidError(str(error)) from error
    return certificate


def _require_name(name: str) -> None:
    if not is_name(name):
        raise InvalidError("A certificate's name must be a host name in lower case, or *. and one.")


class Certificates:
    """Those in force, in all workers, and how they change: one after the other, each to its end."""

    _log = Logger()

    def __init__(self, store: CertificateStore, workers: Sharing) -> None:
        self._known = store.load()
        self._store = store
        self._workers = workers
        self._lock = DeferredLock()

    async def share(self) -> None:
        """Let the workers have what was saved last."""
        for name, each in self._known.items():
            if not each.valid(datetime.now(UTC)):
                self._log.warn("The certificate {name} is valid to {end}", name=name, end=str(each.not_after))
        await self._workers.put([(KIND, name, each.pem) for name, each in self._known.items()])

    def covers(self, host: str) -> bool:
        """Whether one of them is for a host."""
        return any(covers(each.names, host) for each in self._known.values())

    def listed(self) -> dict[str, Any]:
        """All of them, as the admin API shows them."""
        return {"certificates": [self._show(name) for name in sorted(self._known)]}

    async def put(self, name: str, certificate: Certificate) -> dict[str, Any]:
        """Add one, or replace the one of that name; how ``listed`` shows it. Raises OSError when it can't be saved."""

        async def change() -> None:
            # In a thread: a slow disk must not stop anything else.
            await deferToThread(self._store.save, name, certificate)
            self._known[name] = certificate
            await self._workers.put([(KIND, name, certificate.pem)])

        await self._change(change)
        end = _moment(certificate.not_after)
        self._log.info("The certificate {name} is valid to {end}", name=name, end=end)
        return self._show(name)

    async def delete(self, name: str) -> dict[str, Any]:
        """Remove one; the others, as ``listed`` gives them. Raises NoCertificateError, OSError."""

        async def change() -> None:
            if name not in self._known:
                raise NoCertificateError(f"There is no certificate {name}.")
            await deferToThread(self._store.delete, name)
            del self._known[name]
            await self._workers.put([(KIND, name, None)])

        _require_name(name)
        await self._change(change)
        self._log.info("The certificate {name} is removed", name=name)
        return self.listed()

    async def _change(self, change: Callable[[], Coroutine[Deferred[Any], Any, None]]) -> None:
        await shielded(self._in_turn(change))

    async def _in_turn(self, change: Callable[[], Coroutine[Deferred[Any], Any, None]]) -> None:
        await self._lock.acquire()
        try:
            await change()
        finally:
            self._lock.release()

    def _show(self, name: str) -> dict[str, Any]:
        certificate = self._known[name]
        return {
            "name": name,
            "names": list(certificate.names),
            "issuer": certificate.issuer,
            "not_before": _moment(certificate.not_before),
            "expiry": _moment(certificate.not_after),
            "file": str(self._store.path(name)),
        }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
