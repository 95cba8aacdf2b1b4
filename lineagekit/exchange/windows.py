# SPDX-License-Identifier: Apache-2.0
"""Which windows of a server's history to read: those never read, those whose count has changed, and the last hours.

    >>> for piece in Scan(reader, store.windows("http://localhost:5000")).run(FIRST, END):  # doctest: +SKIP
    ...     print(piece.window, len(piece.events))

A window with more events than a page holds is halved, until each half is read in one answer. The counts that are kept
were taken before their windows were read: whatever comes late, or while this goes on, is in none of them. So the next
scan finds the window changed, and reads it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lineagekit.exchange.pages import Page, UnansweredError, UnwieldyError, moment
from lineagekit.store.log import Window

PAGE = 1000
"""Events in one answer."""

_GROUP = 32  # windows whose counts are asked for at once
_log = logging.getLogger(__name__)


class Pages(Protocol):
    """Who answers for windows; `pages.Reader` over HTTP."""

    def count(self, since: int, until: int) -> int:
        """How many events there are in a window."""

    def page(self, since: int, until: int, *, limit: int, divisible: bool = False, newest: bool = False) -> Page:
        """The first events of a window, or the newest; UnwieldyError if that is too much and it is `divisible`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A window that was read whole, and what was known of exactly this window before."""

    window: Window
    events: Sequence[Any]
    known: Window | None = None


class Scan:
    """One walk through the history of a server, oldest first."""

    def __init__(self, pages: Pages, known: Sequence[Window], *, page: int = PAGE) -> None:
        """`known` is what earlier scans have read."""
        self._pages, self._known, self._page = pages, known, page

    def run(self, since: int, until: int, *, fresh: int | None = None) -> Iterator[Piece]:
        """Read what is new or changed in a stretch of time, and all behind `fresh`."""
        place = since
        known = [window for window in self._known if window.since < until and window.until > since]
        for group in _groups(known):
            yield from self._read(place, group[0].since)
            yield from self._check(group, (since, until), fresh)
            place = group[-1].until
        yield from self._read(place, until)

    def _check(
        self, group: Sequence[Window], span: tuple[int, int], fresh: int | None, count: int | None = None
    ) -> Iterator[Piece]:
        """Adjacent windows: as long as their counts add up to what the server says, nothing came late."""
        first, last = group[0], group[-1]
        count = self._pages.count(first.since, last.until) if count is None else count
        is_fresh = fresh is not None and last.until > fresh
        if count == sum(window.count for window in group) and not is_fresh:
            return
        if len(group) > 1:
            middle = len(group) // 2
            left, right = group[:middle], group[middle:]
            left_count = self._pages.count(left[0].since, left[-1].until)
            yield from self._check(left, span, fresh, left_count)
            yield from self._check(right, span, fresh, None if left_count > count else count - left_count)
            return
        since, until = max(first.since, span[0]), min(first.until, span[1])
        whole = (since, until) == (first.since, first.until)
        yield from self._read(since, until, count if whole else None, first if whole else None)

    def _read(self, since: int, until: int, count: int | None = None, known: Window | None = None) -> Iterator[Piece]:
        """All of a window, in as many pieces as it takes."""
        rest = [(since, until, count)] if since < until else []
        while rest:
            since, until, count = rest.pop()
            count = self._pages.count(since, until) if count is None else count
            page = self._ask(since, until, count)
            if isinstance(page, Page):
                same = known is not None and (since, until) == (known.since, known.until)
                yield Piece(Window(since, until, count), page.events, known if same else None)
            elif until - since == 1:
                rest.append((since, until, page))
            else:
                middle = (since + until) // 2
                left = self._pages.count(since, middle)
                # The right half is not asked for: what has come since is not in its count, which is as it must be.
                rest += [(middle, until, max(page - left, 0)), (since, middle, left)]

    def _ask(self, since: int, until: int, count: int) -> Page | int:
        """The window if one answer can hold it, else how many events there are in it by now."""
        divisible = until - since > 1
        if not count:
            return Page(0, [])
        if divisible and count > self._page:
            return count
        limit = max(count + count // 8, self._page) + 1
        _log.debug("reading %s to %s: %d events", moment(since), moment(until), count)
        try:
            page = self._pages.page(since, until, limit=limit, divisible=divisible and count > 1)
        except UnwieldyError:
            self._page = max(min(self._page, count) // 2, 1)  # for the rest, too: the next ones will be no smaller
            return count
        if len(page.events) < limit and self._is_whole(page, since, until, count):
            return page
        if not divisible and page.total < limit:
            raise UnansweredError(f"the server contradicts itself: it counts {page.total} events and sends others")
        return max(page.total, count)

    def _is_whole(self, page: Page, since: int, until: int, count: int) -> bool:
        """Marquez counts events of jobs and datasets, too, which it never sends; any other gap is one of this page."""
        if len(page.events) >= count:
            return True
        newest = self._pages.page(since, until, limit=1, newest=True).events
        return all(event in page.events for event in newest)


def _groups(known: Sequence[Window]) -> Iterator[Sequence[Window]]:
    """Runs of adjacent windows, none too long."""
    group: list[Window] = []
    for window in known:
        if group and (group[-1].until != window.since or len(group) == _GROUP):
            yield group
            group = []
        group.append(window)
    if group:
        yield group
