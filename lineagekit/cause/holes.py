# SPDX-License-Identifier: Apache-2.0
"""Holes in the record: a read that one run did not tell of, though the runs of its job beside it did.

It is no change, and must neither accuse nor clear: what the nearest run read instead is compared, and it is said.

>>> holes.mend(good, bad, left, right)  # doctest: +SKIP
{'/data/clean.csv': 'no record that train.py read it in run 0190a7a2; the next runs did'}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lineagekit.cause.pairing import Role, by_role
from lineagekit.cause.settings import setting_changes
from lineagekit.cause.views import Use, View, Views
from lineagekit.events.said import Name
from lineagekit.store import query
from lineagekit.store.found import Run

_NEAR = 4
"""Runs of the job before and after that are asked."""
_USUAL, _SURE = 0.5, 2
"""The share of them that makes it usual; how many have to lack it too for it to be gone."""

Uses = dict[Name, Use]


class Holes:
    """What runs usually read, looked up where two of them differ in it."""

    def __init__(self, views: Views) -> None:
        """Nothing is looked up yet."""
        self.views = views
        self._runs: dict[str, list[Run]] = {}

    def mend(self, good: View, bad: View, left: Uses, right: Uses) -> Mapping[str, str]:
        """Put in what the runs before the good one, or after the bad one, tell of; returns what that leaves unknown."""
        unknown: dict[str, str] = {}
        told = by_role({**good.inputs, **left}).keys(), by_role({**bad.inputs, **right}).keys()
        lacking = by_role(left).keys() - told[1], by_role(right).keys() - told[0]
        sides = (bad, right, left, lacking[0]), (good, left, right, lacking[1])
        for view, uses, others, roles in sides:
            near = self._beside(view, is_later=view is bad) if roles else []
            for role in sorted(roles):
                there = by_role(others)[role]
                instead = _usual(near, role)
                uses.update({use.name: use for use in instead})
                if not instead and len(near) < _SURE and not _is_set_otherwise(good, bad):
                    for use in there:
                        del others[use.name]
                elif not instead:
                    continue
                unknown.update({use.title: _told(view, near) for use in (instead or there)[:1]})
        return unknown

    def beside(self, good: View, bad: View) -> list[Mapping[Name, Use]]:
        """What the nearest runs of the job read, before the good and after the bad one."""
        return [view.inputs for view in (*self._beside(good, is_later=False), *self._beside(bad, is_later=True))]

    def of_both(self, good: View, bad: View) -> Mapping[str, str]:
        """What neither told of, though the runs around both did."""
        before, after = self._beside(good, is_later=False), self._beside(bad, is_later=True)
        roles = dict.fromkeys(role for view in before for role in by_role(view.inputs))
        missing = [role for role in roles if role not in by_role(good.inputs) and role not in by_role(bad.inputs)]
        usual = [_usual(before, role) for role in missing if not after or _usual(after, role)]
        return {use.title: _told(bad, before) for uses in usual for use in uses[:1]}

    def _beside(self, view: View, *, is_later: bool) -> Sequence[View]:
        """The nearest first."""
        run = view.run
        if view.job not in self._runs:
            runs = query.job_runs(self.views.db, run.namespace, run.job, limit=1_000_000)
            self._runs[view.job] = [one for one in reversed(runs) if one.state == "COMPLETE"]
        all_ = self._runs[view.job]
        if is_later:
            found = [one for one in all_ if one.began > run.began][:_NEAR]
        else:
            found = [one for one in reversed(all_) if one.began < run.began][:_NEAR]
        return [self.views.of(one.id) for one in found]


def _usual(near: Sequence[View], role: Role) -> list[Use]:
    """What the nearest of them read in this role, if most did."""
    seen = [found for view in near if (found := by_role(view.inputs).get(role))]
    return seen[0] if seen and len(seen) >= _USUAL * len(near) else []


def _is_set_otherwise(good: View, bad: View) -> bool:
    return any(not one.inert and not one.is_carrier for one in setting_changes(good, bad))


def _told(view: View, near: Iterable[View]) -> str:
    others = "runs beside it did" if any(near) else "the other did"
    return f"no record that {view.run.job} read it in run {view.run.run[:8]}; {others}"
