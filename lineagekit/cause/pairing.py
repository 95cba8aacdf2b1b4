# SPDX-License-Identifier: Apache-2.0
"""What is for the same in two runs, and whether it is equal: by role, where a date moves in the name, else by name.

>>> [(len(olds), len(news)) for olds, news in matched(good.inputs, bad.inputs)]  # doctest: +SKIP
[(1, 1), (28, 28)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lineagekit.cause.parts import Parts, parts_in, parts_of
from lineagekit.cause.views import Columns, Use, Views
from lineagekit.events.roles import role_of
from lineagekit.events.said import Name
from lineagekit.store.found import title_of

Role = tuple[str, str]
"""Namespace, and name without its date."""


def regrouped(views: Views, good: dict[Name, Use], bad: dict[Name, Use]) -> Iterator[tuple[str, tuple[Parts, Parts]]]:
    """A folder of parts on one side that is single files on the other, taken out of both.

    A growing window of files is told file by file until there are so many of them that they are a dataset.
    """
    for whole, single, is_good in ((good, bad, True), (bad, good, False)):
        for name, use in [(n, u) for n, u in whole.items() if u.touch.pieces and n not in single]:
            below = {n: u for n, u in single.items() if n.name.startswith(f"{name.name.rstrip('/')}/")}
            if below:
                parts, files = parts_of(views, use), parts_in(below.values(), below=name.name)
                yield use.title, (parts, files) if is_good else (files, parts)
                del whole[name]
                for one in below:
                    del single[one]


def matched(good: Mapping[Name, Use], bad: Mapping[Name, Use]) -> Iterator[tuple[list[Use], list[Use]]]:
    """Inputs of two runs that are for the same: those of one role, where a date moves in it, else of one name."""
    left, right = by_role(good), by_role(bad)
    for role in dict.fromkeys((*left, *right)):
        yield left.get(role, []), right.get(role, [])


def by_role(uses: Mapping[Name, Use]) -> dict[Role, list[Use]]:
    """Inputs by what they are for."""
    found: dict[Role, list[Use]] = {}
    for name, use in uses.items():
        found.setdefault((name.namespace, role_of(name.name).template), []).append(use)
    return found


def template_of(use: Use) -> str:
    """The name without the date in it."""
    return title_of(use.name.namespace, role_of(use.name.name).template)


def columns_of(uses: Iterable[Use]) -> Columns:
    """Those that any of them has."""
    return tuple(dict.fromkeys(column for use in uses for column in use.columns))


def is_equal(old: Use, new: Use) -> bool:
    """Whether the bytes are known to be the same."""
    strength, value = old.touch.identity
    return strength != "name" and (strength, value) == new.touch.identity


def is_same_content(old: Use, new: Use) -> bool:
    """Whether they say the same in other bytes: encoded anew, or in another order."""
    return bool(old.table) and old.table == new.table
