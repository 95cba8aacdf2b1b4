# SPDX-License-Identifier: Apache-2.0
"""Repeats: whether a job gives the same for the same, as far as its own history tells.

>>> evidence_of_repeats(views, change).reasons  # doctest: +SKIP
('gave the same for the same 12 times before',)
"""

from __future__ import annotations

from itertools import pairwise

from lineagekit.cause.change import Change
from lineagekit.cause.rank import Evidence
from lineagekit.cause.views import View, Views
from lineagekit.store import query

MOST_RUNS = 30


def evidence_of_repeats(views: Views, change: Change) -> Evidence:
    """Of a job that gave another output for equal inputs: did it ever do so before?"""
    reader = query.find_runs(views.db, change.run)[0]
    runs = query.job_runs(views.db, reader.namespace, reader.job, limit=4 * MOST_RUNS)
    past = [run for run in runs if run.began < reader.began and run.state == "COMPLETE"][:MOST_RUNS]
    same = differ = 0
    for newer, older in pairwise(views.of(run.id) for run in past):
        if _is_same_task(older, newer):
            equal = _results(older) == _results(newer)
            same, differ = same + equal, differ + (not equal)
    if differ:
        return Evidence(rate=differ / (same + differ), reasons=(f"gave another for the same {_times(differ)} before",))
    if same:
        return Evidence(reasons=(f"gave the same for the same {_times(same)} before",))
    return Evidence(unusual=False, reasons=("not known to give the same for the same",))


def _is_same_task(one: View, other: View) -> bool:
    """Equal inputs, all of them known, and equal settings."""
    a, b = one.run, other.run
    inputs = {name: use.digest for name, use in one.inputs.items()}
    return (
        (a.code, a.params, a.environment) == (b.code, b.params, b.environment)
        and bool(inputs)
        and all(inputs.values())
        and inputs == {name: use.digest for name, use in other.inputs.items()}
    )


def _results(view: View) -> dict[str, str]:
    return {name.name: use.digest for name, use in view.outputs.items()}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
