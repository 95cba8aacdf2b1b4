# SPDX-License-Identifier: Apache-2.0
"""Which feed of a window went wrong: the one whose rivals repair less, or two of which each repairs what is its own.

    >>> separate(surgeon, rebuilds).feeds  # doctest: +SKIP
    ('/raw/labels',)

An operation may hide what another feed did: rows that drop out with a healthy one may be those that are wrong. So who
repairs the drop is not it as long as another one may do the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from lineagekit.cause.placebo import SHARE, Separated, Theatre, TooNoisyError
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.surgeon import Surgeon

_MOST, _BEYOND_THE_OTHER = 0.75, 0.25
"""Of the gap: what two feeds have to repair, and each of them beyond the other."""
_ALL, _CLEARLY_LESS, _NOTHING = 0.9, 0.2, 0.1
"""Of the gap: what one feed has to repair, by how much less another, and what both together beyond the one."""


def separate(surgeon: Surgeon, rebuilds: Rebuilds) -> Separated:
    """Operate on the likeliest feed; if that is not it, on half of the others at a time; at last on the fewest that do.

    Of who repairs the drop, no other feed may repair half as much: an operation may hide what another feed did. The
    others are operated on together; only where that repairs too much by halves, down to the one that does so alone.
    """
    theatre = Theatre(surgeon, rebuilds)
    try:
        found = _found(theatre, theatre.ready())
    except TooNoisyError:
        return theatre.separated([], "rebuilds differ too much from each other: say --repeat 5")
    why = "the feeds of the window that moved cannot be told apart"
    if not theatre.is_all_tried:
        why += ": not all can be operated on, and what repairs the drop may only hide what these did"
    return theatre.separated(found, why)


def _found(theatre: Theatre, ready: list[str]) -> list[str]:
    if len(ready) < 2 or not theatre.is_all_tried:  # what could not be tried may be it
        return []
    for chosen in _candidates(theatre, ready):
        if theatre.repairs(chosen):
            found = _among_rivals(theatre, chosen, ready)
            return [] if found and _is_chance(theatre, found) else found
    return []


def _is_chance(theatre: Theatre, found: list[str]) -> bool:
    """Whether an operation on another costs the bad build so much more than the good one that a repair may be luck.

    What many at a time cost it counts only against a repair that is no large one: they harm a build that is ill more.
    """
    worst = -theatre.net(found)
    is_large = theatre.net(found) >= _MOST * theatre.gap
    return any(
        net < worst * SHARE if len(feeds) == 1 else net < worst and not is_large for feeds, net in theatre.nets.items()
    )


def _among_rivals(theatre: Theatre, chosen: list[str], ready: list[str]) -> list[str]:
    """The one, or with a rival both, or who explains all that the other does; nothing where that cannot be told."""
    while len(chosen) == 1:
        rival = _rival(theatre, [], chosen, ready)
        if not rival:
            return chosen
        if _are_both_it(theatre, pair := [*chosen, *rival], ready):
            return pair
        if len(rival) > 1:
            return []
        chosen, lesser = sorted((chosen, rival), key=theatre.net, reverse=True)
        if not _explains(theatre, chosen, lesser):
            return []
        theatre.hiding += lesser
        ready = [one for one in ready if one not in lesser]
    return chosen if _are_both_it(theatre, chosen, ready) else []


def _explains(theatre: Theatre, one: list[str], other: list[str]) -> bool:
    """Whether one accounts for all of the drop, and the other for less, and for nothing beside it: it hides it.

    Labels that are wrong do less harm where the best feed is as on another day; and are wrong all the same.
    """
    if theatre.repairs([*one, *other]) is None:
        return False
    whole, less, both = (theatre.net(some) / theatre.gap for some in (one, other, [*one, *other]))
    return whole >= _ALL and whole - less >= _CLEARLY_LESS and both - whole <= _NOTHING


def _are_both_it(theatre: Theatre, chosen: list[str], ready: list[str]) -> bool:
    """Whether two account for most of the drop, and each for much that is left without it, as no third one does."""
    if len(chosen) != 2 or theatre.repairs(chosen) is None or theatre.net(chosen) < _MOST * theatre.gap:
        return False
    for base, one in ((chosen[:1], chosen[1:]), (chosen[1:], chosen[:1])):
        if theatre.repairs(base) is None or theatre.net(chosen) - theatre.net(base) < _BEYOND_THE_OTHER * theatre.gap:
            return False
        if _rival(theatre, base, one, ready):
            return False
    return True


def _rival(theatre: Theatre, base: list[str], one: list[str], ready: list[str]) -> list[str]:
    """Who repairs more than half of what one does, where the base is operated on as well; an operation hides others.

    All others where that could not be built.
    """
    without = theatre.net(base) if base else 0.0
    limit = SHARE * (theatre.net([*base, *one]) - without)
    others = [other for other in ready if other not in base + one]
    for other in others:  # whatever all together do
        if theatre.is_known([*base, other]) and theatre.net([*base, other]) - without > limit:
            return [other]

    def among(some: list[str]) -> list[str]:
        if theatre.repairs([*base, *some]) is None:
            return some
        if theatre.net([*base, *some]) - without <= limit:
            return []
        middle = len(some) // 2
        return some if not middle else among(some[:middle]) or among(some[middle:])

    return among(others) if others else []


def _candidates(theatre: Theatre, ready: list[str]) -> Iterator[list[str]]:
    """The likeliest; then the one that is left by halves; then the fewest that are needed, and each by itself."""
    yield ready[:1]
    last = _halved(theatre, ready[1:])
    if last is not None:
        yield [last]
    if theatre.repairs(ready):
        yield _fewest(theatre, [], ready)
    yield from ([one] for one in ready)


def _fewest(theatre: Theatre, base: list[str], left: list[str]) -> list[str]:
    """Of these, what has to be operated on beside the base for the drop to be repaired: QuickXplain."""
    if base and theatre.repairs(base):
        return []
    if len(left) == 1:
        return left
    middle = len(left) // 2
    behind = _fewest(theatre, base + left[:middle], left[middle:])
    return _fewest(theatre, base + behind, left[:middle]) + behind


def _halved(theatre: Theatre, left: list[str]) -> str | None:
    """The one that is left; None where that could not be built."""
    while len(left) > 1:
        half = left[: (len(left) + 1) // 2]
        is_in = theatre.repairs(half)
        if is_in is None:
            return None
        left = half if is_in else left[len(half) :]
    return left[0]
