"""Finding a Dockerfile and the port it exposes."""

from __future__ import annotations

from pathlib import Path

import pytest

from iop.facts.dockerfile import exposed_port, find


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM python\nEXPOSE 8000\n", 8000),
        ("FROM python\nexpose 8000/tcp 9000\n", 8000),
        ("FROM python\nEXPOSE 53/udp\nEXPOSE 8080\n", 8080),
        ("FROM python\nEXPOSE \\\n  8080\n", 8080),
        ("FROM python\nCMD run\n", None),
        ("FROM python\nEXPOSE $PORT\n", None),
        ("FROM python\n# EXPOSE 80\n", None),
        ("FROM node AS build\nEXPOSE 1\nFROM nginx\nEXPOSE 80\n", 80),
        ("FROM node AS build\nEXPOSE 3000\nFROM nginx\n", None),
        ("FROM --platform=linux/amd64 node AS Base\nEXPOSE 3000\nFROM base\n", 3000),
        ("FROM node AS base\nEXPOSE 3000\nFROM base\nEXPOSE 4000\n", 3000),
        ("", None),
    ],
)
def test_exposed_port(text: str, port: int | None) -> None:
    assert exposed_port(text) == port


def test_the_folders_own_dockerfile_comes_first(tmp_path: Path) -> None:
    for folder in ("api", ".", "node_modules", ".devcontainer"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "Dockerfile").write_text("FROM scratch\n")
    assert find(tmp_path) == Path("Dockerfile")
    (tmp_path / "Dockerfile").unlink()
    assert find(tmp_path) == Path("api/Dockerfile")
    (tmp_path / "api" / "Dockerfile").unlink()
    assert find(tmp_path) is None
