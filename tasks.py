"""The same tasks for ``inv`` and ``fab -c tasks``: every step of a deploy, by hand."""

from iop.tasks.namespace import namespace

__all__ = ["namespace"]
