"""What a person sees. The only package that prints; everything else asks ``console()`` to."""

from iop.console.steps import Progress
from iop.console.terminal import Console, console, use
from iop.console.text import seconds, size, size_of

__all__ = ["Console", "Progress", "console", "seconds", "size", "size_of", "use"]
