"""iop: one command takes an app from a laptop to its owner's own servers."""

__all__ = ["__version__"]

__version__ = "0.1.0"
