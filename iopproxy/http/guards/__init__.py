"""What a client may not do too much of, whatever each single thing is allowed."""

__all__: list[str] = []
