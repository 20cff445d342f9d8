"""The documents of the archive that is sent: readable for every engine from 20.10 on, whichever its image store.

Engines without the containerd store read manifest.json, those with it the OCI layout; both lists name the same
blobs (OCI image-layout specification 1.0; Docker image specification 1.2).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from iop.archive.index import Index

__all__ = ["blob", "documents"]

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def blob(digest: str) -> str:
    """Where the blob ``sha256:…`` lies in the archive."""
    return f"blobs/{digest.replace(':', '/')}"


def documents(index: Index) -> list[tuple[str, bytes]]:
    """(name, content) of everything that isn't a layer. All layers are listed, those that aren't sent as well."""
    layers = [{"mediaType": _LAYER, "digest": each.diff_id, "size": each.size} for each in index.layers]
    config = {"mediaType": _CONFIG, "digest": index.image_id, "size": len(index.config)}
    manifest = _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers})
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    entry = {"mediaType": _MANIFEST, "digest": digest, "size": len(manifest)}
    named = [{**entry, "annotations": _names(tag)} for tag in index.tags]
    docker = {
        "Config": blob(index.image_id),
        "RepoTags": list(index.tags),
        "Layers": [blob(diff_id) for diff_id in index.diff_ids],
    }
    return [
        ("oci-layout", _json({"imageLayoutVersion": "1.0.0"})),
        ("index.json", _json({"schemaVersion": 2, "manifests": named or [entry]})),
        ("manifest.json", _json([docker])),
        (blob(digest), manifest),
        (blob(index.image_id), index.config),
    ]


def _names(tag: str) -> dict[str, str]:
    """How containerd wants an image named: in full, with the registry that Docker leaves out."""
    host, slash, _ = tag.partition("/")
    if not slash:
        full = f"docker.io/library/{tag}"
    elif "." in host or ":" in host or host == "localhost":
        full = tag
    else:
        full = f"docker.io/{tag}"
    return {"io.containerd.image.name": full, "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
