# SPDX-License-Identifier: Apache-2.0
"""Settling: what jobs wrote down becomes events in the log, their data named by its bytes, outside the jobs.

    >>> settled = settle("/data/.lineagekit")  # doctest: +SKIP
    >>> settled.runs, settled.unknown  # doctest: +SKIP
    (3, {'overwritten': 1})

By run, not by file: a run is settled when its end is recorded and its processes have ended or fallen silent; one whose
processes are all dead without an end was killed, and is closed as that. Many may settle at once, and any of them may be
killed at any point: nothing is lost and nothing doubled. Only journals of this host are touched.

The sequence: survey the journals, settle what can be settled in batches, remove what is done with, let go of the lock,
and look once more: whoever found it taken has left their work to us.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field

from lineagekit.collector import seldom_collecting
from lineagekit.errors import NotFoundError
from lineagekit.events.naming import run_id
from lineagekit.record.batch import batches, settle_found, start
from lineagekit.record.bench import JOURNALS, Bench, row_of, set_up
from lineagekit.record.foreign import drain, find_foreign
from lineagekit.record.journals import Here, find_journals
from lineagekit.record.lock import hold
from lineagekit.record.pay import pay
from lineagekit.record.plan import Plan, Settled
from lineagekit.record.rounds import Round, has_more, look, remove, sweep
from lineagekit.record.survey import Found, judge_runs
from lineagekit.store.log import open_store

STARTED = 30 * 10**9
"""Nanoseconds after which the START of a run that goes on is sent alone, where that is wanted."""


def settle(store_folder: str, *, runs: Collection[str] | None = None, plan: Plan | None = None) -> Settled:
    """Settle all that can be, or only these runs and what they started.

    Raises StoreError; what of a job went wrong is in the answer.

    With `runs`, for somebody who waits, no lock is taken: whoever has it may be at work for hours, at lowest priority.
    """
    plan = plan or Plan()
    folder = os.path.join(store_folder, JOURNALS)
    if plan.niced:
        os.nice(19)
    if not (find_journals(folder) or find_foreign(folder) or (plan.pays and runs is None and _is_owed(store_folder))):
        return Settled()
    with ExitStack() as stack:
        stack.enter_context(seldom_collecting())
        bench, last = None, _Pass()
        while True:
            with hold(store_folder, wait=plan.wait) if runs is None else nullcontext(True) as held:
                if not held:
                    return _answer(bench, last) if bench else Settled(busy=True)
                bench = bench or set_up(store_folder, plan, stack, tells=runs is not None)
                last = _work(bench, runs, plan)
            if not (last.overtaken or (runs is None and has_more(last.round, folder, bench.here))):
                return _answer(bench, last)


@dataclass(slots=True)
class _Pass:
    """What one pass found and left."""

    round: Round = field(default_factory=Round)
    waiting: list[Found] = field(default_factory=list)
    overtaken: bool = False
    """Somebody else was at the same runs: look again at what is left."""


def _work(bench: Bench, runs: Collection[str] | None, plan: Plan) -> _Pass:
    """One pass: survey, settle, remove."""
    done = _Pass(look(bench, now=plan.now()))
    settled = bench.store.settled_of({run_id(run) for one in done.round.surveys for run in one.runs})
    found = judge_runs(
        done.round.surveys,
        now=plan.now(),
        age=int(plan.silent * 1e9),
        is_settled=lambda run: run_id(run) in settled,
    )
    wanted = found if runs is None else [run for run in found if bench.names.is_below(run.id, runs)]
    done.waiting = [run for run in wanted if run.stage == "open"]
    ready = [run for run in wanted if run.stage != "open"]
    done.overtaken = settle_found(ready, bench)
    remove(done.round, bench)
    if runs is None:
        drain(bench.folder, bench.store, bench.prover, now=plan.now(), done=bench.done)
        sweep(done.round, bench.kept)
        if plan.pays:
            pay(bench)
    if plan.live:
        _start(done.waiting, bench, plan.now())
    return done


def _is_owed(store_folder: str) -> bool:
    with suppress(NotFoundError), open_store(store_folder, make=False) as store:
        return bool(store.debts(Here.now().host))
    return False


def _start(waiting: Iterable[Found], bench: Bench, now: int) -> None:
    """Once for each run: what it did since is told at its end."""
    old = []
    for run in waiting:
        times = (member.runs[run.id].began for member in run.members)
        began = min((at for at in times if at), default=now)
        if now - began > STARTED and row_of(run.id, bench.store) is None:
            old.append(run)
    for batch in batches(old):
        start(batch, bench)


def _answer(bench: Bench, last: _Pass) -> Settled:
    done = bench.done
    return Settled(
        runs=done["ended"] + done["killed"],
        killed=done["killed"],
        late=done["late"],
        started=done["started"],
        events=done["events"],
        emitted=done["emitted"],
        refused=done["refused"],
        exact=done["exact"],
        unknown=dict(bench.unknown),
        refined=done["refined"],
        removed=done["removed"],
        journals=len(last.round.seen),
        foreign=last.round.foreign,
        headless=last.round.headless,
        odd=done["odd"],
        failed=done["failed"],
        waiting=tuple(run.id for run in last.waiting),
        accounts=tuple(bench.accounts or ()),
    )
