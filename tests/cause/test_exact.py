# SPDX-License-Identifier: Apache-2.0
"""Exact facts: what a moving window brings by habit accuses nobody; what it never did before is said first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from lineagekit.cause.cadence import split_key
from lineagekit.cause.exact import exact_facts, quiet_days
from lineagekit.cause.fact import DAY, Fact, Observation

FIRST = date(2026, 3, 2)  # a Monday
Content = Callable[[date, date], str | None]
"""Of a day's part as it is read on a later day; None while there is none."""


def steady(day: date, _: date) -> str:
    return f"of {day}"


def builds(count: int, content: Content, *, window: int = 14, every: int = 1) -> list[Observation]:
    """A build each morning at six that reads the days before it, from the fifteenth day on."""
    found = []
    for number in range(0, count, every):
        today = FIRST + timedelta(days=window + number)
        parts = {
            f"dt={today - timedelta(days=age)}": content(today - timedelta(days=age), today)
            for age in range(1, window + 1)
        }
        found.append(Observation(at(today), {key: digest for key, digest in parts.items() if digest}))
    return found


def at(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 6, tzinfo=UTC).timestamp()) * 1_000_000


def facts(observations: Sequence[Observation], recent: int = 1, *, quiet: Sequence[int] = ()) -> tuple[Fact, ...]:
    return exact_facts(observations[:-recent], observations[-recent:], quiet=quiet)


def unusual(found: Sequence[Fact]) -> list[tuple[str, str]]:
    return [(fact.kind, fact.key) for fact in found if fact.is_unusual]


def last_day(count: int) -> date:
    """The newest part that the last of so many builds should have."""
    return FIRST + timedelta(days=14 + count - 2)


def test_a_window_that_moves_on_is_nothing_unusual() -> None:
    found = facts(builds(28, steady), 7)
    assert unusual(found) == []
    assert [fact.kind for fact in found] == ["expired"] * 7 + ["entered"] * 7


def test_a_part_with_the_content_of_the_day_before_is_stale() -> None:
    day = last_day(28)
    found = facts(builds(28, lambda d, _: f"of {d - timedelta(days=1)}" if d == day else f"of {d}"))
    assert unusual(found) == [("stale", f"dt={day}")]
    assert (
        found[0].sentence == f"dt={day} has the content of {day - timedelta(days=1)}, once; before, never in 40 parts"
    )
    assert found[0].age == 1


def test_a_feed_that_often_repeats_itself_is_not_stale() -> None:
    found = facts(builds(28, lambda d, _: f"of {d.toordinal() // 2}"), 7)
    assert unusual(found) == []
    assert "stale" in {fact.kind for fact in found}


def test_stale_for_longer_than_ever_is_unusual_even_in_a_feed_that_repeats_itself() -> None:
    end = last_day(28)
    assert ("stale", f"dt={end}") in unusual(
        facts(builds(28, lambda d, _: f"of {min(d, end - timedelta(days=4)).toordinal() // 2}"), 7)
    )


def test_a_part_that_does_not_come_is_missing_only_after_the_usual_wait() -> None:
    day = last_day(28)
    found = facts(builds(28, lambda d, _: None if d == day else f"of {d}"), 2)
    assert unusual(found) == []  # in that build it was not yet later than any before
    found = facts(builds(29, lambda d, _: None if d == day else f"of {d}"), 3)
    assert unusual(found) == [("missing", str(day))]
    assert found[0].sentence == f"{day} is missing; before, 0 such days in 39"


def test_a_part_that_came_later_than_any_before_is_late() -> None:
    day = last_day(28) - timedelta(days=5)
    found = facts(builds(28, lambda d, today: None if d == day and (today - d).days < 4 else f"of {d}"), 7)
    assert unusual(found) == [("late", f"dt={day}")]
    assert "came later than 3 days after" in found[0].sentence


def test_a_part_of_the_middle_that_vanishes_is_missing() -> None:
    day = last_day(28) - timedelta(days=6)
    end = FIRST + timedelta(days=14 + 27)
    found = facts(builds(28, lambda d, today: None if d == day and today == end else f"of {d}"))
    assert unusual(found) == [("missing", f"dt={day}")]


def test_a_feed_that_restates_its_last_three_days_by_habit_is_not_unusual() -> None:
    found = facts(builds(28, lambda d, today: f"of {d} at {min(3, (today - d).days)}"), 7)
    assert unusual(found) == []
    assert {fact.kind for fact in found} == {"entered", "expired", "restated"}
    assert "before, up to 3 days" in next(fact.sentence for fact in found if fact.kind == "restated")


@pytest.mark.parametrize("habit", [0, 3])
def test_a_part_that_is_rewritten_at_an_age_never_seen_is_unusual(habit: int) -> None:
    day, end = last_day(28) - timedelta(days=9), FIRST + timedelta(days=14 + 27)

    def content(d: date, today: date) -> str:
        return f"of {d} at {min(habit, (today - d).days)}, {d == day and today == end}"

    found = facts(builds(28, content))
    assert unusual(found) == [("restated", f"dt={day}")]
    assert found[0].age == 10


def test_builds_a_week_apart_do_not_make_the_habit_look_older() -> None:
    found = facts(builds(29, lambda d, today: f"of {d} at {min(3, (today - d).days)}", every=7))
    assert unusual(found) == []


def test_weekends_of_a_weekday_feed_are_not_missing() -> None:
    assert unusual(facts(builds(29, lambda d, _: f"of {d}" if d.weekday() < 5 else None), 7)) == []


def test_a_holiday_of_a_weekday_feed_is_missing_and_not_unusual_where_other_feeds_rest_too() -> None:
    holiday = FIRST + timedelta(days=35)  # a Monday

    def content(d: date, _: date) -> str | None:
        return f"of {d}" if d.weekday() < 5 and d != holiday else None

    feed = builds(28, content)
    assert unusual(facts(feed, 7)) == [("missing", str(holiday))]
    quiet = quiet_days({"orders": feed, "visits": builds(28, content), "rates": builds(28, steady)})
    assert quiet == {at(holiday) // DAY}
    found = facts(feed, 7, quiet=list(quiet))
    assert unusual(found) == []
    assert f"{holiday} is missing; as in other feeds" in [fact.sentence for fact in found]


def test_a_weekly_feed_is_not_missing_on_other_days_and_is_when_a_week_has_none() -> None:
    def weekly(d: date, _: date) -> str | None:
        return f"of {d}" if d.weekday() == 0 else None

    assert unusual(facts(builds(49, weekly, window=28), 7)) == []
    gone = FIRST + timedelta(days=70)
    found = facts(builds(49, lambda d, t: weekly(d, t) if d != gone else None, window=28), 7)
    assert [fact.kind for fact in found if fact.is_unusual] == ["missing"]
    assert "no part came for" in found[0].sentence


def test_a_window_that_lost_half_of_its_days_says_how_many_are_left() -> None:
    end = FIRST + timedelta(days=14 + 27)
    found = facts(builds(28, lambda d, today: None if today == end and (today - d).days > 7 else f"of {d}"))
    assert {fact.kind for fact in found if fact.is_unusual} == {"expired"}
    assert "; the oldest left is of 7 days ago, before never less than 14 days" in found[0].sentence


def test_streams_of_one_feed_are_judged_apart() -> None:
    def both(one: Mapping[str, str]) -> dict[str, str]:
        return {f"{land}/{key[3:]}": f"{land} {digest}" for key, digest in one.items() for land in ("de", "fr")}

    observations = [Observation(one.when, both(one.parts)) for one in builds(28, steady)]
    day = last_day(28)
    observations[-1] = Observation(observations[-1].when, {**observations[-1].parts, f"fr/{day}": "other"})
    assert unusual(facts(observations)) == []
    stale = observations[-1].parts[f"fr/{day - timedelta(days=1)}"]
    observations[-1] = Observation(observations[-1].when, {**observations[-1].parts, f"fr/{day}": stale})
    assert unusual(facts(observations)) == [("stale", f"fr/{day}")]


def test_two_builds_alone_accuse_only_old_parts_of_being_rewritten() -> None:
    day, end = last_day(28) - timedelta(days=9), FIRST + timedelta(days=14 + 27)
    two = builds(28, lambda d, today: f"of {d} at {min(3, (today - d).days)}, {d == day and today == end}")[-2:]
    found = facts(two)
    assert unusual(found) == [("restated", f"dt={day}")]
    assert "no earlier build tells" in found[0].sentence


def test_unknown_digests_say_nothing() -> None:
    observations = builds(28, steady)
    observations[-1] = Observation(observations[-1].when, dict.fromkeys(observations[-1].parts, ""))
    assert unusual(facts(observations)) == []
    assert {fact.kind for fact in facts(observations)} == {"entered", "expired"}


def undated(*digests: str) -> list[Observation]:
    return [Observation(at(FIRST + timedelta(days=n)), {"rates.csv": one}) for n, one in enumerate(digests)]


def test_a_file_that_never_changed_and_does_is_unusual_and_one_that_always_does_is_not() -> None:
    assert unusual(facts(undated(*["a"] * 20, "b"))) == [("restated", "rates.csv")]
    found = facts(undated(*map(str, range(20))))
    assert [(fact.kind, fact.is_unusual) for fact in found] == [("restated", False)]


def test_a_file_that_changed_every_day_and_stopped_is_stale() -> None:
    found = facts(undated(*map(str, range(20)), *["19"] * 9), 9)
    assert unusual(found) == [("stale", "rates.csv")]
    assert found[0].sentence == "rates.csv has not changed for 9 days; before, never for more than 1 day"


def test_files_with_random_names_come_and_go() -> None:
    observations = [Observation(at(FIRST + timedelta(days=n)), {f"part-x{n}": f"d{n}"}) for n in range(10)]
    assert unusual(facts(observations)) == []
    assert unusual(facts([*undated(*"aaaa"), Observation(at(FIRST + timedelta(days=9)), {})])) == [
        ("missing", "rates.csv")
    ]


def test_without_history_there_are_no_facts() -> None:
    assert exact_facts([], builds(1, steady)) == exact_facts(builds(1, steady), []) == ()


@pytest.mark.parametrize(
    ("key", "stream", "day"),
    [
        ("2026-05-01", "{}", "2026-05-01T00:00"),
        ("eu/20260501", "eu/{}", "2026-05-01T00:00"),
        ("2026/05/01/03", "{}", "2026-05-01T03:00"),
        ("2026-05-01/part-0", "{}/part-0", "2026-05-01T00:00"),
        ("2026-05", "{}", "2026-05-01T00:00"),
        ("2026-W22", "{}", "2026-05-25T00:00"),
        ("2026-02-30", "2026-02-30", None),
        ("12", "12", None),
    ],
)
def test_a_key_is_split_into_its_stream_and_its_time(key: str, stream: str, day: str | None) -> None:
    time = int(datetime.fromisoformat(f"{day}+00:00").timestamp()) * 1_000_000 if day else None
    assert split_key(key) == (stream, time)


def test_a_part_that_comes_with_what_another_one_came_with_is_stale_though_that_was_rewritten_since() -> None:
    day = last_day(28)

    def content(d: date, today: date) -> str:
        source = d - timedelta(days=1) if d == day else d
        return f"of {source} at {min(3, (today - d).days)}"

    assert unusual(facts(builds(28, content))) == [("stale", f"dt={day}")]


def test_parts_older_than_all_that_were_read_are_filled_in_and_not_late() -> None:
    observations = builds(28, steady)
    old = {f"dt={FIRST - timedelta(days=age)}": f"old {age}" for age in range(9)}
    observations[-1] = Observation(observations[-1].when, {**old, **observations[-2].parts, **observations[-1].parts})
    assert unusual(facts(observations)) == []
    assert sum(fact.kind == "entered" for fact in facts(observations)) == 10


def test_a_build_that_knows_no_digests_teaches_no_habit_of_rewriting() -> None:
    day, end = last_day(28) - timedelta(days=9), FIRST + timedelta(days=14 + 27)
    observations = builds(28, lambda d, today: f"of {d}, {d == day and today == end}")
    blind = [Observation(one.when, dict.fromkeys(one.parts, "")) for one in observations]
    mixed = [blind[n] if n % 3 == 0 and n < 27 else one for n, one in enumerate(observations)]
    assert unusual(facts(mixed)) == [("restated", f"dt={day}")]


def test_a_part_that_was_filled_in_late_once_does_not_make_every_wait_usual() -> None:
    filled, gone = FIRST + timedelta(days=16), last_day(28) - timedelta(days=2)

    def content(d: date, today: date) -> str | None:
        return None if d == gone or (d == filled and (today - d).days < 10) else f"of {d}"

    assert unusual(facts(builds(28, content), 4)) == [("missing", str(gone))]
