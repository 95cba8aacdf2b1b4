# SPDX-License-Identifier: Apache-2.0
"""How far each destination is, what it did not take, and what a person does about that.

>>> backlog(store, "marquez").waiting  # doctest: +SKIP
16
>>> put_back(store, "marquez")  # doctest: +SKIP
2
"""

from __future__ import annotations

from dataclasses import dataclass

from lineagekit.errors import StoreError
from lineagekit.exchange.claim import claim
from lineagekit.exchange.outbox import PARKED, REFUSED, RETRY
from lineagekit.store.log import Letter, Store

_QUEUE = 60.0  # seconds that a pass of another process is waited for


@dataclass(frozen=True, slots=True)
class Backlog:
    """One destination: sent up to a place in the log of `last` events, `waiting` in all, and its letters."""

    destination: str
    sent_up_to: int
    last: int
    waiting: int
    letters: tuple[Letter, ...]


def backlog(store: Store, destination: str) -> Backlog:
    """How far a destination is."""
    letters = tuple(store.letters(destination))
    cursor, last = store.cursor(destination), store.last_seq()
    waiting = last - cursor + sum(letter.status != REFUSED for letter in letters)
    return Backlog(destination, cursor, last, waiting, letters)


def put_back(store: Store, destination: str) -> int:
    """Let the next pass send what was refused once more; how many there are."""
    refused = [letter for letter in store.letters(destination) if letter.status == REFUSED]
    with store.write():
        for letter in refused:
            store.add_letter(destination, letter.seq, status=RETRY, reason=letter.reason)
    return len(refused)


def drop(store: Store, destination: str) -> list[Letter]:
    """Give up what was refused or is parked, and say what that was. What waits behind it goes with the next pass."""
    dropped = [letter for letter in store.letters(destination) if letter.status in (REFUSED, PARKED, RETRY)]
    store.remove_letters(destination, [letter.seq for letter in dropped])
    return dropped


def start_over(store: Store, destination: str, folder: str, *, queue: float = _QUEUE) -> None:
    """Let the next pass send the whole log. Raises StoreError while another process is delivering."""
    with claim(folder, destination, wait=queue) as mine:
        if not mine:
            raise StoreError(f"another process is delivering to {destination}", advice="End it, or try again.")
        with store.write():
            store.remove_letters(destination, [letter.seq for letter in store.letters(destination)])
            store.set_cursor(destination, 0)
