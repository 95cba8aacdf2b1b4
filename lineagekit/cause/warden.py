# SPDX-License-Identifier: Apache-2.0
"""What holds a command where no cage can be built: Landlock, a filter of system calls, and one who ends all it started.

Two processes: the warden, to whom the kernel gives whatever loses its parent, daemons too, and who ends them all when
the command ends, when he is told to, or when his own parent dies; and the command. The standard library only.

Held: every way to write, make, move or remove what lies outside the open folder, or to change its mode, times, owner
or attributes; of the command's own files, owners and attributes are left as they are. Not held, unlike in a cage: what
the network reaches; before Linux 6.12 signals to other processes of the user; System V shared memory; daemons, if the
warden himself is killed.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import threading
import time

from lineagekit.cause import errands, inside, kernel, landlock, mounts
from lineagekit.cause import filter as filter_
from lineagekit.cause.kernel import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST = 3
"""Landlock that holds truncation too: Linux 6.2."""
_SCOPED = 6
_MEMORY = "/dev/shm"


def main(plan_path: str, report: int) -> int:
    """Run the command, wait for it, end all that it has started; why it could not be held goes to `report`."""
    os.set_inheritable(report, False)
    with open(plan_path, encoding="ascii") as file:
        plan = json.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    call("prctl", kernel.SUBREAPER, 1, 0, 0, 0)
    call("prctl", kernel.DIE_WITH_PARENT, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != plan["parent"]:  # it was gone before this was asked for
        return inside.NOT_BUILT
    try:
        ours, theirs = socket.socketpair()
        command = os.fork()
    except OSError as error:
        return inside.tell(report, error)
    if command == 0:
        _be_command(plan, report, theirs)
    os.close(report)
    theirs.close()
    _run_errands(ours, plan)
    try:
        return _code_of(command)
    finally:
        _end_all()


def _run_errands(ours: socket.socket, plan: Mapping[str, object]) -> None:
    """Beside all else, for what is held; it is not, if it could not be."""
    _, listeners, _, _ = socket.recv_fds(ours, 1, 1)
    for listener in listeners:
        threading.Thread(target=errands.serve, args=(listener, _open_folder(plan)), daemon=True).start()


def _open_folder(plan: Mapping[str, object]) -> bytes:
    return str(plan["open"]).encode("latin-1")


def _be_command(plan: dict[str, object], report: int, theirs: socket.socket) -> None:
    try:
        call("prctl", kernel.DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        inside.enter(plan)
        _confine(plan, theirs)
    except OSError as error:
        os._exit(inside.tell(report, error))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
    inside.become(plan)


def _confine(plan: dict[str, object], theirs: socket.socket) -> None:
    """Shared memory can be written where there is none yet: programs need it to work in parallel, and harm nobody."""
    if landlock.abi() < OLDEST:
        raise OSError(errno.EOPNOTSUPP, "Landlock: not there, or too old to hold a command outside a cage")
    kernel.drop_capabilities(is_root=os.geteuid() == 0)
    memory = [_MEMORY.encode()] if os.path.isdir(_MEMORY) and not os.listdir(_MEMORY) else []
    is_closed = any(os.access(path, os.W_OK) for path in mounts.services())
    is_closed = is_closed or (landlock.abi() < _SCOPED and any(mounts.listening(b"@")))
    walls = inside.words(plan["walls"])
    if "landlock" in walls:
        landlock.confine([_open_folder(plan), *memory], [*inside.devices(), b"/proc/self/fd/1"])
    if "filter" in walls:
        socket.send_fds(theirs, [b"."], [filter_.install(is_closed=is_closed)])
    theirs.close()


def _code_of(command: int) -> int:
    """How it ended; as if by SIGTERM, if that is asked for before."""
    while signal.sigwait({signal.SIGTERM, signal.SIGCHLD}) != signal.SIGTERM:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == command:
                return inside.exit_code(ended[1])
    return 128 + signal.SIGTERM


def _end_all() -> None:
    """Until there is none: who loses its parent becomes this process's child."""
    while True:
        for process in _descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        time.sleep(0.001)


def _descendants() -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(parent, []).append(int(name))
    waiting = children.pop(os.getpid(), [])
    while waiting:
        one = waiting.pop()
        yield one
        waiting += children.pop(one, [])
