"""Shell text for the locks under which a server is changed.

The deploy lock is held by a process at the other end of our own SSH session: when we die sshd ends it, and when
the network dies with us, so that sshd hears nothing, it ends by itself because no heartbeat comes. Scripts that we
started may outlive us by a moment; each holds the second lock, shared, and the next run waits until nobody does.
"""

from __future__ import annotations

from iop.commands.shell import BUSY, FOLDER, line

__all__ = ["DEPLOY", "HELD", "hold"]

DEPLOY = f"{FOLDER}/deploy.lock"
HELD = "held"


def hold(who: str, patience: int, settle: int, lease: int) -> str:
    """Take the deploy lock, say so, and keep it until standard input ends or is silent for ``lease`` seconds.

    Waits ``patience`` seconds for another run and ``settle`` for scripts of one that died; then it prints who
    has it, and fails.
    """
    return "\n".join(
        [
            "{",
            f"mkdir -p -m 0700 {FOLDER}",
            f"exec 9>>{DEPLOY} 8>>{BUSY}",
            f"if ! flock -w {patience} 9; then cat {DEPLOY}; exit 1; fi",
            f"printf '%s since %s\\n' {line(who)} \"$(date -u +%H:%M:%SZ)\" >{DEPLOY}",
            f"if ! flock -w {settle} 8; then echo 'something that an earlier run started'; exit 1; fi",
            "exec 8>&-",
            f"echo {HELD}",
            f'while [ -n "$(timeout {lease} head -c 1)" ]; do :; done',
            "exit",  # the shell would wait for more of its script, and keep the lock
            "}",
            "",
        ]
    )
