"""Invoke tasks, one file a noun. A task performs; what has to be done was decided by the plan."""

__all__: list[str] = []
