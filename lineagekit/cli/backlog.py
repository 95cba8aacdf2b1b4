# SPDX-License-Identifier: Apache-2.0
"""What `push --list` prints of a destination: how far it is, and what it did not take.

marquez (http, config.toml): 198 of 214 events sent, 16 waiting
event 17 of run 0197f2c4-…, refused 2026-11-01 12:00: 422: eventTime must not be null
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineagekit.exchange.backlog import Backlog
    from lineagekit.exchange.destinations import Destination
    from lineagekit.store.log import Letter

_MOST = 20  # letters that are printed


def describe_backlog(destination: Destination, state: Backlog) -> Iterator[str]:
    """The lines for one destination."""
    waiting = f", {state.waiting} waiting" if state.waiting else ""
    yield (
        f"{destination.name} ({destination.kind}, {destination.source}): "
        f"sent up to event {state.sent_up_to} of {state.last}{waiting}"
    )
    for letter in state.letters[:_MOST]:
        yield f"  {describe_letter(letter)}"
    if len(state.letters) > _MOST:
        yield f"  and {len(state.letters) - _MOST} more (push --list --json)"


def describe_letter(letter: Letter) -> str:
    """One event, what became of it, since when, and why."""
    since = datetime.fromtimestamp(letter.at / 1_000_000).strftime("%Y-%m-%d %H:%M")
    run = f" of run {letter.run}" if letter.run else ""
    reason = f": {letter.reason}" if letter.reason else ""
    return f"event {letter.seq}{run}, {letter.status} {since}{reason}"
