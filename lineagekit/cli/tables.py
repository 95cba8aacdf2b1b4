# SPDX-License-Identifier: Apache-2.0
r"""Tables of plain words that fit a terminal, and lists as people say them.

>>> print(*table([("name", "use"), ("orders.csv", "2 h ago")], width=40), sep="\n")
name        use
orders.csv  2 h ago
>>> count(1, "table"), among(["ann", "bob", "cid"], most=2), listed(["a", "b", "c"])
('1 table', 'ann, bob and 1 more', 'a, b and c')
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from lineagekit.cli.text import safe, short

WIDTH = 80
"""Columns of a terminal that everybody has."""
_GAP, _NARROWEST = "  ", 8


def count(number: int, thing: str) -> str:
    """So many of these."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def plural(thing: str, of: Sequence[object]) -> str:
    """What these are called."""
    return thing if len(of) == 1 else f"{thing}s"


def among(names: Sequence[str], *, most: int = 5) -> str:
    """The first of these, and how many more there are."""
    told = ", ".join(map(safe, names[:most]))
    return told + (f" and {len(names) - most:,} more" if len(names) > most else "")


def listed(parts: Sequence[str]) -> str:
    """All of these, in one phrase."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def wrapped(text: str, *, width: int = WIDTH, indent: str = "") -> list[str]:
    """One paragraph; names are never cut, so that they can be copied."""
    if len(indent + text) <= width:
        return [indent + text]
    from textwrap import wrap

    text, further = indent + text, indent + "  "
    return wrap(text, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)


def table(rows: Sequence[Sequence[str]], *, width: int = WIDTH, tails: Collection[int] = ()) -> Iterator[str]:
    """Rows in columns, the widest of which give way until all fits; of the columns `tails` the end is kept."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = _fit([max(map(len, column)) for column in zip(*cells, strict=True)], width)
    for row in cells:
        told = [
            _cut(cell, size, place in tails).ljust(size)
            for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        yield _GAP.join(told).rstrip()


def _fit(widths: list[int], width: int) -> list[int]:
    room = width - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths, default=0) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cut(cell: str, size: int, keeps_tail: bool) -> str:
    if len(cell) <= size or keeps_tail:
        return short(cell, size)
    return cell[: size - 2] + ".."
