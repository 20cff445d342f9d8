"""Debian servers and images made on this machine, for the demo and the tests."""
