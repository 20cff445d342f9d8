"""The admin API and what stands behind it: route changes, health checks, draining, and the client that calls it."""

__all__: list[str] = []
