"""Become one part of the stack: drop privileges, tie this process's life to its parent's, then exec.

Run by path (``python -I -S launch.py PARENT_PID USER ARGV…``), on the standard library alone, since it starts every
part. The order matters: changing the user clears the death signal, so the signal comes after it; and the parent may
have died before the signal was set, so that is looked at last.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT = 1, 8, 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def permitted_capabilities() -> int:
    """Return the capabilities this process may use, as a bit mask."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapPrm"))


def path_capability() -> int | None:
    """Return the weakest capability at hand that lets another user enter a closed folder such as /root."""
    permitted = permitted_capabilities()
    choices = (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)
    return next((choice for choice in choices if permitted >> choice & 1), None)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    """Hold one capability, also across exec."""
    mask = 1 << capability
    sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets(0, 0, 0))
    if libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def become(user: str, libc: ctypes.CDLL) -> None:
    """Change to ``uid:gid:closed``; ``closed`` = 1 keeps the right to pass through closed folders."""
    uid, gid, closed = (int(field) for field in user.split(":"))
    capability = path_capability() if closed else None
    if capability is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        _keep_only(libc, capability)


def main() -> None:
    """Become the part named on the command line."""
    parent_pid, user, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    if user != "-":
        become(user, libc)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("the supervisor died while this part was starting")
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        sys.exit(f"{argv[0]} can't be run: {error.strerror}")


if __name__ == "__main__":
    main()
