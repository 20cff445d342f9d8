"""Every task under its name. ``iop``, ``inv`` and ``fab -c tasks`` all work on this collection."""

from __future__ import annotations

from invoke import Collection

from iop.tasks import deploy as deploying
from iop.tasks.demo import demo
from iop.tasks.init import init
from iop.tasks.perform import STEPS

__all__ = ["namespace"]

namespace = Collection()
namespace.add_task(deploying.deploy, default=True)
namespace.add_task(deploying.plan)
namespace.add_task(init)
namespace.add_task(demo)
for name, collection in STEPS.items():
    namespace.add_collection(collection, name=name)
namespace.configure(
    {"iop": {"file": "iop.yml", "ssh_config": None, "verbose": False, "debug": False, "yes": False}}
)
