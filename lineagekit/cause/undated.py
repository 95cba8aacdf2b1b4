# SPDX-License-Identifier: Apache-2.0
"""Facts of parts without a date in their keys: each is one thing that is written again, or not.

>>> [fact.sentence for fact in undated_facts(history, recent)]  # doctest: +SKIP
['rates.csv has not changed for 9 days; before, never for more than 1 day']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from lineagekit.cause.fact import DAY, Fact, Observation, days

_SELDOM = 0.1
_FEWEST_STEPS = 7


def undated_facts(history: Sequence[Observation], recent: Sequence[Observation]) -> Iterator[Fact]:
    """Facts of the last recent build against the last of the history; `recent` has all builds in between."""
    good, bad = history[-1].parts, recent[-1].parts
    come_and_go = any(before.parts.keys() - after.parts.keys() for before, after in pairwise(history))
    for key in sorted(good.keys() | bad.keys()):
        if key not in good:
            yield Fact("entered", key, None, False, f"{key} is new")
        elif key not in bad:
            kind = ("expired", "is no longer read") if come_and_go else ("missing", "was never missing before")
            yield Fact(kind[0], key, None, not come_and_go, f"{key} {kind[1]}")  # type: ignore[arg-type]
        elif good[key] and bad[key] and good[key] != bad[key]:
            yield _rewritten(key, history)
        else:
            yield from _unchanged(key, [*history, *recent])


def _rewritten(key: str, history: Sequence[Observation]) -> Fact:
    pairs = [(before.parts[key], after.parts[key]) for before, after in pairwise(history) if _has(key, before, after)]
    changed = sum(before != after for before, after in pairs)
    is_unusual = len(pairs) >= _FEWEST_STEPS and changed < _SELDOM * len(pairs)
    often = f"{changed} times" if changed > 1 else ("once" if changed else "never")
    return Fact("restated", key, None, is_unusual, f"{key} was rewritten; before, {often} in {len(history)} builds")


def _has(key: str, before: Observation, after: Observation) -> bool:
    return bool(before.parts.get(key) and after.parts.get(key))


def _unchanged(key: str, builds: Sequence[Observation]) -> Iterator[Fact]:
    """It is stale where it was always rewritten within less time."""
    changes = [builds[0].when]
    for before, after in pairwise(builds):
        if _has(key, before, after) and before.parts[key] != after.parts[key]:
            changes.append(after.when)
    spans = [after - before for before, after in pairwise(changes)]
    still = builds[-1].when - changes[-1]
    rhythm = max((after.when - before.when for before, after in pairwise(builds)), default=0)
    if len(spans) >= _FEWEST_STEPS and still > max(spans) + rhythm:
        sentence = f"{key} has not changed for {days(still)}; before, never for more than {days(max(spans))}"
        yield Fact("stale", key, still // DAY, True, sentence)
