# SPDX-License-Identifier: Apache-2.0
"""Figures of rebuilt cases: what was confirmed and right, what healthy, what not at all and in which words.

>>> sum_up_rebuilt([(case, rebuild(folder, case))])  # doctest: +SKIP
bisect, linear: confirmed and right 1.00 [0.68, 1.00] of 8 that can be tried, of 12
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from benchmarks.faults.case import Case
from benchmarks.faults.figures import share
from benchmarks.faults.rebuild import Rebuilt

Told = Sequence[tuple[Case, Rebuilt]]


def sum_up_rebuilt(told: Told) -> None:
    """Print them, for each shape and for all."""
    shapes = sorted({case.shape.name for case, _ in told})
    for name in shapes:
        _shape(name, [(case, one) for case, one in told if case.shape.name == name])
    if len(shapes) > 1:
        _shape("all", told)


def _shape(name: str, told: Told) -> None:
    single = [one for case, one in told if case.fault and not case.fault.parts and case.fault.truth.what == "change"]
    tried = [one for one in single if one.word != "cannot be tried"]
    right = [one for one in tried if one.word == "right"]
    print(f"\nbisect, {name}: confirmed and right {share(len(right), len(tried))} of {len(tried)} that can be tried")
    print(f"  {len(single) - len(tried)} more cannot be tried: what was done left no trace that can be put back")
    wrong = sum(one.word == "wrong" for _, one in told)
    print(
        f"  a healthy change confirmed: {share(wrong, len(told))} of {len(told)} cases, those without a fault included"
    )
    words = Counter(
        f"{one.word}, {one.status or one.said[:60]}: {one.said[:60]}" for one in tried if one.word != "right"
    )
    for word, count in words.most_common():
        print(f"  not confirmed, {count}: {word}")
    if right:
        within = sum(one.beyond <= _bound(one) for one in right)
        beyond, bound = (statistics.median(map(count, right)) for count in (lambda one: one.beyond, _bound))
        print(
            f"  rebuilds beyond the baselines, median {beyond:g}; ceil(log2 n) + 2, median {bound:g}; within: {within}"
        )
    _pairs([one for case, one in told if case.fault and case.fault.parts])
    _swaps([one for _, one in told if one.swap is not None])


def _bound(one: Rebuilt) -> int:
    return math.ceil(math.log2(one.atoms)) + 2


def _pairs(told: list[Rebuilt]) -> None:
    if told:
        both, some = (sum(one.word == word for one in told) for word in ("right", "in part"))
        median = statistics.median(one.beyond for one in told)
        print(
            f"  two at once: both found {share(both, len(told))} of {len(told)}, one of them {some}; median {median:g}"
        )


def _swaps(told: list[Rebuilt]) -> None:
    """The same builds, by the placebo and by the plain swap."""
    swaps = [one.swap for one in told if one.swap is not None]
    for name, words in (("placebo", [one.word for one in told]), ("plain swap", [one.word for one in swaps])):
        right, wrong = (words.count(word) for word in ("right", "wrong"))
        said = f"right {share(right, len(words))}, a healthy one confirmed {share(wrong, len(words))}"
        if words:
            print(f"  feeds of a window, {name}: {said} of {len(words)}")
    alone = sum(one.alone == "bad" for one in swaps)
    beside = [one.with_labels for one in swaps if one.with_labels]
    if swaps:
        print(f"  good + the right feed alone: bad in {alone} of {len(swaps)};", end=" ")
        print(f"with the healthy labels as well: bad in {beside.count('bad')} of {len(beside)}")
