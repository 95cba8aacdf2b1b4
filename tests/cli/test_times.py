# SPDX-License-Identifier: Apache-2.0
"""Whatever time an event claims to be of, a person is told something sensible."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.cli.times import ago, moment, parse_since
from lineagekit.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
class TestAnywhere:
    def test_the_first_and_the_last_moment_of_all_are_told(self) -> None:
        assert moment(FIRST).startswith(("0001-01-01 ", "0001-01-02"))
        assert moment(LAST).startswith(("9999-12-31 ", "9999-12-30"))

    def test_what_no_local_calendar_has_is_told_in_utc(self) -> None:
        told = {moment(FIRST), moment(LAST)}
        assert all(len(one) == 19 or one.endswith(" UTC") for one in told)

    def test_beyond_all_years_words_are_left(self) -> None:
        assert moment(FIRST - 1) == "before the year 1"
        assert moment(-(1 << 62)) == "before the year 1"
        assert moment(LAST + 1) == "after the year 9999"
        assert moment(1 << 70) == "after the year 9999"


def test_a_moment_is_local_and_without_fraction() -> None:
    assert moment(0) == datetime.fromtimestamp(0).strftime("%Y-%m-%d %H:%M:%S")
    assert moment(1_793_491_200_999_999) == moment(1_793_491_200_000_000)
    assert moment(-1) == moment(-1_000_000)


@given(st.integers(FIRST, LAST))
def test_each_event_has_a_moment(microseconds: int) -> None:
    utc = EPOCH + timedelta(microseconds=microseconds)
    assert abs(int(moment(microseconds)[:4]) - utc.year) <= 1
    assert moment(microseconds)[4] == "-"


def test_what_is_still_to_come_was_not_a_moment_ago() -> None:
    assert ago(LAST) == "in the future"
    assert ago(10_000_000, now=0) == "0 s ago"  # clocks differ


@pytest.mark.parametrize("text", ["9999-12-31 23:59:59", "0001-01-01", "1969-12-31", "99999999999999999999 w"])
def test_any_date_and_any_age_is_a_moment_of_which_there_may_be_events(text: str) -> None:
    assert FIRST <= parse_since(text) <= LAST


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "-2 d", "10000-01-01"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a moment"):
        parse_since(text)
