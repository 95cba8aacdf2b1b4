# SPDX-License-Identifier: Apache-2.0
"""Events that come by the thousand are the same as those that come one by one."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.store.log import Entry, RunRow, Store, open_store
from lineagekit.store.packing import pack_all, unpack
from lineagekit.store.rows import Outline
from tests.store.worlds import ENDS, MOMENT, entries, entry

some_events = st.lists(
    st.builds(
        lambda run, type_, time, job, inputs: entry(run, type_, time=MOMENT + time, job=job, inputs=inputs),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["START", "RUNNING", "OTHER", *ENDS]),
        st.integers(0, 3),
        st.sampled_from(["train", "train.py", "tr\u00e4in", "\udcff", "\U0001f600"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(events=some_events, data=st.data())
@settings(max_examples=40, deadline=None)
def test_however_they_are_parted_the_log_and_its_runs_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, events: list[Entry], data: st.DataObject
) -> None:
    logs = []
    size = data.draw(st.integers(1, 12))
    for step in (1, size):
        with open_store(tmp_path_factory.mktemp("parted")) as store:
            new = sum(store.append(events[start : start + step]) for start in range(0, len(events), step))
            assert new == len({one.key for one in events}) == store.last_seq()
            logs.append((store.events(), store.recent_runs()))
    assert logs[0] == logs[1]


def test_thousands_take_places_one_after_the_other_and_pass_over_what_is_known(store: Store) -> None:
    some = entries(2500)
    assert store.append(some[::7]) == len(some[::7])
    assert store.append([*some, *some[:10]]) == 2500 - len(some[::7])
    rows = store.events(limit=10_000)
    assert [row.seq for row in rows] == list(range(1, 2501))
    expected = some[::7] + [one for number, one in enumerate(some) if number % 7]
    assert [(row.key, row.run, row.time) for row in rows] == [(one.key, one.run, one.time) for one in expected]
    assert {row.run: row.seq for row in store.recent_runs(10_000)} == {row.run: row.seq for row in rows}
    assert store.damaged() == []


def test_json_that_is_at_hand_is_kept_byte_for_byte(store: Store) -> None:
    raw = b'{"job" : {"name":"\\u0061"} ,"n":1.50}'
    store.append([replace(entry("a"), body=raw, outline=Outline("train", "shop", 2, 1))])
    (row,) = store.events()
    assert row.body == raw
    assert row.event == {"job": {"name": "a"}, "n": 1.5}
    assert store.recent_runs() == [RunRow("a", "train", "shop", "RUNNING", MOMENT, None, 2, 1, 1)]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 500])
def test_what_was_packed_together_is_unpacked_alone(count: int) -> None:
    bodies = [os.urandom(number % 50) * (number % 7) for number in range(count)]
    packed = pack_all(bodies, [(number, "name") for number in range(count)])
    assert [unpack(one, number, "name") for number, one in enumerate(packed)] == bodies
    assert all(unpack(one, number + 1, "name") is None for number, one in enumerate(packed))
