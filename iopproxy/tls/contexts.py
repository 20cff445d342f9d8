"""Which certificate a client gets: contexts of the standard library's ssl, one for each certificate, by name."""

from __future__ import annotations

import os
import ssl
import sys
import time
from typing import Final

from twisted.logger import Logger

from iopproxy.tls.certificates import Certificate, CertificateError

__all__ = ["ALPN", "Contexts", "certificate_context", "hush_unreadable_names", "server_context"]

ALPN: Final = ("h2", "http/1.1")

_CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""For TLS 1.2, Mozilla's "intermediate" without DHE. OpenSSL's own three for TLS 1.3 are the ones wanted there."""


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and 1.3 for servers, without a certificate.

    Session tickets are sealed with keys that OpenSSL makes here. Processes that are forked from this one share
    them, so a client can resume with any of them what it began with another.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # All suites left are good; a phone without AES in hardware knows best that it wants ChaCha20.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1  # nobody resumes twice at once; a second one costs as much again
    context.set_alpn_protocols(ALPN)
    return context


def certificate_context(certificate: Certificate) -> ssl.SSLContext:
    """A context that serves one certificate. Raises CertificateError when OpenSSL doesn't want it."""
    context = server_context()
    # ssl reads keys from files alone. This one has no name, is in memory, and ends with its descriptor.
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificate.pem.encode())
        file.flush()
        try:
            context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")  # never asks on a terminal
        except ssl.SSLError as error:
            raise CertificateError(f"OpenSSL refuses the certificate ({error.reason}).") from error
    return context


def hush_unreadable_names() -> None:
    """Let this process say nothing of server names that aren't ASCII.

    ssl ends their handshakes with an alert before anybody is asked, and prints a traceback each time.
    """
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is not UnicodeDecodeError or not isinstance(unraisable.object, bytes):
            before(unraisable)

    sys.unraisablehook = hook


class _Entry:
    """A certificate that was put, and its context once somebody asked for it."""

    __slots__ = ("_context", "begins", "certificate", "ends")

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.begins = certificate.not_before.timestamp()
        self.ends = certificate.not_after.timestamp()
        self._context: ssl.SSLContext | None = None

    @property
    def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = certificate_context(self.certificate)
        return self._context


class Contexts:
    """All certificates a process serves.

    Where several cover a name, those that are valid now come first, then those that name it exactly, then the one
    that is valid longest, then ECDSA. A context is never changed once it is made: connections that have it keep it.
    """

    _log = Logger()

    def __init__(self, server: ssl.SSLContext) -> None:
        self.server = server
        """What every handshake begins with, from ``server_context``. It has no certificate of its own."""
        server.sni_callback = self._choose
        self._entries: dict[str, _Entry] = {}
        self._by_name: dict[str, tuple[_Entry, ...]] = {}

    def put(self, key: str, pem: str | None) -> None:
        """Serve a certificate in place of the one with the same key, or none. Raises CertificateError."""
        new = None if pem is None else _Entry(Certificate.parse(pem))
        old = self._entries.pop(key, None)
        if new is not None:
            self._entries[key] = new
        for name in () if old is None else old.certificate.names:
            self._index(name, tuple(each for each in self._by_name[name] if each is not old))
        for name in () if new is None else new.certificate.names:
            self._index(name, (*self._by_name.get(name, ()), new))  # type: ignore[arg-type]  # mypy forgets

    def covers(self, host: str) -> bool:
        """Whether there is a certificate for a normalised host name."""
        return host in self._by_name or "*." + host.partition(".")[2] in self._by_name

    def _index(self, name: str, entries: tuple[_Entry, ...]) -> None:
        if entries:
            best = sorted(entries, key=lambda each: (each.ends, each.certificate.ecdsa), reverse=True)
            self._by_name[name] = tuple(best)
        else:
            del self._by_name[name]

    def _find(self, name: str) -> _Entry | None:
        known = self._by_name
        candidates = known.get(name, ()) + known.get("*." + name.partition(".")[2], ())
        now = time.time()
        for each in candidates:
            if each.begins <= now <= each.ends:
                return each
        return candidates[0] if candidates else None

    def _choose(self, connection: ssl.SSLObject, name: str | None, _server: ssl.SSLContext) -> int | None:
        """Called by OpenSSL with the server name of a ClientHello (RFC 6066 section 3). Must not raise."""
        try:
            found = None if name is None else self._find(name.lower().removesuffix("."))
            if found is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = found.context
        except Exception:  # what is raised here would end up on stderr
            self._log.failure("The certificate for {name} could not be used", name=name)
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None
