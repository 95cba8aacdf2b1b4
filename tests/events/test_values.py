# SPDX-License-Identifier: Apache-2.0
"""Values that JSON, PostgreSQL and doubles can hold."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.events.values import count, exact_moment, moment, plain, plain_mapping, text
from tests.events.accounts import texts, values


@given(values)
def test_what_is_plain_survives_json_and_stays_plain(value: object) -> None:
    kept = plain(value)
    assert json.loads(json.dumps(kept, allow_nan=False).encode()) == kept
    assert plain(kept) == kept


@given(texts, st.integers(100, 200))
def test_a_text_is_valid_and_no_longer_than_it_may_be(value: str, limit: int) -> None:
    shown = text(value, limit)
    assert len(shown) <= limit
    assert shown.encode().count(b"\0") == 0
    assert text(shown, limit) == shown


def test_a_text_that_was_cut_says_how_long_it_was() -> None:
    assert text("x" * 500, 100).endswith("xxx... (500 characters)")


def test_what_is_no_utf8_is_shown() -> None:
    assert text("a\udcff\0") == "a\\udcff\\u0000"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (True, True),
        ({1: None, "a": [None, 2]}, {"a": [2]}),
        (datetime(2026, 1, 1), "2026-01-01 00:00:00"),
        (None, None),
    ],
)
def test_a_value_becomes_what_everybody_can_read(value: object, kept: object) -> None:
    assert plain(value) == kept


def test_an_integer_of_a_million_digits_is_no_trouble() -> None:
    assert str(plain(1 << 4_000_000)).startswith("0x1000")


def test_what_is_nested_without_end_is_cut() -> None:
    nested: list[object] = []
    for _ in range(500):
        nested = [nested]
    assert "(nested deeper)" in json.dumps(plain(nested))


def test_keys_are_short_texts() -> None:
    (key,) = plain_mapping({"k" * 300: 1})
    assert len(key) <= 200


def test_a_count_is_not_negative_and_fits_64_bits() -> None:
    assert [count(n) for n in (None, -1, 0, 2**63)] == [None, None, 0, None]


@given(st.integers(0, 253_402_300_799 * 10**9))
def test_times_are_what_datetime_says(nanoseconds: int) -> None:
    expected = datetime.fromtimestamp(nanoseconds // 10**9, UTC).replace(microsecond=nanoseconds // 1000 % 10**6)
    assert datetime.fromisoformat(moment(nanoseconds)) == expected
    assert exact_moment(nanoseconds) == f"{moment(nanoseconds)[:-1]}{nanoseconds % 1000:03}Z"


def test_a_time_beyond_all_calendars_is_the_last_one() -> None:
    assert moment(2**80).startswith("9999-12-31T23:59:59")
