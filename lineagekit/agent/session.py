# SPDX-License-Identifier: Apache-2.0
"""From `autolog()` to the end of the process: the run of the process as a whole, and what becomes of its children.

    >>> autolog()  # doctest: +SKIP

A child that runs a program of its own is a run of its own, whose parent is ours. A worker of multiprocessing, loky or
a forked child is part of our run. What the environment says of the parent is read once, when the child starts.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading

from lineagekit.agent.border import border, describe
from lineagekit.agent.process import RUN, Process, begin_runs, open_process, tell_children
from lineagekit.agent.run import COMMANDED, DERIVED, Run

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

LAUNCHER = "LINEAGEKIT_LAUNCHER"
"""The process id of `lineagekit run`: its own child is the run that it began, not a run below it."""

# How the workers of process pools are started: they have no program of their own.
_WORKERS = (
    "multiprocessing.spawn",
    "multiprocessing.forkserver",
    "multiprocessing.resource_tracker",
    "loky.backend",
    "pyspark.daemon",
    "pyspark.worker",
)


def autolog() -> None:
    """Record what this process reads and writes from here on; a second call changes nothing."""
    process = open_process()
    if process is not None and process.main is None:
        with border("autolog"):
            process.main = _run_of_process(process)
            watch(process)
            tell_children(process)


def watch(process: Process) -> None:
    """Stand in the doors and beside the libraries, and be there when the process ends."""
    if process.watching:
        return
    process.watching = True
    from lineagekit.agent import doors, hooks, scenery, surroundings

    scenery.leave_out(folders=[process.config.store_folder, process.config.cache_folder])
    scenery.leave_out(globs=process.settings.get("ignore", ()))
    doors.open_doors()
    hooks.watch_imports()
    surroundings.watch_variables(process)
    atexit.register(_at_exit, process)
    sys.excepthook = _Excepthook(process, sys.excepthook)
    _watch_exit(process)
    _watch_workers()


def flush() -> None:
    """End the run of the process here, and begin another with what comes next: for notebooks and long services."""
    process = open_process()
    if process is None or process.main is None:
        return
    with border("flush"):
        main = process.main
        if main.owner == os.getpid():
            main.end()
            process.main = Run(process, main.job, how=main.how, rank=main.rank)
            process.main.parent = main.parent
            tell_children(process)
            finish(process, waits=False)


def finish(process: Process, *, waits: bool = True) -> None:
    """Have what was recorded hashed and delivered, by somebody else than this job."""
    from lineagekit.agent import handover

    handover.hand_over(process, waits=waits)


def _run_of_process(process: Process) -> Run:
    """The run that this process is, or is part of, or is below."""
    ids = [one for one in os.environ.get(RUN, "").split(",") if one]
    if not ids:
        return Run(process, "", how=_how(), rank=DERIVED)
    if len(ids) == 1 and os.environ.get(LAUNCHER) == str(os.getppid()):
        run = Run(process, "", id=ids[0], how="command", rank=DERIVED)
        process.launched = True
        return run
    if _is_worker():
        if len(ids) > 1:  # of several runs: never guessed
            process.opened.extend(_member(process, one) for one in ids)
        return _member(process, ids[0])
    run = Run(process, "", how=_how(), rank=DERIVED)
    run.parent = ids[0] if len(ids) == 1 else ""
    return run


def _member(process: Process, id: str) -> Run:
    run = Run(process, "", id=id, rank=COMMANDED)
    run.owner = 0  # somebody else ends it
    return run


def _how() -> str:
    from lineagekit.agent.origin import in_notebook

    return "notebook" if in_notebook() else "process"


def _is_worker() -> bool:
    words = " ".join(getattr(sys, "orig_argv", None) or _command_line())
    return any(worker in words for worker in _WORKERS)


def _command_line() -> list[str]:
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return os.fsdecode(file.read()).split("\0")
    except OSError:
        return []


def _at_exit(process: Process) -> None:
    """The end of the process: of its own run, and of those that were never left."""
    with border("exit"):
        state, error, code = ("COMPLETE", "", None) if _has_returned(process.program) else process.outcome
        for run in [*reversed(process.opened), process.main]:
            if run is None:
                continue
            if run.owner != os.getpid() or (run is process.main and process.launched):
                run.leave()
            else:
                run.end(state, error, code)
        if process.pid == os.getpid() and not process.launched:
            _say_goodbye(process)
            finish(process)


def _say_goodbye(process: Process) -> None:
    """One line on a terminal, silent elsewhere."""
    main = process.main
    if main is None or not main.began or main.owner != os.getpid() or sys.stderr is None or not sys.stderr.isatty():
        return
    from lineagekit.agent.origin import place_of_job

    counts = (len(main.ledger.inputs()), "input"), (len(main.ledger.outputs()), "output")
    told = ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for number, what in counts)
    print(f"lineagekit: recorded {main.job or place_of_job()['job']}: {told} (lineagekit log)", file=sys.stderr)


class _Excepthook:
    """Remembers the error that ends the process, and lets whoever was there before show it."""

    def __init__(self, process: Process, before: Any) -> None:
        self._process, self._before = process, before

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        with border("excepthook"):
            stopped = isinstance(error, KeyboardInterrupt)
            self._process.outcome = ("ABORT" if stopped else "FAIL", describe(error), 130 if stopped else 1)
        self._before(kind, error, traceback)


def _watch_exit(process: Process) -> None:
    """`sys.exit(3)` ends a run as failed; nothing else tells how an exit was meant."""
    original = sys.exit

    def exit(status: Any = None, /) -> Any:
        with border("sys.exit"):
            if threading.current_thread() is not threading.main_thread():  # ends the thread, not the process
                return original(status)
            code = status if isinstance(status, int) else 0 if status is None else 1
            failed = ("FAIL", f"sys.exit({status!r})"[:300], code)
            process.outcome = failed if code else ("COMPLETE", "", 0)
            process.program = _outermost() if code else None
        original(status)

    exit.__doc__, exit.__wrapped__ = original.__doc__, original  # type: ignore[attr-defined]
    sys.exit = exit


def _outermost() -> FrameType | None:
    """The frame of the program itself: nothing lives longer for it, and it tells how the program was left."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _has_returned(frame: FrameType | None) -> bool:
    """Whether the program came to its own end after all: somebody has caught its `sys.exit`."""
    if frame is None or frame.f_lasti < 0:
        return False
    from opcode import opname

    return opname[frame.f_code.co_code[frame.f_lasti]] in ("RETURN_VALUE", "RETURN_CONST")


def _watch_workers() -> None:
    """Workers of multiprocessing end without `atexit`; they have a list of their own, emptied when they begin."""
    from lineagekit.agent.hooks import when_imported

    when_imported("multiprocessing.util", _register_worker)
    when_imported("multiprocessing.process", _watch_starts)


def _watch_starts(module: Any) -> None:
    """Processes that are spawned come from no fork of ours."""
    from lineagekit.agent.hooks import patch

    patch(module, "BaseProcess.start", before=lambda args, kwargs: begin_runs())


def _register_worker(util: Any) -> None:
    util.register_after_fork(_leave_at_end, _leave_at_end)
    if _is_worker():
        _leave_at_end(None)


def _leave_at_end(_: Any) -> None:
    from multiprocessing.util import Finalize

    with border("worker"):
        process = open_process()
        if process is not None:
            Finalize(None, _leave, args=(process,), exitpriority=0)


def _leave(process: Process) -> None:
    for run in [*process.opened, process.main]:
        if run is not None:
            run.leave()
