# SPDX-License-Identifier: Apache-2.0
"""This process and what it says: one journal, the runs that are open in it, and the end of all of them.

    >>> process = open_process()  # doctest: +SKIP
    >>> process.say({"fact": "params", "run": "0198...", "params": {"C": 0.3}})  # doctest: +SKIP

A process is the *owner* of the runs that began in it, and a *member* of a run that its parent handed down through the
environment. A forked child says what it does in a journal of its own, and never ends a run of its parent's.
"""

from __future__ import annotations

import os
import threading
import time

from lineagekit.agent.border import border, troubles
from lineagekit.agent.journal import LIMIT, Journal
from lineagekit.config import Config

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


RUN = "LINEAGEKIT_RUN"
"""The runs open in this process, told to its children: ids joined by commas."""

DISABLED = "LINEAGEKIT_DISABLED"

_DROPPED = "near its cap: settings, metrics, code or environment were dropped, files were not (see journal_limit)"
_LOST = "over its cap: what was read or written was dropped too (see journal_limit)"

BEGAN = time.time_ns()
"""When the agent was loaded, which is before the modules of the job."""


class Process:
    """The one value that the whole agent shares; made by the first call that needs it."""

    __slots__ = (
        "config",
        "journal",
        "launched",
        "lock",
        "main",
        "opened",
        "outcome",
        "pid",
        "program",
        "settings",
        "watching",
    )

    def __init__(self, config: Config) -> None:
        """Touch nothing yet: a job without lineage leaves no trace."""
        self.config = config
        self.settings = _read_settings(config.store_folder)
        limit = self.settings.get("journal_limit", LIMIT)
        self.journal = Journal(os.path.join(config.store_folder, "journal"), limit=limit)
        self.lock = threading.Lock()
        self.main: Any = None  # the run of the process as a whole, where it has one
        self.opened: list[Any] = []  # runs opened by `with`, oldest first
        self.pid = os.getpid()
        self.launched = False  # `lineagekit run` began the run and will end it
        self.watching = False
        self.program: FrameType | None = None  # its own frame, since it called `sys.exit`
        self.outcome: tuple[str, str, int | None] = ("COMPLETE", "", None)

    def say(self, fact: dict[str, Any]) -> bool:
        """Write a fact; True when it will survive this process. Never raises."""
        with border("journal"):
            if self.journal.id == "":
                self.prepare_store()
            return self.journal.append(fact)
        return False

    def settle_how(self) -> str:
        """Who hashes: `detached` after this process, `exit` before it ends, `off`: somebody else."""
        return self.config.settle or self.settings.get("settle", "") or ""

    def prepare_store(self) -> None:
        """Make the store's folder, closed to others and hidden from git."""
        folder = self.config.store_folder
        if not os.path.isdir(folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            with os.fdopen(os.open(os.path.join(folder, ".gitignore"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write("*\n")


_process: Process | None = None
_lock = threading.Lock()


def open_process() -> Process | None:
    """This process's own; None where LINEAGEKIT_DISABLED is set or nothing works."""
    global _process
    if _process is None and not is_disabled():
        with border("start"), _lock:
            if _process is None:
                _process = Process(Config.from_environment())
    return None if is_disabled() else _process


def known_process() -> Process | None:
    """This process's own if it was opened before; nothing is opened for asking."""
    return _process


def is_disabled() -> bool:
    """Whether the user wants none of this: by the environment or by `lineagekit.disable()`."""
    return _off


_off = os.environ.get(DISABLED, "") not in ("", "0")


def switch_off() -> None:
    """From here on nothing is recorded in this process."""
    global _off
    _off = True


def tell_children(process: Process) -> None:
    """Put the open runs, and the store, into the environment of children that will be started."""
    ids = [run.id for run in process.opened] or ([process.main.id] if process.main else [])
    if ids:
        os.environ[RUN] = ",".join(ids)
        os.environ["LINEAGEKIT_STORE"] = process.config.store_folder
    else:
        os.environ.pop(RUN, None)


def say_troubles(process: Process, run: str) -> None:
    """Write down what failed on our side, once each."""
    for where, error, count in troubles.take():
        process.say({"fact": "trouble", "run": run, "where": where, "error": error, "count": count})
    journal = process.journal
    for error, count in ((_DROPPED, journal.dropped), (_LOST, journal.lost)):
        if count:
            process.say({"fact": "trouble", "run": run, "where": "journal", "error": error, "count": count})
    journal.dropped = journal.lost = 0


def _read_settings(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, "agent.json"), encoding="utf-8") as file:
            from json import load

            settings = load(file)
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def begin_runs() -> None:
    """Write that the runs of this process exist, because it starts workers: what they do is told of these runs.

    A process that does nothing itself would never say so, nor that they ended.
    """
    if _process is not None and not _off:
        with border("workers"):
            main = [_process.main] if _process.main and not _process.opened else []
            for run in (*_process.opened, *main):
                if not run.began:
                    run.begin()


def _after_fork() -> None:
    """The child is a member of its parent's open runs and owns none; a lock that a thread held is held for ever."""
    global _lock
    _lock = threading.Lock()
    if _process is not None:
        _process.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork, after_in_parent=begin_runs)
