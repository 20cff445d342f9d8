"""What is known before anything is planned: a server's state in one round trip, and the release."""

__all__: list[str] = []
