# SPDX-License-Identifier: Apache-2.0
"""Sessions of bisect: a folder in the store with what is tried and what came of it, a line a probe, never paid twice.

>>> session = Session.open(store_folder, good="run 7", bad="run 8", recipe="python train.py")  # doctest: +SKIP
>>> session.told()  # doctest: +SKIP
{frozenset(): 'good', frozenset({'1', 'window'}): 'bad'}
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineagekit.cause.outcome import Outcome, Verdict
from lineagekit.errors import StoreError, UsageError

FOLDER = "bisect"
_HEAD, _LINES, _FOUND = "session.json", "probes.jsonl", "found.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What makes two sessions one."""

    model: str
    good: str
    bad: str
    """Runs."""
    command: tuple[str, ...]
    judged_by: str
    atoms: tuple[str, ...]
    """Their signatures: other ones are another question."""

    @property
    def key(self) -> str:
        """The folder's name."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.model.replace(os.sep, '_')[:40]}-{sha256(text.encode()).hexdigest()[:12]}"


class Session:
    """One of them, which goes on where it was left."""

    def __init__(self, folder: Path) -> None:
        """That lies here."""
        self.folder = folder

    @classmethod
    def open(cls, store: str, asked: Asked) -> Session:
        """The one in which this was asked, or a new one."""
        folder = Path(store, FOLDER, asked.key)
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            head = folder / _HEAD
            if not head.exists():
                write_json(head, asdict(asked))
        return cls(folder)

    def add(self, chosen: frozenset[str], outcome: Outcome) -> None:
        """Remember a probe, for good."""
        line = {"chosen": sorted(chosen), **asdict(outcome), "read": sorted(outcome.read)}
        with _told(self.folder), (self.folder / _LINES).open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = b"" if file.read(1) in (b"", b"\n") else b"\n"
            file.write(torn + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def outcomes(self) -> Iterator[tuple[frozenset[str], Outcome]]:
        """All so far, oldest first; half a line of one that was killed while it wrote is none."""
        path = self.folder / _LINES
        for line in path.read_bytes().split(b"\n") if path.exists() else ():
            try:
                told = json.loads(line)
                chosen, read = frozenset(told.pop("chosen")), frozenset(told.pop("read"))
                yield chosen, Outcome(**told, read=read)
            except (ValueError, KeyError, TypeError):
                continue

    def told(self) -> Mapping[frozenset[str], Verdict]:
        """The verdict of each."""
        return {chosen: outcome.verdict for chosen, outcome in self.outcomes()}

    def log(self, number: int) -> Path:
        """Where the output of a probe goes."""
        return self.folder / f"probe-{number}.log"

    def conclude(self, found: Mapping[str, Any]) -> None:
        """Keep the answer."""
        write_json(self.folder / _FOUND, found)

    @property
    def found(self) -> Mapping[str, Any] | None:
        """The answer, if there is one."""
        return _read(self.folder / _FOUND)

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked."""
        return _read(self.folder / _HEAD) or {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time rebuilds; raises UsageError for the others."""
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError("this bisect is running already", advice="Wait for it, or end it.") from None
            yield

    def empty(self) -> None:
        """Forget what came of it."""
        for name in (_LINES, _FOUND):
            (self.folder / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def sessions(store: str) -> list[Session]:
    """All of a store, the newest first."""
    folder = Path(store, FOLDER)
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / _HEAD).exists()]
    return [Session(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]


def confirmed(store: str, good: str, bad: str) -> dict[str, str]:
    """What rebuilds have shown of two builds: how it was shown, by what a change says."""
    shown: dict[str, str] = {}
    for session in sessions(store):
        found = session.found
        if found and (session.asked.get("good"), session.asked.get("bad")) == (good, bad):
            for cause in found.get("causes", ()):
                for sentence in cause:
                    shown.setdefault(sentence, str(found.get("how", "")))
    return shown


def regraded(store: str, good: str, bad: str, metric: str) -> str:
    """What grading both models on both exams by this metric has shown; "" if nobody did that."""
    for session in sessions(store):
        found = session.found
        is_of_it = found is not None and found.get("regraded") and found.get("metric") == metric
        if found and is_of_it and (session.asked.get("good"), session.asked.get("bad")) == (good, bad):
            return str(found["regraded"])
    return ""


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"what was tried cannot be remembered in {folder}: {error.strerror}"
        raise StoreError(message, advice="Free space, or allow to write there; then run it again.") from error


def write_json(path: Path, told: Mapping[str, Any]) -> None:
    """All of it or nothing."""
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(told, indent=1))
    os.replace(scratch, path)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
