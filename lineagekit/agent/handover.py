# SPDX-License-Identifier: Apache-2.0
"""The handover: what was recorded is hashed and delivered by another process, so that the job need not.

    >>> hand_over(process)  # doctest: +SKIP

`detached`: a process of its own session that outlives the job. `exit`: a child that the job waits for, within a
budget: where nothing outlives the job (a container, a batch system, a build server). `off`: somebody else does it, and
what was recorded waits in the journal until then. With the agent alone it is always so.
"""

from __future__ import annotations

import atexit
import os
import sys
import time

from lineagekit.agent.border import border
from lineagekit.agent.process import DISABLED, RUN, Process

BUDGET = 30.0
"""Seconds that a job waits at most for its data to be hashed, where nothing outlives it."""

_BATCH = ("CI", "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ID")


def hand_over(process: Process, *, waits: bool = True) -> None:
    """See to it that somebody settles; never raises."""
    with border("settle"):
        how = process.settle_how() or ("exit" if _nothing_outlives() else "detached")
        if how == "off" or not process.journal.id or not has_full_package():
            return
        if how == "detached" or not waits:
            if not waits or not is_somebody_settling(process.config.store_folder):
                start_settler(process.config.store_folder, *([] if waits else ["--now"]))
            return
        pid = start_settler(process.config.store_folder, "--now")  # though we live on until it is done
        _wait(pid, float(process.settings.get("budget", BUDGET)))


def hand_over_at_exit(process: Process) -> None:
    """The same when this process ends, where nothing else does so; a forked child has no such end."""
    if id(process) not in _leaving:
        _leaving.add(id(process))
        if not process.watching:
            atexit.register(_leave, process, os.getpid())


_leaving: set[int] = set()


def _leave(process: Process, pid: int) -> None:
    if os.getpid() == pid and not process.watching:
        hand_over(process)


def has_full_package() -> bool:
    """Whether the other half of lineagekit is installed beside this one."""
    return os.path.isfile(os.path.join(os.path.dirname(os.path.dirname(__file__)), "record", "settle.py"))


def tell_of_start(store: str) -> None:
    """Have a run that goes on appear where events are sent, with what it touched so far; nothing is hashed for it."""
    if has_full_package():
        start_settler(store, "--live")


def start_settler(store: str, *how: str) -> int:
    """Start the process that settles: its own session, no streams, lowest priority; its process id."""
    _reap()
    pid = _spawn(store, "--background", *how, silent=(0, 1, 2), setsid=True)
    _started.append((os.getpid(), pid))
    return pid


def settle_in_view(store: str, *how: str) -> None:
    """Settle while somebody waits for it and may see, on standard error, how far it is."""
    os.waitpid(_spawn(store, *how, silent=(0, 1), setsid=False), 0)


def _spawn(store: str, *how: str, silent: tuple[int, ...], setsid: bool) -> int:
    environ = {k: v for k, v in os.environ.items() if k not in (RUN, "LINEAGEKIT_LAUNCHER")}
    environ.update({DISABLED: "1", "LINEAGEKIT_STORE": store})
    words = [sys.executable, "-P", "-m", "lineagekit.cli.settling", *how]
    nothing = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in silent]
    return os.posix_spawn(sys.executable, words, environ, file_actions=nothing, setsid=setsid)


_started: list[tuple[int, int]] = []


def _reap() -> None:
    """Ask after those that we started before and that are done: a service that flushes would collect their pids."""
    for parent, pid in list(_started):
        try:
            is_over = parent != os.getpid() or os.waitpid(pid, os.WNOHANG)[0] != 0
        except ChildProcessError:  # the job waits for all of its children
            is_over = True
        if is_over:
            _started.remove((parent, pid))


def is_somebody_settling(store: str) -> bool:
    """Whether a settler holds the lock: it looks once more after it has let go, and so will find what we wrote."""
    import fcntl

    try:
        descriptor = os.open(os.path.join(store, "settle.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _nothing_outlives() -> bool:
    return os.getpid() == 1 or any(os.environ.get(name) for name in _BATCH)


def _wait(pid: int, budget: float) -> None:
    until = time.monotonic() + budget
    pause = 0.01
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
