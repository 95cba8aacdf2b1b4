# SPDX-License-Identifier: Apache-2.0
"""A blame in lines of text and as JSON: the verdict first, then the table, then what it rests on.

>>> list(blame_lines(found, limit=10))  # doctest: +SKIP
['churn  auc 0.871 -> 0.812  REAL (drop 0.059, band 0.011, 21 builds)', ...]
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from shlex import quote

from lineagekit.cause.blame import Blame
from lineagekit.cause.builds import Build
from lineagekit.cause.choose import Chosen
from lineagekit.cause.rank import Suspect
from lineagekit.cli.text import safe

_VERDICTS = {"real": "REAL", "not real": "WITHIN NOISE", "cannot tell": "CANNOT TELL"}
_MOST, _MOST_CARRIERS = 6, 3


def blame_lines(found: Blame, *, limit: int) -> Iterator[str]:
    """All of it."""
    yield _head(found)
    chosen = found.chosen
    yield f"builds {chosen.good.number} -> {chosen.bad.number} of {len(found.series.builds)}: {chosen.rule}"
    yield from (f"warning: {safe(one)}" for one in warnings_of(found))
    yield from _context(found)
    shown = _folded(found.accused)
    for place, suspects in enumerate(shown[:limit], 1):
        yield from _suspect(place, suspects)
    if len(shown) > limit:
        yield f"           and {_count(len(shown) - limit, 'suspect')} more (-n {len(shown)})"
    yield from _others(found)
    yield from _ground(found)
    yield from _next(found)


def _head(found: Blame) -> str:
    chosen = found.chosen
    name = safe(found.series.model)
    if not chosen.metric or chosen.gate is None:
        told = "nothing was measured of both builds"
        if any(chosen.metric in build.no_numbers for build in (chosen.good, chosen.bad)):
            told = f"{safe(chosen.metric)} {_grade(chosen, chosen.good)} -> {_grade(chosen, chosen.bad)}"
        return f"{name}  {told}: what changed is told, not whether it is worse"
    old, new = chosen.good.grade(chosen.metric), chosen.bad.grade(chosen.metric)
    gate = chosen.gate
    band = "unknown" if math.isinf(gate.band) else f"{gate.band:.3g}"
    better = "" if gate.drop > 0 else "; it is not worse"
    judged = f"{_VERDICTS[gate.verdict]} (drop {gate.drop:.3g}, band {band}, {_count(gate.builds, 'build')}{better})"
    return f"{name}  {safe(chosen.metric)} {old:.4g} -> {new:.4g}  {judged}"


def _grade(chosen: Chosen, build: Build) -> str:
    grade = build.grade(chosen.metric)
    unmeasured = "no number" if chosen.metric in build.no_numbers else "not measured"
    return unmeasured if grade is None else f"{grade:.4g}"


def warnings_of(found: Blame) -> Iterator[str]:
    """The newest builds scored no number, which is worse than any, and is compared with nothing."""
    for metric in (metrics := found.series.metrics()):
        builds = found.series.since_no_number(metric)
        if not builds or (found.chosen.bad in builds and found.chosen.metric == metric):
            continue
        *first, last = [str(build.number) for build in builds]
        named = f"builds {', '.join(first)} and {last} report" if first else f"build {last} reports"
        which = f" --metric {quote(metric)}" if len(metrics) > 1 else ""
        yield f"{named} no {metric} that is a number: compare with --bad {builds[0].number}{which}"


def _context(found: Blame) -> Iterator[str]:
    chosen = found.chosen
    if chosen.gate is not None and chosen.gate.verdict == "cannot tell":
        asked = "ranking anyway, because you asked" if chosen.is_asked else "what changed is ranked all the same"
        yield f"regression not established from {_count(chosen.gate.builds, 'graded build')} before; {asked}"
    yield from _exam(found)
    if chosen.shape is not None and chosen.shape.kind == "step" and chosen.shape.margin < 2:
        yield "onset  not separable from the record: its neighbours fit nearly as well"
    if len(found.steps) > 1:
        yield from _timeline(found)
    builds = [build for build in found.series.builds if chosen.good.number < build.number < chosen.bad.number]
    if chosen.metric and (ungraded := [str(build.number) for build in builds if not build.values(chosen.metric)]):
        yield f"not graded: build {', '.join(ungraded)}; what came with it is not told from what came after"
    for other in chosen.others:
        if other.gate is not None:
            old, new = (build.grade(other.metric) for build in (other.good, other.bad))
            yield f"       {safe(other.metric)} {old:.4g} -> {new:.4g}  {_VERDICTS[other.gate.verdict]}"
    if found.series.others:
        yield f"also   other series have this name: {', '.join(map(safe, found.series.others[:3]))}"
    carriers = [one for one in found.suspects if one.status == "carrier"]
    if carriers:
        confirmed = sum(bool(one.confirmed) for one in carriers)
        shown = f", {confirmed} of them shown by rebuilds" if confirmed else ""
        yield f"{_count(len(carriers), 'change')} as with every build{shown}; {len(found.accused) - confirmed} not"


def _exam(found: Blame) -> Iterator[str]:
    exam = found.exam
    yield from (f"exam   {safe(change.sentence)}" for change in exam.changes)
    if exam.regraded:
        yield f"exam   both models on both: {safe(exam.regraded)}"
    elif exam.state == "unknown":
        yield "exam   not known: say it where the metric is reported (metric(..., on=PATH))"
    elif exam.state == "changed" and exam.good == exam.bad:
        yield "       the two grades were not measured alike, and are not comparable"
    elif exam.state == "changed":
        yield f"exam   {safe(exam.name)} changed too: the two grades are not comparable. Missing: the old model on the"
        yield "       new exam, and the new model on the old one"
        yield f"       lineagekit bisect {quote(found.series.model)} --regrade -- COMMAND   # that grades"


def _timeline(found: Blame) -> Iterator[str]:
    """A drop in several steps: what each brought, and with what."""
    builds = {build.number: build for build in found.series.builds}
    graded = [build for build in found.series.builds if build.values(found.chosen.metric)]
    for step in found.steps:
        before = [build for build in graded if build.number < step][-1]
        old, new = before.grade(found.chosen.metric), builds[step].grade(found.chosen.metric)
        with_it = [one.change.sentence for one in found.accused if one.onset == step]
        is_followed = any(one.change.dataset and (one.onset or step) < step for one in found.accused)
        rest = "nothing new: more of what came before, or drift" if is_followed else "nothing that was recorded: drift"
        told = safe("; ".join(with_it[:3])) + (" ..." if len(with_it) > 3 else "") or rest
        yield f"step   build {step}: {old:.4g} -> {new:.4g}  {told}"


def _folded(suspects: Sequence[Suspect]) -> list[list[Suspect]]:
    """Parts of one feed to which the same happened in one build are one line."""
    found: dict[tuple[object, ...], list[Suspect]] = {}
    for one in suspects:
        what = (one.onset,) if one.change.dataset and one.change.key else (one.change.key, one.onset)
        found.setdefault((one.change.kind, one.change.where, *what), []).append(one)
    return list(found.values())


def _suspect(place: int, suspects: Sequence[Suspect]) -> Iterator[str]:
    one, *others = suspects
    tie = f"  (tie of build {one.tie})" if one.tie else ""
    strength = {"content": "", "pin": "  (by version)", "name": "  (name only)"}[one.change.identity]
    word = "CULPRIT" if one.confirmed else "SUSPECT"
    yield f"{place:2} {word}  {safe(one.change.sentence)}{strength}{tie}"
    if one.confirmed:
        yield f"            {safe(one.confirmed)}"
    if one.reasons:
        yield f"            {'; '.join(map(safe, one.reasons))}"
    if others:
        keys = sorted(other.change.key for other in others)
        span = keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
        yield f"            likewise {len(others):,} more of its parts: {safe(span)}"
    about = [f"path {_path(one.change.path)}"] if one.change.path else []
    about += [f"owner {', '.join(map(safe, one.owners))}"] if one.owners else []
    if about:
        yield f"            {'   '.join(about)}"
    if one.page:
        yield f"            page {safe(one.page)}"


def _path(jobs: tuple[str, ...]) -> str:
    """From the model up; of a long way both ends."""
    shown = [safe(job.rpartition("/")[2]) for job in jobs]
    return " <- ".join(shown if len(shown) <= 4 else [shown[0], "...", *shown[-2:]])


def _others(found: Blame) -> Iterator[str]:
    for status, word in (("cleared", "cleared"), ("inert", "inert")):
        rest = [one for one in found.suspects if one.status == status and not one.confirmed]
        for one in rest[:_MOST]:
            reason = f": {one.reasons[0]}" if one.reasons else ""
            yield f"   {word:8} {safe(one.change.sentence)}{safe(reason)}"
        if len(rest) > _MOST:
            yield f"   {word:8} and {len(rest) - _MOST} more"
    if not found.accused:
        beside = "; what is unknown may have" if found.alignment.unknown else ""
        yield f"   nothing that was recorded changed but what changes with every build{beside}"
        yield from _carriers(found)


def _carriers(found: Blame) -> Iterator[str]:
    """Where the drop is real: those of whose content more is told than that it changed; they are no suspects."""
    if found.chosen.gate is None or found.chosen.gate.verdict != "real":
        return
    carriers = [one for one in found.suspects if one.status == "carrier"]
    told = [(one, [why for why in one.reasons if " -> " in why]) for one in carriers]
    told.sort(key=lambda both: -sum(", as never in " in why or ", as rarely in " in why for why in both[1]))
    for one, reasons in [both for both in told if both[1]][:_MOST_CARRIERS]:
        yield f"   of these, look first at {safe(one.change.sentence)}: {safe('; '.join(reasons))}"


def _ground(found: Blame) -> Iterator[str]:
    aligned = found.alignment
    yield (
        f"coverage {found.coverage.summary}; {_count(aligned.pairs, 'run')} compared, "
        f"{_count(aligned.pruned, 'input')} equal"
    )
    yield from (f"         {safe(gap)}" for gap in found.gaps)
    reasons = Counter(aligned.unknown.values())
    for reason, count in reasons.most_common(_MOST):
        names = [name for name, why in aligned.unknown.items() if why == reason]
        more = f" and {count - 3} more" if count > 3 else ""
        yield f"unknown  {', '.join(map(safe, names[:3]))}{more}: {safe(reason)}. Neither accused nor cleared"
    if aligned.stopped:
        yield "unknown  there was more to compare than could be looked at"
    if found.also:
        yield f"also built from it: {', '.join(map(safe, found.also[:8]))}" + (" ..." if len(found.also) > 8 else "")


def _next(found: Blame) -> Iterator[str]:
    first = next(iter(found.accused), None)
    model = quote(found.series.model)
    if first is None:
        yield f"next  lineagekit trace {model}@{found.chosen.bad.number}"
    elif first.change.before and first.change.after and first.change.dataset and not first.change.key:
        where = first.change.where
        names = quote(found.alignment.moved.get(where, where)), quote(where)
        digests = (value.rpartition(":")[2][:12] for value in (first.change.before, first.change.after))
        yield f"next  lineagekit diff {' '.join(map('@'.join, zip(names, digests, strict=True)))}"
    else:
        yield f"next  lineagekit diff {model}@{found.chosen.good.number} {model}@{found.chosen.bad.number}"
    if not any(one.confirmed for one in found.accused):
        builds = f" --good {found.chosen.good.number} --bad {found.chosen.bad.number}" if found.chosen.is_asked else ""
        yield f"      lineagekit bisect {model}{builds} -- COMMAND   # that rebuilds it: shows the cause, or clears it"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
