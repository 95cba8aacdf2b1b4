# SPDX-License-Identifier: Apache-2.0
"""Jobs that do things to real files and say so in real journals, fact by fact, as the wire has it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.journal import Journal, boot_id, encode, new_id
from lineagekit.agent.listing import take_listing
from lineagekit.record.plan import Plan, Settled
from lineagekit.record.settle import settle
from lineagekit.store.log import Row, open_store

NO_PROCESS = 2**22 - 1
"""A process id that the kernel gives to nobody."""

Facet = dict[str, Any]


class World:
    """A store and a folder of data."""

    def __init__(self, folder: Path) -> None:
        self.store, self.data, self.cache = folder / "store", folder / "data", folder / "cache"
        self.journals = self.store / "journal"
        self.kept = self.journals / "kept"
        self.kept.mkdir(parents=True)
        self.data.mkdir()

    def job(self, run: str = "", *, journal: Journal | None = None, begins: bool = True, **named: Any) -> Job:
        return Job(journal or Journal(str(self.journals)), self.kept, run, begins=begins, **named)

    def settle(self, *, runs: list[str] | None = None, **plan: Any) -> Settled:
        return settle(str(self.store), runs=runs, plan=replace(Plan(cache_folder=str(self.cache)), **plan))

    def rows(self, run: str = "") -> list[Row]:
        with open_store(self.store) as store:
            return store.run_events(run) if run else store.events(limit=100_000)

    def types(self, run: str) -> list[str]:
        return [row.type for row in self.rows(run)]

    def end(self, run: str) -> dict[str, Any]:
        (row,) = (row for row in self.rows(run) if row.type in ("COMPLETE", "FAIL", "ABORT"))
        return row.event

    def inputs(self, run: str) -> dict[str, Facet]:
        return contents(self.end(run), "input")

    def outputs(self, run: str) -> dict[str, Facet]:
        return contents(self.end(run), "output")

    def names(self) -> set[str]:
        return {path.name for path in self.journals.glob("*.journal")}


class Job:
    """A run, as its process tells of it."""

    def __init__(self, journal: Journal, kept: Path, run: str = "", *, begins: bool = True, **named: Any) -> None:
        self.journal, self.kept, self.run = journal, kept, run or new_id(time.time_ns())
        self.keeps = self.says_was = True
        if begins:
            told = {"job": "train.py", "rank": 1, "namespace": "", "parent": "", "how": "process", "cwd": "/work"}
            self.say("run", **{**told, "entry": "/work/train.py", "argv": ["python", "train.py"], **named})

    def say(self, kind: str, /, **fact: Any) -> None:
        assert self.journal.append({"fact": kind, "run": self.run, **fact})

    def read(self, path: Path, **more: Any) -> bytes:
        self.say("read", path=str(path), evidence=evidence(path), door="open", **more)
        return path.read_bytes()

    def read_folder(self, path: Path, **more: Any) -> None:
        self.say("read", path=str(path), listing=take_listing(str(path)), door="dataset", **more)

    def write(self, path: Path, data: bytes, mode: str = "w") -> Path:
        """Open for writing, write, close. `r+` without data opens and changes nothing."""
        was = evidence(path) if path.exists() else None
        self.keep(path)
        with open(path, {"w": "wb", "a": "ab", "r+": "r+b", "x": "xb"}[mode]) as file:
            self.say("writing", path=str(path), was=was, mode=mode, door="open")
            file.write(data)
        self.say("written", path=str(path), evidence=evidence(path), door="open")
        return path

    def keep(self, path: Path) -> None:
        if self.keeps and path.is_file():
            copy = self.kept / f"{self.run}-{os.getpid()}-{time.time_ns()}"
            copy.write_bytes(path.read_bytes())
            self.say("kept", path=str(path), evidence=evidence(path), copy=copy.name)

    def move(self, old: Path, new: Path) -> None:
        was = evidence(old) if old.is_file() and self.says_was else None
        self.keep(new)
        os.replace(old, new)
        left = {"listing": take_listing(str(new))} if new.is_dir() else {"evidence": evidence(new)}
        self.say("moved", **{"from": str(old), "path": str(new), "was": was, **left})

    def remove(self, path: Path) -> None:
        self.keep(path)
        path.unlink()
        self.say("removed", path=str(path))

    def end(self, state: str = "COMPLETE", error: str = "") -> str:
        self.say("end", state=state, error=error, exit=0 if state == "COMPLETE" else 1)
        return self.run


def evidence(path: Path) -> list[int]:
    return list(Evidence.of(os.stat(path)))


def contents(event: dict[str, Any], role: str) -> dict[str, Facet]:
    """What an event says of the bytes of each dataset, by name."""
    datasets = event[f"{role}s"]
    assert len({one["name"] for one in datasets}) == len(datasets)
    return {one["name"]: one[f"{role}Facets"][f"lineagekit_{role}Content"] for one in datasets}


def in_child(work: Callable[[], Any]) -> None:
    """Do it in a process of its own, which is dead when this returns."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def write_journal(
    folder: Path,
    facts: list[dict[str, Any]],
    *,
    host: str = "",
    boot: str = "",
    pid: int = NO_PROCESS,
    start: str = "1",
) -> Path:
    """The journal of a process that is long dead, or was on another host: whole, in one go."""
    id_ = new_id(time.time_ns())
    owner = {"host": host or os.uname().nodename, "boot": boot or boot_id(), "pid": pid, "start": start}
    header = {"fact": "journal", "version": 1, "id": id_, **owner, "parent": ""}
    at = time.time_ns()
    path = folder / f"{id_}.journal"
    path.write_bytes(b"".join(encode({**fact, "n": n, "at": at + n}) for n, fact in enumerate([header, *facts])))
    return path
