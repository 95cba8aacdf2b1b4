# SPDX-License-Identifier: Apache-2.0
"""What is learned later lies beside the event, and contradictions are never settled by guessing."""

from __future__ import annotations

from itertools import permutations

import pytest

from lineagekit.store.log import Refinement, Store, resolve

KEY = b"sixteen bytes...."[:16]
UNKNOWN = {"state": "unknown", "reason": "over budget", "bytes": 7}
ONE = {"state": "exact", "digest": "blake3:aa", "bytes": 7}
OTHER = {"state": "exact", "digest": "blake3:bb", "bytes": 7}


def refinement(facet: dict[str, object], name: str = "/data/x.csv") -> Refinement:
    return Refinement(KEY, "input", "file", name, facet)


def test_refinements_are_kept_once_and_read_in_order(store: Store) -> None:
    first, second = refinement(ONE), refinement(OTHER, name="/data/caf\udce9")
    assert store.refine([first, first]) == 1
    assert store.refine([first, second]) == 1
    assert store.refinements(KEY) == [first, second]
    assert store.refinements(b"another") == []


def test_exact_beats_unknown() -> None:
    assert resolve([UNKNOWN, ONE]) == resolve([ONE, UNKNOWN]) == ONE


def test_nothing_exact_leaves_what_the_event_said() -> None:
    assert resolve([UNKNOWN, {"state": "unknown", "reason": "gone"}]) == UNKNOWN
    assert resolve([]) == {}


@pytest.mark.parametrize("field", ["digest", "lks1", "lkt1"])
def test_two_exact_digests_are_a_conflict_which_is_unknown(field: str) -> None:
    facets = [UNKNOWN, {"state": "exact", field: "lkt1;a=b:aa"}, {"state": "exact", field: "lkt1;a=b:bb"}]
    for order in permutations(facets):
        believed = resolve(order)
        assert believed["state"] == "unknown"
        assert believed["reason"].startswith("conflict: both ")
        assert field not in believed


def test_digests_of_two_algorithms_contradict_nothing_and_the_better_one_stands_first() -> None:
    stopgap = {"state": "exact", "digest": "sha256:cc", "rows": 3}
    assert resolve([stopgap, ONE]) == resolve([ONE, stopgap]) == {**ONE, "rows": 3}


def test_an_exact_facet_learned_later_adds_what_the_first_did_not_know() -> None:
    assert resolve([ONE, {"state": "exact", "digest": "blake3:aa", "lkt1": "lkt1:cc"}]) == {**ONE, "lkt1": "lkt1:cc"}
