"""The proxy's image, made from the installed package: its source, its libraries as wheels, a Python base.

No registry takes part unless the base is pulled from one; where none answers, the base is made from Debian's
packages (``disposable.bases``).
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from shutil import copyfile

from iop import __version__, building, local
from iop.config.project import ProxyImage
from iop.console import console
from iop.disposable.bases import python_base
from iop.errors import BuildError

__all__ = ["build", "tag"]

LIBRARIES = (
    "attrs",
    "cryptography",
    "h2",
    "httptools",
    "prometheus_client",
    "pyopenssl",
    "service-identity",
    "twisted",
    "uvloop",
)
"""What iopproxy imports. Their own requirements follow, all in the versions installed here."""

_WHEELS = {
    "linux/amd64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "linux/arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
}

_DOCKERFILE = """\
FROM {base}
COPY proxy /opt/iop
WORKDIR /opt/iop
RUN python3 -m compileall -q /opt/iop && python3 -m twisted --help >/dev/null
"""
"""The last command lets Twisted write its plugin cache: the file system is read-only later."""


def tag(proxy: ProxyImage, platform: str) -> str:
    """The image's name: a hash of all that goes into it, so that an unchanged proxy is never built twice."""
    if proxy.image:
        return proxy.image
    digest = hashlib.sha256(_DOCKERFILE.encode())
    for name, path in _sources().items():
        digest.update(f"{name}\n".encode() + path.read_bytes())
    for line in (*_pins(), proxy.base_image, platform):
        digest.update(f"{line}\n".encode())
    return f"iop/proxy:{__version__}-{digest.hexdigest()[:12]}"


def build(name: str, proxy: ProxyImage, platform: str) -> None:
    """Build the image for a server's platform, unless this machine has it. Raises BuildError."""
    if building.has(name):
        return
    base = proxy.base_image
    if not building.has(base) and not building.pull(base, platform):
        console().output(f"{base} can't be pulled; making a base from Debian packages")
        base = python_base(console().output)
    with tempfile.TemporaryDirectory(prefix="iop-proxy-") as folder:
        context = Path(folder)
        _install_libraries(context / "proxy", building.python(base), platform)
        for file, path in _sources().items():
            (context / "proxy" / file).parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, context / "proxy" / file)
        (context / "Dockerfile").write_text(_DOCKERFILE.format(base=base))
        building.build(name, context=context, dockerfile=context / "Dockerfile", platform=platform)


def _install_libraries(folder: Path, python: str, platform: str) -> None:
    """Unpack wheels for the *image's* Python and platform, which need not be this machine's."""
    if util.find_spec("pip") is None:
        raise BuildError(
            f"building the proxy needs pip, and {sys.executable} has none",
            "install it there (python -m ensurepip), or set proxy.image in iop.yml",
        )
    if platform not in _WHEELS:
        raise BuildError(f"no proxy can be built for {platform}", "set proxy.image in iop.yml")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
    argv += ["--target", str(folder), "--implementation", "cp", "--python-version", python]
    for each in _WHEELS[platform]:
        argv += ["--platform", each]
    local.watched([*argv, "--no-deps", *_pins()], "fetching the proxy's libraries")


def _pins() -> tuple[str, ...]:
    """``name==version`` of every library the proxy needs, as installed here."""
    pending, found = list(LIBRARIES), dict[str, str]()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found[name] = metadata.version(name)
        pending += _requirements(name)
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))


def _requirements(name: str) -> Iterator[str]:
    from packaging.requirements import Requirement  # noqa: PLC0415  only needed while building

    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower()


def _sources() -> dict[str, Path]:
    """Our own files: where they belong in the image, and where they lie here."""
    plugin = _folder("twisted.plugins.iopproxy_plugin") / "iopproxy_plugin.py"
    package = _folder("iopproxy")
    files = {f"iopproxy/{path.relative_to(package)}": path for path in sorted(package.rglob("*.py"))}
    return {**files, "twisted/plugins/iopproxy_plugin.py": plugin}


def _folder(module: str) -> Path:
    """Where an installed module lies."""
    found = util.find_spec(module)
    if found is None or found.origin is None:
        raise BuildError(f"{module} is not installed beside iop", "install iop again")
    return Path(found.origin).parent
