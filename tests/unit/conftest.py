"""Unit tests use no Docker: one that would fails here too, also where an engine runs."""

import os

os.environ["DOCKER_HOST"] = "unix:///nonexistent/docker.sock"
