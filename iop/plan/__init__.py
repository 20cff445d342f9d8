"""From what is wanted and what is there to the steps between them. Pure: nothing here touches a network."""

__all__: list[str] = []
