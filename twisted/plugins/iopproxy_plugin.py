"""Makes ``python -m twisted iopproxy`` work."""

from twisted.application.service import ServiceMaker

iopproxy = ServiceMaker(
    "iopproxy", "iopproxy.tap", "A reverse proxy that switches apps between colours.", "iopproxy"
)
