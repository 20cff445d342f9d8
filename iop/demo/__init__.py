"""The demonstration, its sample app, and the load it runs under."""

__all__: list[str] = []
