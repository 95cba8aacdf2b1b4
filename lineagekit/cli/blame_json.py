# SPDX-License-Identifier: Apache-2.0
"""What `blame` found, for programs.

>>> blame_json(found)["verdict"]  # doctest: +SKIP
'suspects'
"""

from __future__ import annotations

import math
from typing import Any

from lineagekit.cause.blame import Blame
from lineagekit.cause.rank import Suspect
from lineagekit.cli.blame_text import warnings_of
from lineagekit.cli.times import moment


def blame_json(found: Blame) -> dict[str, Any]:
    """For the envelope."""
    chosen = found.chosen
    gate = chosen.gate
    return {
        "model": found.series.model,
        "job": found.series.job,
        "verdict": found.verdict,
        "metric": chosen.metric or None,
        "higher_is_better": chosen.higher_is_better,
        "good": _build_json(found, good=True),
        "bad": _build_json(found, good=False),
        "rule": chosen.rule,
        "gate": None
        if gate is None
        else {
            "verdict": gate.verdict,
            "drop": gate.drop,
            "band": None if math.isinf(gate.band) else gate.band,
            "builds": gate.builds,
        },
        "onset": found.onset,
        "steps": list(found.steps),
        "other_metrics": [
            {"metric": one.metric, "verdict": one.gate.verdict, "drop": one.gate.drop}
            for one in chosen.others
            if one.gate is not None
        ],
        "exam": {
            "state": found.exam.state,
            "name": found.exam.name,
            "changes": [change.sentence for change in found.exam.changes],
        },
        "suspects": [_suspect_json(one) for one in found.suspects],
        "unknown": [{"input": name, "reason": why} for name, why in found.alignment.unknown.items()],
        "compared": {
            "runs": found.alignment.pairs,
            "inputs": found.alignment.compared,
            "equal": found.alignment.pruned,
        },
        "warnings": list(warnings_of(found)),
        "also": list(found.also),
        "gaps": list(found.gaps),
    }


def _build_json(found: Blame, *, good: bool) -> dict[str, Any]:
    build = found.chosen.good if good else found.chosen.bad
    return {
        "number": build.number,
        "version": build.version,
        "run": build.id,
        "digest": build.digest,
        "at": moment(build.at),
        "value": build.grade(found.chosen.metric) if found.chosen.metric else None,
    }


def _suspect_json(one: Suspect) -> dict[str, Any]:
    change = one.change
    return {
        "status": "culprit" if one.confirmed else one.status,
        "confirmed": one.confirmed or None,
        "score": one.score,
        "kind": change.kind,
        "where": change.where,
        "key": change.key,
        "before": change.before,
        "after": change.after,
        "identity": change.identity,
        "sentence": change.sentence,
        "reasons": list(one.reasons),
        "onset": one.onset,
        "tie": one.tie or None,
        "path": list(change.path),
        "owners": list(one.owners),
        "page": one.page or None,
        "run": change.run,
        "good_run": change.good_run,
    }
