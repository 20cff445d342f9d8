"""iopproxy: the reverse proxy that runs on each server. It switches an app's traffic from one colour to the other."""

__all__ = ["__version__"]

__version__ = "0.1.0"
