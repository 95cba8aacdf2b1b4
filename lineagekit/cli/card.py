# SPDX-License-Identifier: Apache-2.0
"""A dataset or model in lines of text.

>>> list(card_text(Card("/data/a.csv", "FILE", "", (), (), 0, (), (), ())))[0]
'dataset  /data/a.csv  FILE'
"""

from __future__ import annotations

from collections.abc import Iterator

from lineagekit.cli.text import safe
from lineagekit.cli.times import ago, moment
from lineagekit.graph.card import Card, Use, Version

_SHORT, _DIGEST, _MOST_JOBS = 13, 12, 10


def card_text(card: Card) -> Iterator[str]:
    """All of it, within the width of a terminal but for names."""
    kind = f"model {card.model}" if card.model else card.kind
    yield f"dataset  {safe(card.title)}  {safe(kind)}".rstrip()
    for other in card.others:
        yield f"also     {safe(other)}"
    if card.owners:
        yield f"owners   {', '.join(map(safe, card.owners))}"
    for title, uses in (("made by", card.made_by), ("read by", card.read_by)):
        yield from _uses(title, uses)
    more = f", the newest {len(card.versions)}" if card.total > len(card.versions) else ""
    yield f"versions {card.total:,}{more}"
    for version in card.versions:
        yield _version(version)


def _uses(title: str, uses: tuple[Use, ...]) -> Iterator[str]:
    for use in uses[:_MOST_JOBS]:
        last = f"last {ago(use.last)}" if use.last else "by design only"
        yield f"{title:8} {safe(use.job)}  ({use.runs:,} run{'' if use.runs == 1 else 's'}, {last})"
    if len(uses) > _MOST_JOBS:
        yield f"{'':8} and {len(uses) - _MOST_JOBS} jobs more"
    if not uses:
        yield f"{title:8} nobody who was recorded"


def _version(version: Version) -> str:
    number = f"@{version.number}" if version.number else ""
    at = moment(version.at) if version.at else "-"
    made = f"{safe(version.job)} {version.run[:_SHORT]}" if version.run else "nobody known"
    told = [f"pin {safe(version.pin)}"] if version.pin else []
    told += [f"{safe(name)} {_number(value)}" for name, value in version.metrics.items()]
    reads = f"read {version.reads} times" if version.reads != 1 else "read once"
    return f"  {number:>5} {at}  {_identity(version):20}  {made}; {', '.join([*told, reads])}"


def _identity(version: Version) -> str:
    if version.identity == "content":
        algorithm, _, digest = version.text.rpartition(":")
        return f"{algorithm.partition(';')[0]}:{digest[:_DIGEST]}"
    return f"version {safe(version.text)}" if version.identity == "pin" else "bytes unknown"


def _number(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
