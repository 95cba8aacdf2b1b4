# SPDX-License-Identifier: Apache-2.0
"""The fault-injection benchmark counts as it says, stretches the clock without turning it, and proves its cases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.faults.case import Case, Warm, play, prove
from benchmarks.faults.decoys import decoys_for
from benchmarks.faults.faults import SHAPES, faults_for
from benchmarks.faults.figures import Place, wilson
from benchmarks.faults.judge import judge
from benchmarks.faults.retell import Calendar, retell
from benchmarks.faults.shapes.linear import LINEAR
from benchmarks.faults.world import FIRST_DAY
from lineagekit.store.log import open_store

SECOND, DAY = 10**9, 86_400 * 10**9


def test_there_are_enough_shapes_faults_and_decoys() -> None:
    kinds = {fault.kind for shape in SHAPES for fault in faults_for(shape, seed=0)}
    assert (len(SHAPES) >= 4, len(kinds) >= 12) == (True, True)
    assert all(len(decoys_for(shape)) >= 8 for shape in SHAPES)


def test_intervals_are_those_of_wilson() -> None:
    assert wilson(19, 20) == pytest.approx((0.7639, 0.9911), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_who_names_all_is_right_by_chance() -> None:
    assert (Place(0, 4).within(1), Place(0, 4).within(3), Place(2, 4).within(3)) == (0.25, 0.75, 0.25)
    assert Place(1, 2).reciprocal == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (Place.of_rank(0).within(3), Place.of_rank(0).reciprocal) == (0.0, 0.0)


def test_the_stretched_clock_keeps_the_order() -> None:
    calendar = Calendar.of([1000 * SECOND, 1010 * SECOND, 1013 * SECOND])
    times = [calendar.move(second * SECOND) for second in (900, 1000, 1009, 1010, 1012, 1013, 1020)]
    assert times == sorted(times)
    assert times[3] - times[1] == DAY
    assert datetime.fromtimestamp(times[1] / SECOND, UTC).date() == FIRST_DAY


@pytest.mark.slow
def test_a_fault_is_played_proven_and_found_and_inputs_can_be_left_out(tmp_path: Path) -> None:
    fault = next(fault for fault in faults_for("linear", seed=0) if fault.kind == "label flip")
    case = Case(LINEAR, fault, ((3, decoys_for("linear")[0]),), seed=0)
    with Warm() as warm:
        played = play(case, tmp_path, warm)
    proof = prove(case, played)
    assert (proof.hurts, proof.is_harmless) == (True, True)
    calendar = Calendar.of(played.begins)
    for missing in (0.0, 0.5):
        retell(played.store, tmp_path / f"told-{missing}", calendar, missing=missing)
    judged = judge(tmp_path / "told-0.0", case)
    assert (judged.gate, judged.pair, judged.rank) == ("real", (9, 10), 1)
    counts = []
    for folder in (played.store, tmp_path / "told-0.0", tmp_path / "told-0.5"):
        with open_store(folder, make=False) as store:
            counts.append(sum(len(row.event["inputs"]) for row in store.events(limit=1000)))
    assert counts[0] == counts[1] > counts[2] > 0
