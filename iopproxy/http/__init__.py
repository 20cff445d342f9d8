"""The data path: bytes in, bytes out, with backpressure both ways."""

__all__: list[str] = []
