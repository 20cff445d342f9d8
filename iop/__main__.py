"""``python -m iop``."""

from iop.program import main

main()
