# SPDX-License-Identifier: Apache-2.0
"""An impact in words, never surer than what was recorded: "nobody" is said only where the user vouches for it.

>>> told(Impact("/d/x.csv", "name", (), Coverage()))[0]
'no use recorded of /d/x.csv'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from lineagekit.cli.tables import among, count, listed, plural, table, wrapped
from lineagekit.cli.text import safe, short
from lineagekit.cli.times import ago, moment
from lineagekit.graph.consumers import Consumer
from lineagekit.graph.coverage import Coverage
from lineagekit.graph.impact import Impact

NO_PAGES: Mapping[str, str] = MappingProxyType({})
_DAY = 86_400_000_000
_MOST_ROWS, _MOST_SENDERS = 50, 10
_WEAK = {
    "design": "only designed, never seen to run",
    "whole": "read the whole around it, perhaps not this",
    "parts": "read some part of what that run wrote, perhaps not this",
    "time": "bound by run times only",
    "copy": "bound because the same bytes were elsewhere before",
    "columns": "columns not known",
}


def told(answer: Impact, pages: Mapping[str, str] = NO_PAGES) -> list[str]:
    """The summary, the table, where schedulers show the jobs in it, and how much of it is known how well."""
    if not answer.consumers:
        return [line for text in _nobody(answer) for line in text]
    summary = f"{_effect(answer)}; {'; '.join(_circumstances(answer))}"
    return [*wrapped(summary), *_rows(answer.consumers), *_shown(answer, pages), *_certainty(answer)]


def _subject(answer: Impact) -> str:
    subject = safe(answer.target)
    if answer.by in ("content", "pin") and answer.versions:
        version = safe(answer.versions[0])
        told = f"version {version}" if answer.by == "pin" else version[: version.find(":") + 13]
        subject = f"these bytes of {subject} ({told})"
    elif answer.target.startswith("run "):
        subject = f"what {subject} made"
    if answer.scope.columns:
        subject = (
            f"{'columns' if len(answer.scope.columns) > 1 else 'column'} {among(answer.scope.columns)} of {subject}"
        )
    return subject


def _effect(answer: Impact) -> str:
    """Only what still goes on, and is surely made of it, breaks for sure."""
    sure, doubtful = _parted(answer)
    by_name = answer.by == "name"
    parts = [f"{'breaks' if by_name else 'went into'} {_kinds(sure)}"] if sure else []
    parts += [f"may {'break' if by_name else 'have gone into'} {_kinds(doubtful)}"] if doubtful else []
    if by_name:
        return f"deleting {_subject(answer)} {'; '.join(parts)}"
    return f"{_subject(answer)} {'; '.join(parts)}, in {count(answer.runs, 'run')}"


def _parted(answer: Impact) -> tuple[list[Consumer], list[Consumer]]:
    """Those that are surely made of it, and that still go on where that matters; and the others."""
    parted: tuple[list[Consumer], list[Consumer]] = [], []
    for one in answer.consumers:
        parted[bool(one.weak) or (answer.by == "name" and one.active is False)].append(one)
    return parted


def _kinds(consumers: Iterable[Consumer]) -> str:
    found = list(consumers)
    kinds = Counter(one.kind for one in found)
    versions = sum(len(one.versions) for one in found)
    parts = [count(kinds[kind], kind) for kind in ("model", "table", "file", "job") if kinds[kind]]
    if versions:
        parts[0] += f" ({count(versions, 'version')})"
    return listed(parts)


def _circumstances(answer: Impact) -> Iterator[str]:
    if owners := sorted({owner for one in answer.consumers for owner in one.owners}):
        yield f"{plural('owner', owners)}: {among(owners)}"
    elif answer.owners:
        yield f"its own owner: {among(answer.owners)}"
    direct = [one.last_use for one in answer.consumers if one.depth == 1 and one.last_use]
    last = (answer.by == "name" and answer.last_read) or max(direct, default=None)
    yield f"last read {ago(last)}" if last else "no read recorded"
    yield from _limits(answer)


def _limits(answer: Impact) -> Iterator[str]:
    scope = answer.scope
    if scope.since is not None:
        yield f"since {moment(scope.since)[:16]}"
    if scope.depth is not None:
        yield f"within {count(scope.depth, 'step')}"
    if answer.left_out:
        why = ["not models"] * scope.models + ["not used since then"] * (scope.since is not None)
        yield f"{count(answer.left_out, 'consumer')} left out: {' or '.join(why)}"


def _rows(consumers: tuple[Consumer, ...]) -> Iterator[str]:
    rows = [("kind", "name", "step", "last use", "active", "owner, or job")]
    yield from table(rows + [_row(one) for one in consumers[:_MOST_ROWS]], tails=(1, 5))
    if len(consumers) > _MOST_ROWS:
        yield f"... and {len(consumers) - _MOST_ROWS:,} more: --csv lists all"


def _shown(answer: Impact, pages: Mapping[str, str]) -> Iterator[str]:
    """A link is no use in halves: it has a line of its own, and is not wrapped."""
    for job in dict.fromkeys(one.job for one in answer.consumers[:_MOST_ROWS] if one.job in pages):
        yield f"latest run of {safe(job)}"
        yield f"  page {safe(pages[job])}"


def _row(one: Consumer) -> tuple[str, ...]:
    last = ago(one.last_use) if one.last_use else "designed"
    active = "?" if one.active is None else "yes" if one.active else "no"
    mark = "~" if one.weak else ""
    return one.kind, one.title, f"{mark}{one.depth}", last, active, ", ".join(one.owners) or one.job


def _certainty(answer: Impact) -> Iterator[str]:
    last = ", of the last use of each" if answer.by == "name" else ""
    yield f"coverage: {answer.coverage.summary}{last}"
    weak = Counter(why for one in answer.consumers for why in one.weak)
    for why, number in sorted(weak.items()):
        yield f"weak (~): {number:,} {_WEAK.get(why, why)}"
    if stopped := sum(one.active is False for one in answer.consumers):
        yield f"not active: {stopped:,}, not used for three times their usual interval"
    if answer.unknown_reads:
        yield _unknown(answer)
    newest = answer.newest or 0
    if silent := [one for one in answer.coverage.senders if one.last < newest - 2 * _DAY]:
        yield "silent before the newest event, so what they do now is not known:"
        yield from _senders(answer.coverage, {id(one) for one in silent})


def _nobody(answer: Impact) -> Iterator[list[str]]:
    """Where history begins, who was heard and since when not, and what was not watched at all."""
    subject, coverage = _subject(answer), answer.coverage
    if answer.is_nobody:
        nobody = "no model" if answer.scope.models else "nobody"
        yield wrapped(f"{nobody} uses {subject}: none is recorded, and config.toml says that all uses are")
    else:
        yield wrapped(f"no {'model recorded that uses' if answer.scope.models else 'use recorded of'} {subject}")
    yield from (wrapped(text, indent="  ") for text in (*_own_history(answer), *_limits(answer)))
    if coverage.begins is None:
        yield ["  it is not known who sent what is here, nor since when"]
    else:
        begins = f"history begins {moment(coverage.begins)[:10]}: what was before, or was never sent, is not in it"
        yield wrapped(begins, indent="  ")
        yield ["  heard from:", *_senders(coverage)]
    if not coverage.complete:
        advice = "where all that uses your data is recorded, say so: complete = true in the store's config.toml"
        yield wrapped(advice, indent="  ")


def _own_history(answer: Impact) -> Iterator[str]:
    if answer.by != "name":
        yield "no recorded run read exactly these bytes"
    if answer.unknown_reads:
        yield _unknown(answer)
    if answer.last_read is not None:
        yield f"{'it' if answer.by == 'name' else 'the dataset'} was read last {ago(answer.last_read)}"
    elif answer.last_write is not None:
        yield f"only known as written, last {ago(answer.last_write)}: no recorded run ever read it"
    elif answer.by == "name":
        yield "only known by its name: no recorded run ever read or wrote it"
    if answer.owners:
        yield f"{plural('owner', answer.owners)}: {among(answer.owners)}"


def _unknown(answer: Impact) -> str:
    runs = count(answer.unknown_reads, "run")
    return f"{runs} read it without its bytes being known, and may have read these"


def _senders(coverage: Coverage, only: set[int] | None = None) -> Iterator[str]:
    found = [one for one in coverage.senders if only is None or id(one) in only]
    for one in found[:_MOST_SENDERS]:
        name = short(one.namespace or "no namespace", 24)
        yield f"    {name}: last heard {ago(one.last)} ({count(one.events, 'event')}; {short(one.producer, 28)})"
    if len(found) > _MOST_SENDERS:
        yield f"    and {len(found) - _MOST_SENDERS:,} more"
