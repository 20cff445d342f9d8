"""What h11, a parser of other authors' and strict where it matters, makes of the same bytes."""

from __future__ import annotations

from typing import NamedTuple

import h11


class Message(NamedTuple):
    """A request or a response, as far as it came. ``start``: method and target, or the status."""

    start: tuple[bytes, ...]
    body: bytes
    ended: bool


def requests(data: bytes) -> list[Message]:
    """The requests on one connection, up to the first that is wrong, the last one possibly without its end."""
    found: list[Message] = []
    while True:
        # Empty lines between requests mean nothing (RFC 9112 section 2.2), but h11 refuses them.
        data = data.lstrip(b"\r\n")
        # One connection for each: h11 reads nothing after HTTP/1.0 or an offer of another protocol, a proxy does.
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        server.receive_data(data)
        message = None
        try:
            while True:
                event = server.next_event()
                if isinstance(event, h11.Request):
                    message = Message((event.method, event.target), b"", False)
                elif message is None:
                    return found
                elif isinstance(event, h11.Data):
                    message = message._replace(body=message.body + event.data)
                elif isinstance(event, h11.EndOfMessage):
                    found.append(message._replace(ended=True))
                    break
                else:
                    return [*found, message]
        except h11.RemoteProtocolError:
            return found if message is None else [*found, message]
        data = server.trailing_data[0]


def response(data: bytes, method: bytes, closed: bool) -> Message | None:
    """The final response to a request of ``method``, if its head is there and right; its end if that is."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    client.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if closed:
        client.receive_data(b"")
    message = None
    try:
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                message = Message((b"%d" % event.status_code,), b"", False)
            elif message is not None and isinstance(event, h11.Data):
                message = message._replace(body=message.body + event.data)
            elif message is not None and isinstance(event, h11.EndOfMessage):
                return message._replace(ended=True)
            elif not isinstance(event, h11.InformationalResponse):
                return message
    except h11.RemoteProtocolError:
        return message
