"""Names that a test decides, for the whole program: each of its processes imports this before anything else.

The file in TEST_HOSTS has lines of NAME ADDRESS and is read for every question; no other name under .test exists, and
the questions for those under .hanging.test are never answered.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

_ask = socket.getaddrinfo


def _getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
    known = dict(line.split() for line in Path(os.environ["TEST_HOSTS"]).read_text().splitlines())
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith(".hanging.test"):
        time.sleep(3600)
    if isinstance(name, str) and name.endswith(".test") and name not in known:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _ask(known.get(name, host), *rest, **more)


socket.getaddrinfo = _getaddrinfo
