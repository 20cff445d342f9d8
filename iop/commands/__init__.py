"""Pure builders of shell text. They never run anything; quoting happens once, in ``shell``."""

__all__: list[str] = []
