# SPDX-License-Identifier: Apache-2.0
"""Moments and durations in the words of people.

>>> took(1_234_567), took(90_000_000), ago(0, now=7_200_000_000)
('1.2 s', '1 min 30 s', '2 h ago')
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from lineagekit.errors import UsageError

_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SECOND = 1_000_000
_AHEAD = 60  # seconds by which two clocks may differ
_EPOCH = datetime(1970, 1, 1)
_FIRST, _LAST = -62_135_596_800 * _SECOND, 253_402_300_800 * _SECOND - 1  # of the years 1 to 9999


def moment(microseconds: int) -> str:
    """Local date and time, to the second; in UTC at the ends of the calendar, and words for what lies beyond."""
    if not _FIRST <= microseconds <= _LAST:
        return "before the year 1" if microseconds < 0 else "after the year 9999"
    seconds = microseconds // _SECOND
    try:
        return datetime.fromtimestamp(seconds).isoformat(" ")
    except (ValueError, OverflowError, OSError):
        return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat(' ')} UTC"


def took(microseconds: int) -> str:
    """A duration, as exactly as it matters."""
    seconds = microseconds / _SECOND
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def ago(microseconds: int, *, now: int | None = None) -> str:
    """How long since."""
    seconds = ((time.time_ns() // 1000 if now is None else now) - microseconds) // _SECOND
    if seconds < -_AHEAD:
        return "in the future"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{max(seconds, 0)} s ago"


def parse_since(text: str) -> int:
    """Microseconds since 1970 of "2 d", "90min", "2026-11-25" or "2026-11-25 14:00"; UsageError for all else."""
    if found := re.fullmatch(r"(\d+)\s*(s|min|m|h|d|w)", text.strip()):
        return max(time.time_ns() // 1000 - int(found[1]) * _UNITS[found[2]] * _SECOND, _FIRST)
    try:
        return _microseconds(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise UsageError(
            f"not a moment: got {text!r}, expected a date or an age", advice='Say "2026-11-25" or "2 d".'
        ) from None


def _microseconds(moment: datetime) -> int:
    try:
        seconds = moment.timestamp()
    except (ValueError, OverflowError, OSError):  # at the ends of the calendar a local time may have none
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return min(max(int(seconds * _SECOND), _FIRST), _LAST)
