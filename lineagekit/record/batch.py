# SPDX-License-Identifier: Apache-2.0
"""A batch of runs: gathered, proven, told, built, and put into the log together with how far their journals are read.

    >>> settle_batch(found, bench)  # doctest: +SKIP

Everything that takes time comes before the one transaction. Killed before it, nothing has happened; killed after it,
the marks say so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import BadDataError
from lineagekit.events.account import Account, RunName, Use
from lineagekit.events.build import FIRST_LATE, build_events, build_late, build_start
from lineagekit.events.naming import run_id
from lineagekit.events.owners import with_owners
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record import reasons
from lineagekit.record.ancestors import ancestors_in_log, root_of
from lineagekit.record.ask import Asked, ask
from lineagekit.record.bench import Bench, name_of, row_of
from lineagekit.record.contents import add_content
from lineagekit.record.foreign import sift
from lineagekit.record.gather import gather
from lineagekit.record.join import join
from lineagekit.record.keep import Proven
from lineagekit.record.marks import Overtaken, marks_over
from lineagekit.record.objects import keep_objects, things_of
from lineagekit.record.pay import owes
from lineagekit.record.prove import Claim, Proof, is_telling
from lineagekit.record.story import Story
from lineagekit.record.survey import Found
from lineagekit.record.tell import tell
from lineagekit.record.uses import Known
from lineagekit.store.log import Entry, entry_of

ORIGIN = "journal"
"""How events come into the log that settling made."""

MOST_RUNS, MOST_BYTES = 256, 32 << 20
"""Of one batch: runs, and bytes of their facts."""


def settle_found(found: Iterable[Found], bench: Bench) -> bool:
    """Settle these runs, batch by batch; whether somebody else was at some of them. Raises StoreError."""
    overtaken = False
    for batch in batches(found):
        try:
            settle_batch(batch, bench)
        except (Overtaken, FileNotFoundError):
            overtaken = True
        except OSError:
            bench.done["failed"] += 1
    return overtaken


def batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Few enough for the memory, and many enough to forget the cost of a transaction."""
    batch: list[Found] = []
    size = 0
    for run in found:
        size += sum(member.runs[run.id].last - member.runs[run.id].first for member in run.members)
        batch.append(run)
        if len(batch) >= MOST_RUNS or size >= MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def settle_batch(found: Sequence[Found], bench: Bench) -> None:
    """Settle these runs, or none of them: raises Overtaken, OSError (a journal cannot be read) or StoreError."""
    stories = gather(found)
    told = {run.id: run for run in found if run.stage != "emitted"}
    accounts = [_finish(one, told[one.run], bench) for one in _tell({id_: stories[id_] for id_ in told}, told, bench)]
    built = {one.run: entries for one in accounts if (entries := _entries(one, told[one.run], bench))}
    for run in found:
        emitted = _emitted(stories[run.id], run, bench)
        if run.stage == "emitted":
            built[run.id] = emitted
        elif run.id in built:
            built[run.id] = join(built[run.id], emitted)
    settled = [run for run in found if run.id in built]
    accounts = [one for one in accounts if one.run in built]
    keep_objects(things_of(accounts), bench.store)
    new = [entry for entries in built.values() for entry in entries]
    is_short = any(use.reason == reasons.OVER_BUDGET for one in accounts for use in (*one.inputs, *one.outputs))
    owing = [entry.key for entry in new if is_short and isinstance(entry.body, Mapping) and owes(entry.body)]
    # Entries are packed before a transaction of their own; only where something is owed that happens within.
    with bench.store.write(durable=True) if owing else nullcontext():
        marks = marks_over(settled, bench.store)
        bench.done["events"] += bench.store.append(new, origin=ORIGIN, marks=marks, durable=True)
        if owing:
            bench.store.owe(bench.here.host, owing)
    for run in settled:
        for member in run.members:
            del member.runs[run.id]
    _count(settled, accounts, [stories[run.id] for run in settled], bench)
    _remove_copies((stories[run.id] for run in settled), bench.kept)


def start(found: Sequence[Found], bench: Bench) -> None:
    """Put the START of runs that go on into the log, with what they touched so far and nothing hashed."""
    stories = gather(found)
    entries = []
    for run in found:
        story = stories[run.id]
        asked = ask(story, kept=bench.kept)
        not_yet = dict.fromkeys(asked.claims(), Proof(None, reasons.NOT_YET))
        folders = dict.fromkeys(asked.folders(), reasons.NOT_YET)
        known = Known(not_yet, {}, folders, frozenset(), bench.links, *_namers(bench))
        account = tell(story, asked, known, host=run.members[0].owner.host)
        entries.append(entry_of(build_start(replace(account, ended=None))))
    new = bench.store.append(entries, origin=ORIGIN)
    bench.done["started"] += new
    bench.done["events"] += new


def _tell(stories: Mapping[str, Story], found: Mapping[str, Found], bench: Bench) -> Iterator[Account]:
    """All bytes first, for these can be lost; then what is in them."""
    asked = {id_: ask(story, kept=bench.kept) for id_, story in stories.items()}
    proofs = bench.prover.prove(claim for one in asked.values() for claim in one.claims())
    folders = {}
    for folder in (folder for one in asked.values() for folder in one.folders()):
        if folder not in folders:
            folders[folder] = bench.prover.prove_folder(*folder)
    if bench.keeper is not None:
        bench.prover.grant(bench.keeper.keep(stories.values(), list(asked.values()), Proven(proofs, folders)))
    known = Known(
        proofs,
        _snapshots(proofs, asked.values(), bench),
        folders,
        find_contested(asked, is_telling),
        bench.links,
        *_namers(bench),
    )
    for id_, story in stories.items():
        owners = [member.owner for member in found[id_].members]
        yield tell(
            story,
            asked[id_],
            known,
            host=owners[0].host,
            elsewhere=any(owner.boot != bench.here.boot for owner in owners),
            killed=found[id_].stage == "killed",
        )


def _namers(bench: Bench) -> tuple[Callable[[str], RunName], Callable[[str], RunName | None]]:
    return partial(name_of, bench=bench), partial(root_of, bench=bench)


def _snapshots(proofs: Mapping[Claim, Proof], asked: Iterable[Asked], bench: Bench) -> dict[Claim, Snapshot]:
    snapshots = {
        claim: Snapshot(claim.place, "file", (proof.digest,), bytes=claim.evidence.size)
        for claim, proof in proofs.items()
        if proof.digest is not None
    }
    if bench.content:
        for claim, name in {claim: name for one in asked for claim, name in one.tables()}.items():
            if claim in snapshots:
                snapshots[claim] = add_content(snapshots[claim], claim, name, bench.options, bench.prover)
    return snapshots


def find_contested(
    asked: Mapping[str, Asked], is_telling: Callable[[Evidence, int], bool]
) -> frozenset[tuple[str, Claim]]:
    """Outputs, by run, that a later run left with the same evidence, where a write within a tick leaves no trace."""
    last: dict[Claim, tuple[int, str]] = {}
    contested = set()
    for run, one in asked.items():
        for output in one.outputs:
            claim, at = output.claim, output.touch.at
            if claim is None:
                continue
            earlier = last.get(claim)
            if earlier is not None and earlier[1] != run:
                first = min(earlier, (at, run))
                if not is_telling(claim.evidence, first[0]):
                    contested.add((first[1], claim))
            last[claim] = max(earlier or (at, run), (at, run))
    return frozenset(contested)


def _finish(account: Account, found: Found, bench: Bench) -> Account:
    """With its code completed; a late account is of a run that the log knows better."""
    account = with_owners(account, bench.owners)
    if account.code is not None:
        account = replace(account, code=bench.programs.complete(account.code))
    row = row_of(account.run, bench.store) if found.stage == "late" else None
    if row is None:
        return account
    ended = max((row.ended or 0) * 1000, account.ended or 0)
    account = replace(account, job=row.job, namespace=row.namespace, began=row.began * 1000, ended=ended)
    if account.parent is not None:
        return account
    # Of a run whose events do not all name its parent, Marquez makes two jobs.
    parent, root = ancestors_in_log(account.run, bench)
    return replace(account, parent=parent, root=root)


def _entries(account: Account, found: Found, bench: Bench) -> list[Entry]:
    """The events of a run; none where they cannot be built, and then it stays in its journals, and is counted."""
    try:
        if found.stage != "late":
            return [entry_of(event) for event in build_events(account)]
        earlier = bench.store.run_events(run_id(account.run))
        return [entry_of(build_late(account, FIRST_LATE + sum(row.type == "OTHER" for row in earlier)))]
    except BadDataError:
        bench.done["failed"] += 1
        return []


def _emitted(story: Story, run: Found, bench: Bench) -> list[Entry]:
    """Events that processes made themselves, of this run or of many."""
    return sift(story.emitted, bench.folder, name=run.members[0].owner.id, done=bench.done) if story.emitted else []


def _count(found: Iterable[Found], accounts: Sequence[Account], stories: Iterable[Story], bench: Bench) -> None:
    bench.done.update(run.stage for run in found if run.stage != "emitted")
    uses: list[Use] = [use for account in accounts for use in (*account.inputs, *account.outputs)]
    bench.done["exact"] += sum(use.state == "exact" for use in uses)
    bench.unknown.update(use.reason for use in uses if use.state == "unknown")
    bench.done["odd"] += sum(story.odd for story in stories)
    if bench.accounts is not None:
        bench.accounts.extend(accounts)


def _remove_copies(stories: Iterable[Story], kept: str) -> None:
    for copy in (copy for story in stories for copy in story.paths.copies):
        with suppress(OSError):
            os.unlink(os.path.join(kept, copy))
