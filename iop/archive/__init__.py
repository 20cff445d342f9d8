"""Image archives as streams: what ``docker save`` writes, and the same image without the layers a server has.

An archive is read twice, because the layout of Docker 20.10 to 24 names layers by ids that say nothing and puts
the list of them last: only at the end of the first pass is it known which member is which layer. Small layers are
kept from the first pass, so that a small change needs no second one; to keep any image would fill disk or memory.
"""

from iop.archive.compression import gzipped
from iop.archive.index import Index, Layer, read_index
from iop.archive.thin import common_prefix, thin, total

__all__ = ["Index", "Layer", "common_prefix", "gzipped", "read_index", "thin", "total"]
