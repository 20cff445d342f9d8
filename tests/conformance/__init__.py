"""Tools and suites that others wrote, against the running proxy: ``make conformance``."""
