# SPDX-License-Identifier: Apache-2.0
"""Stale inputs: equal in a good and a bad build, though it is their habit to change.

>>> [change.sentence for change in stale_changes(views, alignment.equal, good.at)]  # doctest: +SKIP
['/data/rates.parquet stayed as it was: blake3:9f3c0712ab']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lineagekit.cause.align import Equal
from lineagekit.cause.change import Change
from lineagekit.cause.feeds import Feeds, habit_of
from lineagekit.cause.views import Use, Views
from lineagekit.events.roles import role_of

_FEW, _ALWAYS, _MOST_EQUAL = 6, 0.9, 200
"""Runs from which a habit is learned at least, how often is always, and inputs that are looked at."""


def stale_changes(views: Views, equal: Sequence[Equal], good_at: int) -> list[Change]:
    """Inputs that two builds read alike though it is their habit to change; followed up to the first that is so."""
    feeds, found = Feeds(views), []
    queue = list(equal)
    seen: set[int] = set()
    while queue and len(seen) < _MOST_EQUAL:
        one = queue.pop(0)
        if one.use.dataset in seen or one.use.touch.pieces or role_of(one.use.name.name).key:
            continue  # parts have facts of their own
        seen.add(one.use.dataset)
        good, bad = views.of(one.good_run), views.of(one.bad_run)
        change = Change(
            "stale",
            one.use.title,
            before=one.use.digest,
            after=one.use.digest,
            dataset=one.use.dataset,
            run=bad.run.run,
            good_run=good.run.run,
            at=one.use.touch.at or None,
            path=one.path,
        )
        feed = feeds.of(change)
        habit = habit_of(feed, good_at)
        if len(feed.observations) < _FEW or habit < _ALWAYS:
            continue
        change = replace(change, details=(f"changed with {habit:.0%} of the runs before",))
        above = _above(views, one, good.inputs.get(one.use.name))
        queue += above
        if not above:
            found.append(change)
    return found


def _above(views: Views, one: Equal, before: Use | None) -> list[Equal]:
    """What the two runs that wrote it read alike; nothing where nobody known wrote it."""
    writers = [next((read.src for read in use.writers if read.src), 0) for use in (before, one.use) if use]
    if len(writers) < 2 or not all(writers) or writers[0] == writers[1]:
        return []
    good, bad = views.of(writers[0]), views.of(writers[1])
    if good.job != bad.job:
        return []
    path = (*one.path, bad.job)
    return [
        Equal(use, writers[0], writers[1], path)
        for name, use in bad.inputs.items()
        if use.digest and name in good.inputs and good.inputs[name].digest == use.digest
    ]
