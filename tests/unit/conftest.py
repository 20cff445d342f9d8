"""Unit tests use no Docker: one that would fails here too, also where an engine runs."""

import os

from hypothesis import settings

os.environ["DOCKER_HOST"] = "unix:///nonexistent/docker.sock"

settings.register_profile("fuzz", max_examples=int(os.environ.get("EXAMPLES", "20000")), deadline=None)
