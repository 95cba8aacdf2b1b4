# SPDX-License-Identifier: Apache-2.0
"""Events of others: files of OpenLineage lines in the folder of journals, and events that a process sent by itself.

    >>> drain(folder, store, prover, now=time.time_ns(), done=Counter())  # doctest: +SKIP

They go into the log as they are. A line that is no OpenLineage is put into the folder `refused`, never lost. When the
runs of a file have ended and nothing was written for a while, the file is renamed, so that who opens it by name makes a
new one; what was still on its way into it is read, and only then is it deleted.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from blake3 import blake3

from lineagekit.errors import BadDataError, StoreError
from lineagekit.events.lenient import mapping
from lineagekit.record.objects import keep_objects
from lineagekit.record.prove import Prover
from lineagekit.record.spark_bytes import MARK, ODD, Binder
from lineagekit.store.admit import admit, parse
from lineagekit.store.log import Entry, Mark, Store

SUFFIX = ".jsonl"
REFUSED = "refused"

IDLE = 10 * 60 * 10**9
"""Nanoseconds of silence after which a file whose runs have all ended is done with."""

FORSAKEN = 7 * 24 * 3600 * 10**9
"""The same for a file with runs whose end was never heard of."""

_DONE = ".done"
_PIECE = 4 << 20
_BATCH = 500


def find_foreign(folder: str) -> list[str]:
    """Paths of files of events, oldest name first."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except FileNotFoundError:
        return []
    wanted = (name for name in names if name.endswith(SUFFIX) or (name.endswith(_DONE) and SUFFIX in name))
    return [os.path.join(folder, name) for name in sorted(wanted)]


def drain(folder: str, store: Store, prover: Prover, *, now: int, done: Counter[str]) -> None:
    """Bring what is new in each file into the log, and remove those that are done with. Raises StoreError.

    Of Spark's events the bytes are added that they are about, as far as these can be proven still.
    """
    binder = Binder(prover, store)
    for path in find_foreign(folder):
        try:
            _drain_file(path, store, binder, now, done)
        except OSError:
            done["failed"] += 1


def sift(events: Iterable[object], folder: str, *, name: str, done: Counter[str]) -> list[Entry]:
    """Entries of those that are OpenLineage, as values or as bytes; the others are put aside."""
    entries, refused = [], []
    for event in events:
        try:
            entries.append(admit(*parse(event)) if isinstance(event, bytes) else admit(event))
        except BadDataError:
            refused.append(event if isinstance(event, bytes) else json.dumps(event).encode())
    if refused:
        _put_aside(b"\n".join(refused) + b"\n", os.path.join(folder, REFUSED), name)
    done["emitted"] += len(entries) + len(refused)
    done["refused"] += len(refused)
    return entries


def _drain_file(path: str, store: Store, binder: Binder, now: int, done: Counter[str]) -> None:
    name = os.path.basename(path)
    found = os.stat(path)
    is_over = path.endswith(_DONE) and now - found.st_ctime_ns > IDLE
    mark = _mark_of(path, name, whole=is_over)
    if mark:
        offset = store.mark(mark)
        for lines, end in _read_lines(path, offset if offset <= found.st_size else 0, found.st_size, is_over):
            for line in lines:
                _note(line, binder, done)
            told = [_bound(line, binder, done) for line in lines]
            keep_objects(binder.manifests, store)
            binder.manifests.clear()
            entries = sift(told, os.path.dirname(path), name=name, done=done)
            done["events"] += store.append(entries, origin=f"file:{name}", marks=[Mark(mark, end)], durable=True)
    if is_over:
        os.unlink(path)
    elif not path.endswith(_DONE) and _is_done(path, found, now, store):
        os.rename(path, f"{path}.{found.st_ino}-{now}{_DONE}")


def _note(line: bytes, binder: Binder, done: Counter[str]) -> None:
    try:
        binder.note(line)
    except ODD:
        done["odd"] += 1


def _bound(line: bytes, binder: Binder, done: Counter[str]) -> object:
    """The line as it is, or the event with what was learned of its data.

    Whatever is odd in it or in its tables, it goes into the log: else settling would stop here for good.
    """
    if MARK not in line:
        return line
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # the log will refuse it
        return line
    try:
        told = binder.bind(event)
    except StoreError:
        raise
    except ODD:
        done["odd"] += 1
        return line
    return line if told is event else told


def _mark_of(path: str, name: str, *, whole: bool) -> str:
    """The name of a file's mark: its first line is part of it, because names are used again. '' while it has none."""
    with open(path, "rb") as file:
        first = file.readline()
    if not first or not (whole or first.endswith(b"\n")):
        return ""
    return f"file/{name.partition(SUFFIX)[0]}{SUFFIX}/{blake3(first).hexdigest()[:32]}"


def _read_lines(path: str, start: int, end: int, whole: bool) -> Iterator[tuple[list[bytes], int]]:
    """Lines in batches, each with the offset behind; a last line without its newline only if it is `whole`."""
    batch: list[bytes] = []
    at = start
    with open(path, "rb", buffering=_PIECE) as file:
        file.seek(start)
        for line in file:
            if at + len(line) > end or not (whole or line.endswith(b"\n")):
                break
            at += len(line)
            if line.strip():
                batch.append(line.strip())
            if len(batch) >= _BATCH:
                yield batch, at
                batch = []
    if batch:
        yield batch, at


def _is_done(path: str, found: os.stat_result, now: int, store: Store) -> bool:
    silence = now - found.st_mtime_ns
    return silence > FORSAKEN or (silence > IDLE and all(map(store.settled, _runs_in(path))))


def _runs_in(path: str) -> set[str]:
    runs: set[str] = set()
    with open(path, "rb") as file:
        for line in file:
            with suppress(BadDataError):
                run = mapping(mapping(parse(line)[0]).get("run")).get("runId")
                runs.update([run] if isinstance(run, str) else ())
    return runs


def _put_aside(lines: bytes, folder: str, name: str) -> None:
    """Whole or not at all; the same lines a second time make no second file."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, f"{name}-{blake3(lines).hexdigest()[:16]}{SUFFIX}")
    scratch = f"{path}.{os.getpid()}.tmp"
    with open(scratch, "wb") as file:
        file.write(lines)
    os.replace(scratch, path)
