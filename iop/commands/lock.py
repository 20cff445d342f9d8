"""Shell text for the locks under which a server is changed.

The deploy lock is held by a process at the other end of our own SSH session: when we die, however we die, sshd
ends it, so the lock can't go stale. Scripts that we started may outlive us by a moment; each holds the second
lock, shared, and the next run waits until nobody does.
"""

from __future__ import annotations

from iop.commands.shell import BUSY, line

__all__ = ["DEPLOY", "HELD", "hold"]

DEPLOY = "/run/lock/iop-deploy.lock"
HELD = "held"


def hold(who: str, patience: int, settle: int) -> str:
    """Take the deploy lock, say so, and keep it until standard input ends.

    Waits ``patience`` seconds for another run and ``settle`` for scripts of one that died; then it prints who
    has it, and fails.
    """
    return "\n".join(
        [
            "{",
            f"exec 9>>{DEPLOY} 8>>{BUSY}",
            f"if ! flock -w {patience} 9; then cat {DEPLOY}; exit 1; fi",
            f"printf '%s since %s\\n' {line(who)} \"$(date -u +%H:%M:%SZ)\" >{DEPLOY}",
            f"if ! flock -w {settle} 8; then echo 'something that an earlier run started'; exit 1; fi",
            "exec 8>&-",
            f"echo {HELD}",
            "cat >/dev/null",
            "}",
            "",
        ]
    )
