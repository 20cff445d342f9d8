"""iop.yml and .iop/secrets: read, checked, and turned into one frozen Project."""

from iop.config.loading import load

__all__ = ["load"]
