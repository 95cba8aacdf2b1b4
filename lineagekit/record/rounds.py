# SPDX-License-Identifier: Apache-2.0
"""One pass over the folder of journals: what is there, what can go, and whether something came meanwhile.

>>> round_ = look(bench, now=time.time_ns())  # doctest: +SKIP
>>> round_.surveys, round_.foreign  # doctest: +SKIP
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from lineagekit.record.bench import Bench
from lineagekit.record.journals import Here, find_journals, judge, read_head, read_on, remove_journal
from lineagekit.record.survey import Survey, survey

_REMEMBERED = 16 << 20
"""Bytes of facts that need not be read a second time: a hundred megabytes of memory."""
_LEFTOVER = 3600 * 10**9
_HEADER_LATE = 60 * 10**9


class Seen(NamedTuple):
    """A journal when it was looked at."""

    size: int
    is_alive: bool = False
    has_runs: bool = False


@dataclass(slots=True)
class Round:
    """What one pass found."""

    surveys: list[Survey] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    foreign: int = 0
    headless: int = 0
    remembered: int = 0


def look(bench: Bench, *, now: int) -> Round:
    """Survey all journals of this host."""
    round_ = Round()
    for path in find_journals(bench.folder):
        try:
            _look_at(path, round_, bench, now)
        except FileNotFoundError:
            continue  # somebody has removed it
        except OSError:
            bench.done["failed"] += 1
            round_.seen.setdefault(path, Seen(0))
    return round_


def remove(round_: Round, bench: Bench) -> None:
    """Delete journals with nothing left in them, whose owner is dead."""
    for one in round_.surveys:
        done = not one.runs and one.standing == "dead"
        if done and remove_journal(one.path, settled=one.end):
            bench.done["removed"] += 1
            del round_.seen[one.path]
        else:
            round_.seen[one.path] = Seen(one.end, one.standing == "alive", bool(one.runs))


def sweep(round_: Round, kept: str) -> None:
    """Delete copies that nobody speaks of any more: who settled their run was killed before it could do so."""
    if round_.foreign or round_.headless:
        return  # whose copies cannot be told
    runs = {run for one in round_.surveys for run in one.runs}
    with suppress(FileNotFoundError), os.scandir(kept) as entries:
        for entry in entries:
            if entry.name[:36] not in runs and time.time_ns() - entry.stat().st_mtime_ns > _LEFTOVER:
                os.unlink(entry.path)


def has_more(round_: Round, folder: str, here: Here) -> bool:
    """Whether something may be settled now that could not when we looked: an end was written, a process has died."""
    for path in find_journals(folder):
        with suppress(OSError):
            if _is_news(path, round_.seen.get(path, Seen(0, is_alive=True)), here):
                return True
    return False


def _look_at(path: str, round_: Round, bench: Bench, now: int) -> None:
    head = read_head(path)
    owner = head.owner
    if owner is None:
        round_.headless += head.size > 0 or now - head.written > _HEADER_LATE
        round_.seen[path] = Seen(head.size)
        return
    standing = judge(owner, bench.here, head.written)
    if standing == "foreign":
        round_.foreign += 1
        round_.seen[path] = Seen(head.size)
        return
    if standing == "dead" and os.stat(path).st_size != head.size:  # it has written its last since
        head = read_head(path)
    start = bench.store.mark(owner.id)
    one = survey(head, owner, standing, start=start, taken=bench.store.mark, names=bench.names)
    round_.remembered += head.size
    if round_.remembered > _REMEMBERED:
        for mention in one.runs.values():
            mention.facts = None
    round_.surveys.append(one)
    round_.seen[path] = Seen(one.end, standing == "alive", bool(one.runs))


def _is_news(path: str, seen: Seen, here: Here) -> bool:
    grown = os.stat(path).st_size > seen.size
    if not (grown or (seen.is_alive and seen.has_runs)):
        return False
    head = read_head(path)
    standing = judge(head.owner, here, head.written) if head.owner else "foreign"
    if standing == "dead" and seen.is_alive:
        return seen.has_runs or grown
    if standing == "foreign" or not grown:
        return False
    return any(fact.get("fact") in ("end", "event") for _, _, fact in read_on(head, seen.size))
