# SPDX-License-Identifier: Apache-2.0
"""What orjson spells is used where json would spell the same, and only there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.identity import canonical
from lineagekit.identity.canonical import encode_block

needs_orjson = pytest.mark.skipif(not canonical._FAST, reason="orjson is not here, or spells numbers anew")

NAMES = [
    "table-0.parquet",
    "0197a1b2-3e-4f",
    "1e-7",
    "a:1e-7,",
    '[-2.5e-10,"x',
    "-e-",
    "e-",
    "0.5e-3]",
    "0.00001}",
    "1e-7\n",
]
small = st.floats(-1e-3, 1e-3) | st.sampled_from([1e-5, 12.00001, -1e-7, 2.5e-10, 5e-324, -1e308, 1e22, 0.0001])
texts = st.sampled_from(NAMES) | st.text(alphabet='e-019.:,[]{}\\" \n', max_size=8)
records = st.recursive(
    small | texts | st.integers(-99, 99) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def as_json(record: Any) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@given(st.lists(records, max_size=5))
def test_small_numbers_and_texts_like_them_are_spelled_as_json_does(block: list[Any]) -> None:
    assert encode_block(block) == b"".join(map(as_json, block))


@pytest.mark.parametrize("number", [1e-5, 1.2e-5, 9.99e-5, 1e-6, 1e-7, -1e-7, 1.5e-10, -2.25e-300, 5e-324])
@pytest.mark.parametrize("place", ["{}", "[{}]", "[0,{}]", '{{"a":{}}}', '{{"a":[1,{{"b":{}}}]}}'])
def test_a_small_number_is_found_wherever_it_stands(number: float, place: str) -> None:
    record = json.loads(place.format(number))
    assert encode_block([record]) == as_json(record)
    assert encode_block([0, record]) == b"0\n" + as_json(record)


@needs_orjson
@pytest.mark.parametrize("name", [*NAMES[:3], "01970000-0000-700e-8000-00000000000e", "2026-11-01T00:00:00.000012Z"])
def test_a_name_like_a_small_number_costs_nothing(name: str) -> None:
    record = {"name": name, "names": [name], name: 1.5}
    lines = canonical._encode_fast([record])
    assert lines is not None
    assert canonical._is_canonical(b"".join(lines), lines, [record])
