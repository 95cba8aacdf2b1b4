# SPDX-License-Identifier: Apache-2.0
"""Align two builds by job, role and part, walk them in lockstep, and stop wherever the bytes are equal.

What comes out are root changes: differences that nothing further up explains. Equal, different and unknown are three
things: a name or a run id neither accuses nor clears.

    >>> found = align(views, good, bad)  # doctest: +SKIP
    >>> [change.sentence for change in found.changes]  # doctest: +SKIP
    ['/data/labels.csv has other bytes: blake3:9f3c0712ab -> blake3:b17e55aa01']
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lineagekit.cause.change import Change, Kind
from lineagekit.cause.holes import Holes
from lineagekit.cause.moved import followed, moved_inputs
from lineagekit.cause.pairing import is_equal, matched, regrouped, template_of
from lineagekit.cause.parts import Parts, compare_parts, parts_in, parts_of
from lineagekit.cause.roots import changed, schema_change, source_change, unexplained
from lineagekit.cause.settings import setting_changes
from lineagekit.cause.views import Use, Views
from lineagekit.store.found import Read, title_of

MOST_PAIRS = 5000


@dataclass(frozen=True, slots=True)
class Equal:
    """An input that two runs read alike."""

    use: Use
    good_run: int
    bad_run: int
    path: tuple[str, ...]


@dataclass(slots=True)
class Alignment:
    """What differs between two builds, and how much of it could be seen."""

    changes: list[Change] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    """Inputs whose bytes are not known on both sides, and why."""
    pairs: int = 0
    """Runs that were compared."""
    pruned: int = 0
    """Inputs that were equal, so that nothing above them can be to blame."""
    equal: list[Equal] = field(default_factory=list)
    """Those, for one whose habit it is to change is stale."""
    compared: int = 0
    """Inputs that were compared at all."""
    moved: dict[str, str] = field(default_factory=dict)
    """What inputs were called that have another name now, by what they are called."""
    stopped: bool = False
    """There was more than could be looked at."""


@dataclass(frozen=True, slots=True)
class _Pair:
    good: int
    bad: int
    path: tuple[str, ...]
    read: tuple[Use, Use] | None = None
    """What a consumer read of theirs: other bytes, for which there has to be a reason."""


def align(views: Views, good: int, bad: int) -> Alignment:
    """Walk up from a good and a bad run of one job."""
    return _Walk(views).run(good, bad)


class _Walk:
    def __init__(self, views: Views) -> None:
        self.views, self.found, self._holes = views, Alignment(), Holes(views)
        self._queue: deque[_Pair] = deque()
        self._seen: set[tuple[int, int]] = set()

    def run(self, good: int, bad: int) -> Alignment:
        self._push(good, bad, ())
        while self._queue:
            if self.found.pairs >= MOST_PAIRS:
                self.found.stopped = True
                break
            self._compare(self._queue.popleft())
        self.found.changes = [self._told(one) for one in _merged(self.found.changes)]
        return self.found

    def _told(self, change: Change) -> Change:
        """With where it was, if it lies elsewhere now."""
        was = self.found.moved.get(change.where)
        return replace(change, details=(*change.details, f"it was {was}")) if was else change

    def _push(self, good: int, bad: int, path: tuple[str, ...], read: tuple[Use, Use] | None = None) -> None:
        if good != bad and (good, bad) not in self._seen:
            self._seen.add((good, bad))
            self._queue.append(_Pair(good, bad, path, read))

    def _compare(self, pair: _Pair) -> None:
        good, bad = self.views.of(pair.good), self.views.of(pair.bad)
        path = (*pair.path, bad.job)
        self.found.pairs += 1
        before = len(self.found.changes), len(self.found.unknown), len(self._seen)
        self._add(setting_changes(good, bad), path)
        left, right = dict(good.inputs), dict(bad.inputs)
        for where, parts in regrouped(self.views, left, right):
            self._add_parts(where, parts, path, (good.run.run, bad.run.run))
        roles = moved_inputs(left, right, self._holes.beside(good, bad))
        left = followed(left, roles)
        self.found.moved |= {title_of(*new): title_of(*old) for old, new in roles.items()}
        self.found.unknown |= self._holes.mend(good, bad, left, right)
        for olds, news in matched(left, right):
            self._compare_role(pair, olds, news, path)
        if before == (len(self.found.changes), len(self.found.unknown), len(self._seen)):
            self.found.unknown |= self._holes.of_both(good, bad)
        if before == (len(self.found.changes), len(self.found.unknown), len(self._seen)):
            self._add(unexplained(good, bad, pair.read), path)

    def _compare_role(self, pair: _Pair, olds: list[Use], news: list[Use], path: tuple[str, ...]) -> None:
        """Inputs that are for the same: one on each side, or as many as a window has days."""
        runs = self.views.of(pair.good).run.run, self.views.of(pair.bad).run.run
        if len(olds) == len(news) == 1 and olds[0].name == news[0].name:
            self._compare_uses(pair, olds[0], news[0], path)
        elif olds and news:
            self.found.compared += len(news)
            where = template_of(news[0])
            parts = parts_in(olds), parts_in(news)
            self._add_schema(where, parts, (olds, news), path, runs)
            self._add_parts(where, parts, path, runs)
        else:
            for use in olds or news:
                kind: Kind = "input added" if news else "input removed"
                self._add([Change(kind, use.title, dataset=use.dataset, at=use.touch.at or None)], path, runs)

    def _compare_uses(self, pair: _Pair, old: Use, new: Use, path: tuple[str, ...]) -> None:
        runs = self.views.of(pair.good).run.run, self.views.of(pair.bad).run.run
        self.found.compared += 1
        if is_equal(old, new):
            self.found.pruned += 1
            self.found.equal.append(Equal(new, pair.good, pair.bad, path))
        elif new.touch.pieces and old.touch.pieces:
            parts = parts_of(self.views, old), parts_of(self.views, new)
            self._add_schema(new.title, parts, ([old], [new]), path, runs)
            self._add_parts(new.title, parts, path, runs)
        else:
            self._climb(pair, old, new, path)

    def _add_schema(
        self,
        where: str,
        parts: tuple[Parts, Parts],
        uses: tuple[list[Use], list[Use]],
        path: tuple[str, ...],
        runs: tuple[str, str],
    ) -> None:
        """Of a feed that nobody known writes: who does has code to explain it."""
        if not any(part.writer for part in parts[1].values()):
            self._add(filter(None, [schema_change(where, *uses)]), path, runs)

    def _add_parts(self, where: str, parts: tuple[Parts, Parts], path: tuple[str, ...], runs: tuple[str, str]) -> None:
        changes, pairs = compare_parts(where, *parts)
        self._add(changes, path, runs)
        for good, bad in pairs:
            if self._is_same_job(good, bad):
                self._push(good, bad, path)
            else:
                jobs = self.views.of(good).job, self.views.of(bad).job
                self._add([Change("writer", where, before=jobs[0], after=jobs[1])], path, runs)
        self.found.unknown.update(
            {f"{where} {part.key}": "no digest was taken of it" for part in parts[1].values() if not part.digest}
        )

    def _climb(self, pair: _Pair, old: Use, new: Use, path: tuple[str, ...]) -> None:
        """The bytes differ, or may: go up to who wrote them."""
        runs = self.views.of(pair.good).run.run, self.views.of(pair.bad).run.run
        is_known = bool(old.touch.identity[1] and new.touch.identity[1])
        if not is_known:
            side = new if not new.touch.identity[1] else old
            self.found.unknown.setdefault(new.title, str(side.content.get("reason") or "its producer takes no digests"))
        writers = _writers(old), _writers(new)
        if not writers[0] or not writers[1]:
            if is_known:
                self._add([source_change(self.views, old, new, writers)], path, runs)
            return
        climbed = False
        for before in writers[0]:
            for after in writers[1]:
                if self._is_same_job(before.src, after.src):
                    climbed = True
                    self._push_bounded(pair, before.src, after.src, path, (old, new) if is_known else None)
        if not climbed and is_known:
            jobs = self.views.of(writers[0][0].src).job, self.views.of(writers[1][0].src).job
            self._add([replace(changed("writer", old, new), before=jobs[0], after=jobs[1])], path, runs)

    def _push_bounded(
        self, pair: _Pair, good: int, bad: int, path: tuple[str, ...], read: tuple[Use, Use] | None
    ) -> None:
        """A job that reads its own last output is followed no further than to the good run."""
        if self._is_same_job(good, pair.good):
            if bad == pair.good or self.views.of(bad).run.began <= self.views.of(pair.good).run.began:
                return
            good = pair.good
        self._push(good, bad, path, read)

    def _is_same_job(self, one: int, other: int) -> bool:
        a, b = self.views.of(one).run, self.views.of(other).run
        return (a.namespace, a.job) == (b.namespace, b.job)

    def _add(
        self, changes: Iterator[Change] | list[Change], path: tuple[str, ...], runs: tuple[str, str] = ("", "")
    ) -> None:
        for change in changes:
            good, bad = change.good_run or runs[0], change.run or runs[1]
            self.found.changes.append(replace(change, path=path, good_run=good, run=bad))


def _writers(use: Use) -> list[Read]:
    return [read for read in use.writers if read.src]


def _merged(changes: list[Change]) -> list[Change]:
    """One of each; the one that is nearest to the model says where."""
    first: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        first.setdefault(change.id, change)
    return list(first.values())
