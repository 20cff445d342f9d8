"""Unit tests use no Docker: one that would fails here too, also where an engine runs."""

import os

from hypothesis import HealthCheck, settings

os.environ["DOCKER_HOST"] = "unix:///nonexistent/docker.sock"

# A busy machine makes no test fail: no example has a time limit.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", max_examples=int(os.environ.get("EXAMPLES", "20000")))
