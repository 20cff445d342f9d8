from __future__ import annotations

import pytest

from iopproxy.http.request import Request
from iopproxy.http.writing import request_head

OURS = {
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8080",
    "X-Forwarded-Host": "a.example",
    "X-Real-IP": "10.0.0.1",
}
"""What an app is told of a client at 10.0.0.1 that came to port 8080."""


def told(forwarded: dict[str, str], believe: bool) -> dict[str, str]:
    request = Request(b"GET", b"/", True, True)
    request.authority = b"a.example"
    request.id = b"1"
    request.forwarded = [(name.encode(), value.encode()) for name, value in forwarded.items()]
    head = request_head(request, b"10.0.0.1", b"http", 8080, believe).decode()
    lines = [line.split(": ", 1) for line in head.split("\r\n")[2:] if line]
    assert len({name.lower() for name, _ in lines}) == len(lines)
    return {name: value for name, value in lines if name != "X-Request-ID"}


@pytest.mark.parametrize("believe", [False, True])
def test_a_client_that_says_nothing(believe: bool) -> None:
    assert told({}, believe) == OURS


@pytest.mark.parametrize(
    ("said", "different"),
    [
        ({"x-forwarded-for": "1.2.3.4"}, {"X-Forwarded-For": "1.2.3.4, 10.0.0.1", "X-Real-IP": "1.2.3.4"}),
        (
            {"X-Forwarded-For": "9.9.9.9, 1.2.3.4"},
            {"X-Forwarded-For": "9.9.9.9, 1.2.3.4, 10.0.0.1", "X-Real-IP": "1.2.3.4"},
        ),
        ({"X-Real-IP": "1.2.3.4"}, {"X-Real-IP": "1.2.3.4"}),
        ({"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}),
        ({"X-Forwarded-Port": "8443"}, {"X-Forwarded-Port": "8443"}),
        ({"X-Forwarded-Host": "b.example"}, {"X-Forwarded-Host": "b.example"}),
        ({"x-forwarded-scheme": "https"}, {"x-forwarded-scheme": "https"}),
    ],
)
def test_what_a_believed_proxy_says(said: dict[str, str], different: dict[str, str]) -> None:
    assert told(said, believe=True) == {**OURS, **different}
    assert told(said, believe=False) == OURS
