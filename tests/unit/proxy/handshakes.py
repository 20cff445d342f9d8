"""TLS in memory: a client and a server of the standard library, and what passes between them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

from cryptography import x509


class Refused(Exception):
    """The server ended the handshake; ``alert`` is the number of the alert it sent, None if there was none."""

    def __init__(self, alert: int | None) -> None:
        super().__init__(alert)
        self.alert = alert


@dataclass
class Spoken:
    """A finished handshake."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    serial: int
    """Of the certificate that the client got."""

    @property
    def resumed(self) -> bool:
        return bool(self.client.session_reused)


def client_context(**attributes: Any) -> ssl.SSLContext:
    """A client that believes everything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def handshake(
    server_context: ssl.SSLContext,
    name: str | None,
    client: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> Spoken:
    """Let a client ask for ``name``. Raises Refused."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = (client or client_context()).wrap_bio(
        to_client, to_server, server_hostname=name, session=session
    )
    answering = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for each in (asking, answering):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                if each is answering:
                    record = to_client.read()
                    raise Refused(record[6] if record[:1] == b"\x15" else None) from error
                raise
    answering.write(b"hello")  # a TLS 1.3 client gets its session with the first data
    assert asking.read() == b"hello"
    shown = asking.getpeercert(binary_form=True)
    assert shown is not None
    return Spoken(asking, answering, x509.load_der_x509_certificate(shown).serial_number)
