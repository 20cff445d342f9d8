"""Hears of every request's end: counts it, and writes its line."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from iopproxy.http.logline import LineWriter
from iopproxy.http.meter import LOG_DROP, REFUSAL, Meter
from iopproxy.http.spool import Spool

if TYPE_CHECKING:
    from iopproxy.http.exchange import Exchange

__all__ = ["Journal"]


class Journal:
    """The access log and the counts of one worker. Without a ``spool`` there are only the counts."""

    def __init__(self, meter: Meter, spool: Spool | None = None) -> None:
        self.meter = meter
        self._spool = spool
        self._writer = LineWriter()
        self._lost = 0

    def finished(self, exchange: Exchange) -> None:
        """An exchange ended, whatever its end; its public attributes are final."""
        self.meter.request(exchange)
        if self._spool is not None:
            self._spool.add(self._writer.line(exchange, time()))

    def refused(self, address: bytes, scheme: bytes, status: int) -> None:
        """Something that never became a request was answered with ``status``."""
        self.meter.count(REFUSAL, str(status))
        if self._spool is not None:
            self._spool.add(self._writer.refused(address, scheme, status, time()))

    def flush(self) -> None:
        """To be called several times a second: it is what gets the last lines written."""
        if self._spool is not None:
            self._spool.flush()
            lost, self._lost = self._spool.lost - self._lost, self._spool.lost
            if lost:
                self.meter.count(LOG_DROP, times=lost)
