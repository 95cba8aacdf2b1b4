# SPDX-License-Identifier: Apache-2.0
"""The other half of `cage`: becomes the cage that a plan describes, runs its command there, returns its exit code.

Three processes: the outermost stays outside and reaps; the second is the first of a process namespace, so that when
it ends the kernel ends every descendant, daemons too; the third is the command. The standard library only: starts fast.

    $ python -I -S -c "..." plan.json 5   # 5: where to say why the cage could not be built
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys

from lineagekit.cause import kernel, landlock, mounts
from lineagekit.cause.kernel import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

NOT_BUILT, NOT_RUNNABLE, NOT_FOUND = 125, 126, 127
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "kfd")
_KINDS_OF_DEVICES = ("nvidia", "dri", "accel")
"""Devices that a command may write to: none that holds data, and those that compute."""


def main(plan_path: str, report: int) -> int:
    """Build the cage, run the command, wait for it; what could not be built goes to `report`."""
    os.set_inheritable(report, False)
    with open(plan_path, encoding="ascii") as file:
        plan = json.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        writable = _enter_namespaces(plan)
        life, held = os.pipe()
        first = os.fork()
    except OSError as error:
        return tell(report, error)
    if first == 0:
        os.close(held)
        _be_first(plan, report, life, writable)
    os.close(report)
    call("prctl", kernel.DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    call("prctl", kernel.DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != plan["parent"]:  # it was gone before this was asked for
        os.kill(first, signal.SIGKILL)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return exit_code(os.waitpid(first, 0)[1])


def tell(report: int, error: OSError) -> int:
    """Say why the command cannot be held; the exit code."""
    os.write(report, f"{error.errno} {error.strerror}".encode("utf-8", "surrogateescape"))
    return NOT_BUILT


def exit_code(status: int) -> int:
    """As a shell tells it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _enter_namespaces(plan: dict[str, object]) -> list[bytes] | None:
    """Namespaces in which the user is who he is; root needs somebody outside to map the other users too.

    Who may mount without being somebody else does so before: only then can folders with mounts in them be covered.
    Returns what can be written then, else None.
    """
    user, group, process = os.geteuid(), os.getegid(), os.getpid()
    ready, go = os.pipe()
    mapper = os.fork() if user == 0 else 0
    if user == 0 and mapper == 0:
        os.close(go)
        os.read(ready, 1)
        os._exit(_map_everybody(process))
    os.close(ready)
    writable = _mount(plan) if user == 0 and _may_mount() else None
    kinds = kernel.NEW_USERS | kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_IPC
    try:
        call("unshare", kinds, doing="unshare")
    finally:
        os.close(go)
    if mapper and os.waitpid(mapper, 0)[1] == 0:
        return writable
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    return writable


def _may_mount() -> bool:
    try:
        call("unshare", kernel.NEW_MOUNTS)
    except OSError:
        return False
    return True


def _map_everybody(process: int) -> int:
    try:
        for kind in ("uid", "gid"):
            with open(f"/proc/self/{kind}_map", encoding="ascii") as table:
                ranges = [line.split() for line in table]
            _write(f"/proc/{process}/{kind}_map", "".join(f"{start} {start} {count}\n" for start, _, count in ranges))
    except OSError:
        return 1
    return 0


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="ascii", buffering=len(text) + 1) as file:
            file.write(text)
    except OSError as error:
        raise OSError(error.errno, f"write {path}: {error.strerror}") from error


def _be_first(plan: dict[str, object], report: int, life: int, writable: list[bytes] | None) -> None:
    """Be process 1 of the namespace: build, run, reap, and take all others along at the end."""
    code = NOT_BUILT
    try:
        call("prctl", kernel.DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        call("prctl", kernel.DUMPABLE, 0, 0, 0, 0)  # what it holds open is not for the command
        if select.select([life], [], [], 0)[0]:  # the parent was gone before this was asked for
            os._exit(code)
        os.close(life)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        _build(plan, writable)
        command = os.fork()
        if command == 0:
            become(plan)
        while (ended := os.wait())[0] != command:
            continue
        code = exit_code(ended[1])
    except OSError as error:
        tell(report, error)
    finally:
        os._exit(code)


def _build(plan: dict[str, object], writable: list[bytes] | None) -> None:
    if writable is None:
        writable = _mount(plan)
    mounts.show_own_processes()
    enter(plan)
    kernel.drop_capabilities(is_root=os.geteuid() == 0)
    call("prctl", kernel.NO_NEW_PRIVILEGES, 1, 0, 0, 0, doing="forbid new privileges")
    if "landlock" in words(plan["walls"]) and (landlock.abi() or not plan["is_unsafe"]):
        landlock.confine(writable, [*devices(), b"/proc/self/fd/1"])


def enter(plan: dict[str, object]) -> None:
    """Go where the command starts."""
    cwd = _bytes(plan["cwd"])
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OSError(error.errno, f"enter {os.fsdecode(cwd)}: {error.strerror}") from error


def _mount(plan: dict[str, object]) -> list[bytes]:
    roots = [[one.encode("latin-1") for one in root] for root in _lists(plan["roots"])]
    return mounts.build(roots, _bytes(plan["open"]), walls=words(plan["walls"]))


def devices() -> list[bytes]:
    """Those that a command may write to."""
    found = [name for name in os.listdir("/dev") if name in _DEVICES or name.startswith(_KINDS_OF_DEVICES)]
    found += [f"dri/{name}" for name in (os.listdir("/dev/dri") if "dri" in found else ())]
    paths = [f"/dev/{name}" for name in found]
    return [path.encode() for path in paths if os.path.exists(path) and not os.path.isdir(path)]


def become(plan: dict[str, object]) -> None:
    """Become the command."""
    command = [word.encode("latin-1") for word in words(plan["command"])]
    environ = {name.encode("latin-1"): value.encode("latin-1") for name, value in _lists(plan["environ"])}
    code = NOT_RUNNABLE
    try:
        os.setsid()
        for one in (signal.SIGPIPE, signal.SIGXFSZ):  # Python's own choice, not the command's
            signal.signal(one, signal.SIG_DFL)
        os.execvpe(command[0], command, environ)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, (FileNotFoundError, NotADirectoryError)) else NOT_RUNNABLE
        os.write(2, b"%s: %s\n" % (command[0], os.strerror(error.errno or 0).encode()))
    finally:
        os._exit(code)


def _bytes(value: object) -> bytes:
    return str(value).encode("latin-1")


def words(value: object) -> list[str]:
    """Of a plan."""
    return list(value) if isinstance(value, list) else []


def _lists(value: object) -> list[list[str]]:
    return [words(one) for one in words(value)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
