# SPDX-License-Identifier: Apache-2.0
"""Which two builds to compare, and by which metric: what was named, then what was marked, then where the grades step.

>>> chosen = choose(series, metric="auc", good="", bad="")  # doctest: +SKIP
>>> chosen.rule  # doctest: +SKIP
'the grades step down between build 41 and build 42'
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace

from lineagekit.cause.builds import Build, Series, direction, last_made
from lineagekit.cause.step import MOST, Gate, Shape, beginning, gate, shape
from lineagekit.errors import NotFoundError, UsageError

_MOST_METRICS = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """A pair of builds, why it is these, and whether the drop between them is real."""

    good: Build
    bad: Build
    rule: str
    metric: str = ""
    """"" where nothing was measured."""
    higher_is_better: bool = True
    shape: Shape | None = None
    steps: tuple[int, ...] = ()
    """Builds with which the grades step."""
    gate: Gate | None = None
    is_asked: bool = False
    """A person named the builds: ranked, whatever the gate says."""
    others: tuple[Chosen, ...] = ()
    """The same by the other metrics."""


def choose(series: Series, *, metric: str = "", good: str = "", bad: str = "", higher: bool | None = None) -> Chosen:
    """The pair. Raises UsageError where there is only one build, or a name fits none."""
    builds = series.builds
    if len(builds) < 2:
        raise UsageError(
            f"{series.model} was built {'once' if builds else 'never'}: nothing to compare it with",
            advice="Build it again, or compare other models: lineagekit diff A B",
        )
    named = named_build(series, good) if good else None, named_build(series, bad) if bad else None
    marked = _marked(builds)
    first = named[0] or (None if named[1] else marked[0])
    last = named[1] or (None if named[0] else marked[1])
    rule = "as named" if any(named) else "as marked" if first or last else ""
    found = [_by(series, one, (first, last), rule, higher) for one in _metrics(series, metric)]
    if not found:
        pair = _beside(builds, first, last)
        return Chosen(*pair, rule or "the newest and the one before: nothing was measured", is_asked=bool(rule))
    best = max(found, key=_severity)
    others = tuple(one for one in found if one is not best)
    return replace(best, good=last_made(best.good, before=best.bad), others=others)


def _by(
    series: Series, metric: str, given: tuple[Build | None, Build | None], rule: str, higher: bool | None
) -> Chosen:
    """By one metric."""
    if given[0] is not None and given[1] is not None:
        return _judged(series, metric, (given[0], given[1]), rule, higher=higher, is_asked=True)
    return _by_grades(series, metric, given, higher)


def _severity(chosen: Chosen) -> tuple[bool, bool, float]:
    """What is real first, then what says on which exam it was measured, then what is furthest out of its noise."""
    if chosen.gate is None:
        return False, False, -math.inf
    band = chosen.gate.band
    is_said = all(any(one.exam for one in b.grades if one.metric == chosen.metric) for b in (chosen.good, chosen.bad))
    out = chosen.gate.drop / band if math.isfinite(band) and band > 0 else -1e9
    return chosen.gate.verdict == "real", is_said, out


def _by_grades(series: Series, metric: str, given: tuple[Build | None, Build | None], higher: bool | None) -> Chosen:
    higher_is_better = direction(series, metric) if higher is None else higher
    graded = [build for build in series.builds if build.values(metric)][-MOST:]
    if len(graded) < 2:
        pair = _beside(series.builds, *given)
        rule = f"the newest and the one before: only {len(graded)} has {metric}"
        return Chosen(*pair, rule, metric, higher_is_better, is_asked=any(given))
    values = [_value(build, metric) for build in graded]
    found, worse = _falls(values, higher_is_better=higher_is_better)
    if any(given):
        return _judged(series, metric, _beside(graded, *given), "as named", higher=higher_is_better, is_asked=True)
    if worse:
        # Several steps down in a row are one story, told from before the first.
        first = worse[0] if len(worse) == len(found.steps) else worse[-1]
        numbers = " and ".join(str(graded[k].number) for k in worse if k >= first)
        since = beginning(values, first, higher_is_better=higher_is_better)
        how = f"get worse from build {graded[since].number} on, and " if since < first else ""
        rule = f"the grades {how}step {'down' if higher_is_better else 'up'} at build {numbers}"
        chosen = _judged(series, metric, (graded[since - 1], graded[worse[-1]]), rule, higher=higher_is_better)
        return replace(chosen, steps=tuple(sorted({graded[since].number, *chosen.steps})))
    if found.kind == "trend" and (values[-1] < values[0]) == higher_is_better:
        rule = "the grades drift, without a single step"
        return _judged(series, metric, (graded[0], graded[-1]), rule, higher=higher_is_better)
    newest = "newest" if graded[-1] is series.builds[-1] else "newest that has one"
    rule = f"no step in the grades: the {newest} and the one before"
    return _judged(series, metric, (graded[-2], graded[-1]), rule, higher=higher_is_better)


def _judged(
    series: Series,
    metric: str,
    pair: tuple[Build, Build],
    rule: str,
    *,
    higher: bool | None,
    is_asked: bool = False,
) -> Chosen:
    good, bad = pair
    if not metric or not (good.values(metric) and bad.values(metric)):
        return Chosen(good, bad, rule, metric, bool(higher), is_asked=is_asked)
    higher_is_better = direction(series, metric) if higher is None else higher
    graded = [build for build in series.builds if build.values(metric)]
    drop = abs(_value(good, metric) - _value(bad, metric))
    regime = _regime(graded, good, metric, drop)
    between = [build for build in graded if good.number < build.number <= bad.number]
    seen = [*regime, *between][-2 * MOST :]
    values = [_value(build, metric) for build in seen]
    found = _worthwhile(shape(values), values, drop)
    repeats = [statistics.stdev(v) for build in graded if len(v := build.values(metric)) > 1]
    verdict = gate(
        [_value(build, metric) for build in regime],
        _after(graded, bad, metric, found),
        higher_is_better=higher_is_better,
        looked_at=0 if is_asked else len(graded[-MOST:]) * max(1, len(series.metrics())),
        noise=max(statistics.median(repeats) if repeats else 0.0, series.exam_noise(good, bad, metric)),
    )
    return Chosen(
        good,
        bad,
        rule,
        metric,
        higher_is_better,
        found,
        tuple(seen[place].number for place in found.steps),
        verdict,
        is_asked,
    )


def _regime(graded: list[Build], good: Build, metric: str, drop: float) -> list[Build]:
    """The builds that were as good as the good one: back to the last step before it that is worth the name."""
    before = [build for build in graded if build.number <= good.number][-MOST:]
    values = [_value(build, metric) for build in before]
    steps = _worthwhile(shape(values), values, drop).steps
    return before[steps[-1] if steps else 0 :]


def _after(graded: list[Build], bad: Build, metric: str, found: Shape) -> float:
    """What the bad builds score: of several the median, if they are of one level."""
    after = [_value(build, metric) for build in graded if build.number >= bad.number][:MOST]
    return statistics.median(after) if found.kind in ("step", "steps") and len(after) > 2 else after[0]


def _falls(values: list[float], *, higher_is_better: bool) -> tuple[Shape, list[int]]:
    """The shape of the grades, and where they get worse: what is far below the largest fall is none."""
    found = shape(values)
    sign = 1 if higher_is_better else -1
    largest = max((sign * _size(values, k, found.steps) for k in found.steps), default=0.0)
    found = _worthwhile(found, values, largest)
    return found, [k for k in found.steps if sign * _size(values, k, found.steps) > 0]


def _worthwhile(found: Shape, values: list[float], drop: float) -> Shape:
    """Without steps that are small beside the drop in question."""
    steps = tuple(k for k in found.steps if abs(_size(values, k, found.steps)) >= drop / 5)
    kind = "steps" if len(steps) > 1 else "step" if steps else "none" if found.steps else found.kind
    return replace(found, steps=steps, kind=kind)


def _size(values: list[float], place: int, steps: tuple[int, ...]) -> float:
    """How far the values fall with this step."""
    before = max((k for k in steps if k < place), default=0)
    after = min((k for k in steps if k > place), default=len(values))
    return statistics.fmean(values[before:place]) - statistics.fmean(values[place:after])


def _metrics(series: Series, asked: str) -> list[str]:
    """Those to judge by: the one that was asked for, else all whose direction is known, the commonest first."""
    counts = series.metrics()
    if asked:
        if asked not in counts:
            known = ", ".join(counts) or "none"
            raise UsageError(f"nothing was measured by this name: got {asked!r}, expected one of {known}")
        return [asked]
    judged = [name for name in counts if _is_known(series, name)][:_MOST_METRICS]
    return judged or list(counts)[:1]


def _is_known(series: Series, metric: str) -> bool:
    try:
        direction(series, metric)
    except UsageError:
        return False
    return True


def _value(build: Build, metric: str) -> float:
    return statistics.median(build.values(metric))


def _marked(builds: list[Build]) -> tuple[Build | None, Build | None]:
    """The last that was marked bad, and the last good one before it."""
    bad = next((build for build in reversed(builds) if build.mark == "bad"), None)
    before = [build for build in builds if bad is None or build.number < bad.number]
    good = next((build for build in reversed(before) if build.mark == "good"), None)
    return good, bad or (builds[-1] if good is not None and good is not builds[-1] else None)


def _beside(builds: list[Build], good: Build | None, bad: Build | None) -> tuple[Build, Build]:
    """What is missing of a pair: the newest, and the one before the bad one."""
    last = bad or builds[-1]
    earlier = [build for build in builds if build.number < last.number] or builds[:1]
    return good or earlier[-1], last


def named_build(series: Series, ref: str) -> Build:
    """The build of a series that a person means: by number, version, digest, or run. Raises NotFoundError."""
    text = ref.rpartition("@")[2]
    exact = [build for build in series.builds if text in (build.version, f"v{build.version}") and build.version]
    if not exact and text.lstrip("-").isdigit() and len(text) < 6:
        number = int(text)
        exact = [b for b in series.builds if b.number == (number if number > 0 else len(series.builds) + 1 + number)]
    if not exact and len(text) >= 4:
        exact = [build for build in series.builds if any(name.startswith(text) for name in _names(build))]
    if len(exact) != 1:
        expected = f"1 to {len(series.builds)}, a version, a digest or a run"
        many = "several builds" if exact else "no build"
        raise NotFoundError(
            f"{many} of {series.model} by this name: got {ref!r}, expected {expected}",
            advice=f"Run: lineagekit show {series.model}",
        )
    return exact[0]


def _names(build: Build) -> tuple[str, ...]:
    return build.id, build.digest, build.digest.partition(":")[2]
