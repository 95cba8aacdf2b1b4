# SPDX-License-Identifier: Apache-2.0
"""A cage: a command that sees a workspace's bytes at their own paths, and can change nothing that is the user's.

>>> cage.why_not()  # doctest: +SKIP
''
>>> cage.run(["make", "train"], space, cwd="/home/ann/churn", environ=os.environ, timeout=600,
...          output=Path("probe.log"), is_unsafe=False)  # doctest: +SKIP
Ended(returncode=0, seconds=3.1, timed_out=False)

The kernel holds it: namespaces of its own for mounts, processes and users, overlays that take what is written beneath
the roots, everything else read-only, and Landlock besides. No privileges are needed. What runs inside is `inside`.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import lineagekit
from lineagekit.cause import caches, kernel
from lineagekit.cause.space import Space
from lineagekit.cause.workspace import Workspace
from lineagekit.errors import LineagekitError, NotFoundError, StoreError

WALLS = ("readonly", "sockets", "landlock", "filter")
"""All of them; fewer are for tests that show what each one holds off."""
_OLDEST = (5, 13)
"""The first kernel with overlays for any user, with their upper layer in the lower one, and with Landlock."""
_PATIENCE = 10.0
"""Seconds that the kernel has to end what was killed."""
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from lineagekit.cause.{} import main; "
    "sys.exit(main(sys.argv[1], int(sys.argv[2])))"
)
_FORBIDDEN = (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EUSERS, errno.EINVAL, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; with 128 + the signal if it was killed by one."""

    returncode: int
    seconds: float
    timed_out: bool


class How(TypedDict):
    """How a command is run."""

    cwd: str
    environ: Mapping[str, str]
    timeout: float | None
    output: Path
    """Where all that it prints goes."""
    is_unsafe: bool
    """A cage without Landlock is good enough."""


def run(command: Sequence[str], space: Space, **how: Unpack[How]) -> Ended:
    """Run it; whatever happens, nothing that it has started is left. Raises LineagekitError if no cage can be built."""
    plan = space.folder / "plan.json"
    words = _plan(command, space, how["cwd"], how["environ"]) | {"is_unsafe": how["is_unsafe"]}
    try:
        plan.write_text(json.dumps(words), encoding="ascii")
        with how["output"].open("wb") as file:
            return _run(_START.format("warden" if space.tree else "inside"), plan, file.fileno(), how["timeout"])
    except OSError as error:
        said = f"{error.strerror or error}{f' ({error.filename!s})' if error.filename else ''}"
        advice = "See that you may use it." if isinstance(error, PermissionError) else "Free space or memory."
        raise StoreError(f"the command cannot be started in a cage: {said}", advice=advice) from error


def why_not(*, is_unsafe: bool = False) -> str:
    """Why no cage can be built on this machine, and what to do; "" if it can: one is built, around nothing."""
    if kernel.version() < _OLDEST:
        return (
            f"only Linux {'.'.join(map(str, _OLDEST))} or later can hold a command in a cage. Run it on such a machine."
        )
    return trial(lambda folder: Workspace(folder, []), is_unsafe=is_unsafe)


def trial(make: Callable[[Path], Space], *, is_unsafe: bool) -> str:
    """Run nothing in such a space: why that does not work, and what to do; "" if it does."""
    try:
        with tempfile.TemporaryDirectory(prefix="lineagekit-", ignore_cleanup_errors=True) as folder:
            space = make(Path(folder, "workspace"))
            try:
                output = Path(folder, "output")
                run(["true"], space, cwd="/", environ=os.environ, timeout=60, output=output, is_unsafe=is_unsafe)
            finally:
                space.remove_all()
    except LineagekitError as error:
        return str(error)
    return ""


def _plan(command: Sequence[str], space: Space, cwd: str, environ: Mapping[str, str]) -> dict[str, object]:
    """What `inside` is told; bytes as latin-1, which has a character for each."""
    start = space.inside(Path(cwd))
    own = {"TMPDIR": str(space.open / "tmp"), "LINEAGEKIT_CACHE": str(space.open / "cache")}
    own |= {"PWD": str(start)} if "PWD" in environ else {}  # Makefiles believe it
    own |= caches.variables(space.open / "cache", environ) if space.tree else {}
    return {
        "roots": [[_text(path or "") for path in layer] for layer in space.layers],
        "open": _text(space.open),
        "cwd": _text(start),
        "command": [_text(word) for word in command],
        "environ": [[_text(name), _text(value)] for name, value in {**environ, **own}.items()],
        "walls": list(WALLS),
        "parent": os.getpid(),
    }


def _text(value: str | Path) -> str:
    return os.fsencode(value).decode("latin-1")


def _run(start: str, plan: Path, output: int, timeout: float | None) -> Ended:
    package = os.path.dirname(os.path.dirname(os.path.abspath(lineagekit.__file__)))
    told, report = os.pipe()
    with open(told, "rb") as troubles:
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", start, package, str(plan), str(report)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(report,),
                start_new_session=True,  # ctrl-C is for the one who waits, who then ends it in good order
            )
        finally:
            os.close(report)
        began, timed_out = time.monotonic(), False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(process)
        seconds = time.monotonic() - began
        if process.returncode and (trouble := troubles.read()):
            raise _not_built(trouble)
    return Ended(process.returncode, seconds, timed_out)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all its descendants; returns when they are gone."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _not_built(trouble: bytes) -> LineagekitError:
    number, _, said = trouble.decode("utf-8", "surrogateescape").partition(" ")
    if said.startswith("enter "):
        return NotFoundError(f"the command cannot be started: {said}", advice="Check the folder it is to run in.")
    message = f"a command cannot be held in a cage here: {said}"
    if said.startswith("Landlock"):
        advice = "Boot with Landlock (lsm=landlock,...), or insist with --unsafe."
    elif int(number) == errno.EINVAL and said.startswith("mount overlay"):
        advice = "If something is mounted in that folder, only root can cover it: run it as root, or unmount it."
    elif int(number) in _FORBIDDEN and said.startswith(("unshare", "write /proc", "mount")):
        advice = (
            "Allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
            "kernel.apparmor_restrict_unprivileged_userns=0; in a container --security-opt seccomp=unconfined)."
        )
    else:
        advice = "Run it on another machine, or with the store on a disk of this one."
    return StoreError(message, advice=advice)
