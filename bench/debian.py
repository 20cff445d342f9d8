"""Programs from Debian's packages, installed when they are missing and can be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def require(*programs: str, **packages: str) -> None:
    """Make sure that each program is there; its Debian package has the same name, or is given. Exits if one isn't."""
    packages |= {each: each for each in programs}
    missing = [package for program, package in packages.items() if not found(program)]
    if not missing:
        return
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        sys.exit(
            f"Missing: {', '.join(missing)}. Install them (on Debian: apt-get install {' '.join(missing)})."
        )
    print(f"installing {', '.join(missing)}", file=sys.stderr)
    # RUNLEVEL keeps the packages from starting services on ports that are none of our business.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    for argv in (["apt-get", "update"], apt):
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(argv)} failed: {done.stderr.strip()[-500:]}")


def found(program: str) -> str | None:
    """Its path, also where only root looks for programs."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
