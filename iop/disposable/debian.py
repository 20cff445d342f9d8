"""A minimal Debian as a tar archive, made by debootstrap and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from iop.disposable import cache
from iop.disposable.docker import follow
from iop.disposable.pace import Say, paced
from iop.disposable.packages import install, system_path
from iop.errors import IopError, MissingError

__all__ = ["Tree"]

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_NEEDED = {"debootstrap": "debootstrap", str(_KEYRING): "debian-archive-keyring"}
_OPTIONS = ("--variant=minbase", "--include=ca-certificates")
_LEFT_OUT = (
    "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb",
    "./var/lib/apt/lists/*",
    "./dev/*",
    "./proc/*",
)


@frozen
class Tree:
    """The root file system of a Debian ``release`` (its code name)."""

    release: str

    @property
    def digest(self) -> str:
        """Changes when the way the tree is made does."""
        recipe = repr((self.release, _OPTIONS, _LEFT_OUT))
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]

    def archive(self, say: Say) -> Path:
        """The tree as a .tar.gz in the cache; made when it isn't there, which takes half a minute or more.

        Raises MissingError where debootstrap can't run: it needs Linux and root.
        """
        path = cache.folder() / f"debian-{self.release}-{self.digest}.tar.gz"
        if not path.exists():
            self._check(say)
            say(f"making Debian {self.release} from packages (once, about a minute)")
            root = cache.folder() / f"debootstrap-{self.release}"
            _clear(root)  # of a run that was killed
            try:
                self._bootstrap(root, say)
                with cache.replaced(path) as part:
                    _pack(root, part)
            finally:
                _clear(root)
        return path

    def _check(self, say: Say) -> None:
        purpose = f"making a Debian {self.release} image"
        if sys.platform != "linux" or os.geteuid() != 0:
            raise MissingError(f"{purpose} needs Linux and root", "run it once as root; the result is kept")
        install(_NEEDED, say, purpose)

    def _bootstrap(self, root: Path, say: Say) -> None:
        tell = paced(say, f"debootstrap {self.release}")
        words = ["env", f"PATH={system_path()}", "debootstrap", f"--keyring={_KEYRING}", *_OPTIONS]
        for line in follow([*words, self.release, str(root)]):
            tell(line.removeprefix("I: "))


def _clear(root: Path) -> None:
    """Remove a tree, but nothing that is mounted in it: debootstrap mounts /proc, and may have been killed."""
    subprocess.run(["umount", "--lazy", str(root / "proc")], capture_output=True, check=False)
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def _pack(root: Path, archive: Path) -> None:
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    words = [
        "tar",
        "--directory",
        str(root),
        *left_out,
        "--numeric-owner",
        "--use-compress-program",
        "gzip -1",
    ]
    done = subprocess.run([*words, "--create", "--file", str(archive), "."], capture_output=True, check=False)
    if done.returncode:
        raise IopError(f"packing {root} failed: {done.stderr.decode(errors='replace').strip()}")
