"""The folder ``certs`` of the state directory: one file for each certificate, with its key."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from iopproxy.routing.files import make_folder, read_private, remove, replace, set_aside
from iopproxy.tls.certificates import Certificate, CertificateError, covers, is_name
from iopproxy.tls.contexts import certificate_context

__all__ = ["CertificateStore"]

_SIZE = 65536
"""Bytes read of a file; more is no certificate."""


@frozen
class CertificateStore:
    """``NAME.pem`` holds key and chain in one file of mode 0600, so that they are replaced together or not at all.

    The ``*`` of a wildcard is written ``_``, which no host name begins with.
    """

    folder: Path
    _log = Logger()

    def path(self, name: str) -> Path:
        """Where a certificate is kept, or would be."""
        file = f"_{name[1:]}" if name.startswith("*.") else name
        return self.folder / f"{file}.pem"

    def load(self) -> dict[str, Certificate]:
        """All certificates by name. Blocks.

        A file that can't be used is set aside and reported; one that can't even be read is reported and left.
        Neither stops the others.
        """
        found = {}
        try:
            make_folder(self.folder)
            paths = sorted(self.folder.glob("*.pem"))
        except OSError as error:
            self._log.error("No certificate is served: {reason}", reason=str(error))
            return {}
        for path in paths:
            name = f"*{path.stem[1:]}" if path.stem.startswith("_.") else path.stem
            try:
                found[name] = _read(path, name)
            except CertificateError as error:
                self._set_aside(path, str(error))
            except OSError as error:
                self._log.error("{path} can't be read: {reason}", path=str(path), reason=error.strerror)
        return found

    def save(self, name: str, certificate: Certificate) -> None:
        """Write one; it is on the disk when this returns. Blocks. Raises OSError."""
        make_folder(self.folder)
        replace(self.path(name), certificate.pem.encode())

    def delete(self, name: str) -> None:
        """Remove one, unless it isn't there. Blocks. Raises OSError."""
        remove(self.path(name))

    def _set_aside(self, path: Path, reason: str) -> None:
        try:
            aside = set_aside(path)
        except OSError as error:
            self._log.error(
                "{path} can't be used: {reason} {also}", path=path, reason=reason, also=str(error)
            )
            return
        self._log.error(
            "{path} can't be used; it is kept as {aside}. {reason}",
            path=str(path),
            aside=str(aside),
            reason=reason,
        )


def _read(path: Path, name: str) -> Certificate:
    """Raises CertificateError, OSError."""
    if not is_name(name):
        raise CertificateError("It isn't called by a host name.")
    certificate = Certificate.parse(read_private(path, _SIZE).decode("ascii", "replace"))
    if not covers(certificate.names, name):
        raise CertificateError(f"The certificate is for {', '.join(certificate.names)}.")
    certificate_context(certificate)  # a worker must not be the first to find out
    return certificate
