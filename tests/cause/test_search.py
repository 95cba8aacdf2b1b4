# SPDX-License-Identifier: Apache-2.0
"""A search for causes ends in a proof, or says why there is none, whatever the verdicts."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping

import pytest

from lineagekit.cause.probes import NONE, Atoms, Done, Probe, Verdict
from lineagekit.cause.search import next_step

World = Callable[[Atoms], Verdict]


def names(count: int) -> list[str]:
    return [f"change {number}" for number in range(count)]


def search(
    ids: list[str], world: World, weights: Mapping[str, float] | None = None, *, most: int | None = None
) -> tuple[Done, dict[Atoms, Verdict]]:
    """All of it; the same hybrid is never asked for twice."""
    told: dict[Atoms, Verdict] = {}
    while isinstance(step := next_step(ids, weights or {}, told, most=most), Probe):
        assert step.atoms not in told
        assert step.why
        told[step.atoms] = world(step.atoms)
    return step, told


def any_of(*causes: Atoms) -> World:
    return lambda probe: "bad" if any(cause <= probe for cause in causes) else "good"


def only_together(world: World, *groups: Atoms) -> World:
    return lambda probe: "skip" if any(group & probe and not group <= probe for group in groups) else world(probe)


def is_proven(done: Done, told: Mapping[Atoms, Verdict], ids: list[str]) -> bool:
    """Each cause was told bad alone, and the rest good: neither is inferred."""
    rest = frozenset(ids).difference(*done.causes)
    return bool(done.causes) and all(told.get(cause) == "bad" for cause in done.causes) and told.get(rest) == "good"


def is_minimal(done: Done, told: Mapping[Atoms, Verdict], ids: list[str]) -> bool:
    """With all causes but one undone it was told to be bad still."""
    return all(told.get(frozenset(ids).difference(*done.causes) | cause) == "bad" for cause in done.causes)


@pytest.mark.parametrize("count", range(1, 41))
def test_a_single_cause_is_always_confirmed_and_right(count: int) -> None:
    ids = names(count)
    for cause in ids:
        done, told = search(ids, any_of(frozenset([cause])))
        assert (done.status, done.causes) == ("confirmed", (frozenset([cause]),))
        assert is_proven(done, told, ids)
        assert set(done.cleared) == set(ids) - {cause}
        assert not done.suspects
        assert not done.untested


@pytest.mark.parametrize("count", [4, 8, 16, 32, 40])
def test_a_single_cause_costs_little_more_than_halving(count: int) -> None:
    ids = names(count)
    paid = [len(search(ids, any_of(frozenset([cause])))[1]) - 2 for cause in ids]
    assert statistics.median(paid) <= math.ceil(math.log2(count)) + 2
    assert max(paid) <= math.ceil(math.log2(count)) + 3


def test_a_good_prior_saves_probes_and_a_wrong_one_costs_few() -> None:
    ids = names(32)
    good = [search(ids, any_of(frozenset([cause])), {cause: 0.9})[1] for cause in ids]
    wrong = [search(ids, any_of(frozenset([cause])), dict.fromkeys(set(ids[:16]) - {cause}, 0.9))[1] for cause in ids]
    assert statistics.fmean(map(len, good)) - 2 <= 3
    assert max(map(len, wrong)) - 2 <= 5 + 5


@pytest.mark.parametrize("count", [2, 3, 4, 7, 16, 32, 40])
@pytest.mark.parametrize("has_prior", [False, True])
def test_two_causes_are_both_found(count: int, has_prior: bool) -> None:
    dice, ids = random.Random(count), names(count)
    for _ in range(40):
        causes = {frozenset([one]) for one in dice.sample(ids, 2)}
        done, told = search(ids, any_of(*causes), {one: dice.random() for one in ids} if has_prior else None)
        assert (done.status, set(done.causes)) == ("confirmed", causes)
        assert is_proven(done, told, ids)
        assert is_minimal(done, told, ids)


@pytest.mark.parametrize("count", [2, 3, 4, 7, 16, 32, 40])
@pytest.mark.parametrize("size", [2, 3])
def test_changes_that_are_bad_only_together_are_one_cause(count: int, size: int) -> None:
    dice, ids = random.Random(count), names(count)
    for _ in range(40):
        cause = frozenset(dice.sample(ids, min(size, count)))
        done, told = search(ids, any_of(cause))
        assert (done.status, done.causes) == ("confirmed", (cause,))
        assert is_proven(done, told, ids)


@pytest.mark.parametrize("count", [3, 8, 16, 40])
def test_a_cause_that_another_change_masks_is_not_blamed(count: int) -> None:
    """Without the culprit the bad build is good, whatever the masked one does alone."""
    dice, ids = random.Random(count), names(count)
    noticed = 0
    for _ in range(40):
        masked, mask, culprit = dice.sample(ids, 3)

        def world(probe: Atoms, masked: str = masked, mask: str = mask, culprit: str = culprit) -> Verdict:
            return "bad" if culprit in probe or (masked in probe and mask not in probe) else "good"

        done, told = search(ids, world)
        assert is_proven(done, told, ids)
        assert done.causes == (frozenset([culprit]),)
        noticed += f"bad alone, and yet need not go: {masked}" in done.notes
    assert noticed


@pytest.mark.parametrize("count", [4, 8, 16, 32])
def test_changes_that_only_build_together_are_one_cause(count: int) -> None:
    dice, ids = random.Random(count), names(count)
    for _ in range(40):
        group = frozenset(dice.sample(ids, 2))
        cause = dice.choice([group, frozenset([dice.choice(sorted(set(ids) - group))])])
        done, told = search(ids, only_together(any_of(frozenset([min(cause)])), group))
        assert (done.status, done.causes) == ("confirmed", (cause,))
        assert is_proven(done, told, ids)


def test_of_two_pairs_that_only_build_together_none_joins_the_cause() -> None:
    """Where it is not confirmed after so many skips, it says so; nothing innocent is ever in a cause."""
    confirmed = 0
    for seed in range(60):
        ids = names(16)
        chosen = random.Random(seed).sample(ids, 4)
        pairs = frozenset(chosen[:2]), frozenset(chosen[2:])
        done, _ = search(ids, only_together(any_of(frozenset(chosen[:1])), *pairs))
        assert (done.status, done.causes) in {("confirmed", pairs[:1]), ("inseparable", ())}
        confirmed += done.status == "confirmed"
    assert confirmed >= 48


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("bad", "bad", "the good build is bad when built again"),
        ("good", "good", "the bad build is good when built again"),
        ("skip", "bad", "the good build could not be built again"),
        ("good", "skip", "the bad build could not be built again"),
    ],
)
def test_without_a_good_and_a_bad_end_it_is_not_reproduced(good: Verdict, bad: Verdict, said: str) -> None:
    done, told = search(names(5), lambda probe: good if probe == NONE else bad)
    assert done.status == "not reproduced"
    assert said in done.why
    assert len(told) <= 2
    assert not done.causes


def anything(seed: int) -> tuple[list[str], World, dict[str, float]]:
    """Verdicts that follow no rule, or one that others break; but of the two builds, what is expected."""
    dice = random.Random(seed)
    ids = names(dice.choice([1, 2, 3, 4, 5, 6, 8, 12, 20, 40]))
    share_bad, share_skipped = dice.random(), dice.random() * dice.choice([0, 0.3, 1])
    terms = [frozenset(dice.sample(ids, dice.randint(1, min(3, len(ids))))) for _ in range(dice.randint(0, 4))]
    masks = [dice.choices(ids, k=2) for _ in range(dice.randint(0, 4))]

    def world(probe: Atoms) -> Verdict:
        lot = random.Random(f"{seed} {sorted(probe)}")
        if probe in (NONE, frozenset(ids)):
            return "bad" if probe else "good"
        if lot.random() < share_skipped:
            return "skip"
        left = probe.difference(masked for mask, masked in masks if mask in probe)
        is_bad = any(term <= left for term in terms) if terms else lot.random() < share_bad
        return "bad" if is_bad else "good"

    return ids, world, {one: dice.random() for one in ids} if dice.random() < 0.5 else {}


@pytest.mark.parametrize("start", range(0, 1000, 100))
def test_whatever_is_told_it_ends_and_what_is_confirmed_was_told(start: int) -> None:
    seen = set()
    for seed in range(start, start + 100):
        ids, world, weights = anything(seed)
        done, told = search(ids, world, weights)
        seen.add(done.status)
        assert done.status in ("confirmed", "inseparable")
        assert done.status != "confirmed" or is_proven(done, told, ids)
        assert done.status != "confirmed" or done.notes or is_minimal(done, told, ids)
        assert len(told) <= len(ids) * (math.log2(len(ids)) + 7) + 10
        assert sorted([*done.suspects, *done.cleared, *done.untested, *NONE.union(*done.causes)]) == sorted(ids)
    assert seen == {"confirmed", "inseparable"}


@pytest.mark.parametrize("seed", range(40))
def test_what_comes_next_depends_on_what_was_told_alone(seed: int) -> None:
    """Killed after any probe, and told the same in another order, it goes on with the same."""
    ids, world, weights = anything(seed)
    done, told = search(ids, world, weights)
    lines = list(told.items())
    for count in range(len(lines) + 1):
        shuffled = random.Random(count).sample(lines[:count], count)
        step = next_step(ids, weights, dict(shuffled))
        assert step == done if count == len(lines) else isinstance(step, Probe) and step.atoms == lines[count][0]


def test_verdicts_of_earlier_builds_are_for_free() -> None:
    ids, world = names(32), any_of(frozenset(["change 20"]))
    told: dict[Atoms, Verdict] = {NONE: "good", frozenset(ids): "bad"}
    told |= {frozenset(ids[:count]): world(frozenset(ids[:count])) for count in (20, 22)}
    asked = 0
    while isinstance(step := next_step(ids, {}, told), Probe):
        told[step.atoms], asked = world(step.atoms), asked + 1
    assert step.causes == (frozenset(["change 20"]),)
    assert asked <= 3


def test_as_many_as_allowed_and_it_stops_with_suspects() -> None:
    ids = names(32)
    done, told = search(ids, any_of(frozenset(["change 20"])), most=4)
    assert (done.status, len(told)) == ("stopped", 4)
    assert not done.causes
    assert "change 20" in done.suspects
    assert len(done.suspects) < 32


def test_the_last_probe_allowed_may_confirm() -> None:
    ids, world = names(8), any_of(frozenset(["change 2"]))
    _, told = search(ids, world)
    assert search(ids, world, most=len(told))[0].status == "confirmed"
    assert search(ids, world, most=len(told) - 1)[0].status == "stopped"


def test_many_small_changes_that_add_up_do_not_lead_away_from_a_large_one() -> None:
    """Each of twelve costs a little, together barely enough; the thirteenth alone is worse than all of them."""
    ids = [f"{number:02}" for number in range(13)]
    cost = dict.fromkeys(ids, 0.045) | {"12": 0.9}
    told, shares = {}, {}
    whole = sum(cost.values())
    weights = {one: 1 - number / 20 for number, one in enumerate(ids)}
    while isinstance(step := next_step(ids, weights, told, shares=shares), Probe):
        shares[step.atoms] = sum(cost[one] for one in step.atoms) / whole
        told[step.atoms] = "bad" if shares[step.atoms] > 0.35 else "good"
    assert step.causes[0] == {"12"}
    assert list(shares).index(frozenset(["12"])) <= 8


def test_without_numbers_the_same_search_is_longer() -> None:
    """What the numbers are good for: that the guard fires."""
    ids = [f"{number:02}" for number in range(13)]
    cost = dict.fromkeys(ids, 0.045) | {"12": 0.9}
    told, whole = {}, sum(cost.values())
    weights = {one: 1 - number / 20 for number, one in enumerate(ids)}
    while isinstance(step := next_step(ids, weights, told), Probe):
        told[step.atoms] = "bad" if sum(cost[one] for one in step.atoms) / whole > 0.35 else "good"
    assert len(told) > 20
