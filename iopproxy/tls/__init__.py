"""TLS: certificates, the folder they are kept in, and what the workers make of them. No network in here."""

__all__: list[str] = []
