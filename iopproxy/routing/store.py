"""state.json: the table on disk."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.logger import Logger

from iopproxy.routing.files import make_folder, replace, set_aside
from iopproxy.routing.state import Table
from iopproxy.routing.values import InvalidError
from iopproxy.routing.wire import read_table, write_table

__all__ = ["Store"]


class Store:
    """The file that the routes outlive a restart in."""

    _log = Logger()

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"
        make_folder(folder)

    def load(self) -> Table:
        """The routes that were saved last; none at the first start.

        A file that makes no sense, or that a newer program wrote, is set aside and reported: it may be all that
        is left of somebody's routes. Raises OSError when it can't be read: then nothing is known of what it holds.
        """
        try:
            return read_table(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Table()
        except (ValueError, RecursionError, InvalidError) as error:
            aside = set_aside(self._path)
            self._log.error(
                "{path} can't be used ({reason}); it is kept as {aside} and no app is routed. "
                "Deploy again, or repair it, put it back and restart.",
                path=str(self._path),
                reason=str(error),
                aside=str(aside),
            )
            return Table()

    def save(self, table: Table) -> None:
        """Write all routes; they are on the disk when this returns. Blocks. Raises OSError."""
        replace(self._path, json.dumps(write_table(table), indent=1).encode())
