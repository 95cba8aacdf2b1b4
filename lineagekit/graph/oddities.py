# SPDX-License-Identifier: Apache-2.0
"""What is odd about the recorded lineage, and how it is mended.

>>> [one.mend for one in oddities(index.database)]  # doctest: +SKIP
['lineagekit alias file:///data/orders.csv /data/orders.csv', ...]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from lineagekit.store import query, walk_versions
from lineagekit.store.database import Database
from lineagekit.store.found import title_of
from lineagekit.store.walk_versions import Odd

Kind = Literal["never written", "no digest", "out of band", "two spellings"]

_HOST = re.compile(r"^(file|hdfs|dbfs)(://[^/]*)?/?")
_SCHEME = re.compile(r"^(s3[an]?|gc?s|abfss?|wasbs?)://")


@dataclass(frozen=True, slots=True)
class Oddity:
    """One of them. `mend` is the command, setting or step that ends it."""

    kind: Kind
    dataset: str
    times: int
    last: int | None
    mend: str


def oddities(db: Database, *, limit: int = 20) -> list[Oddity]:
    """Inputs that no run ever wrote, outputs without a digest, writes out of band, names that look like one dataset."""
    return [
        *_told(db, "out of band", walk_versions.out_of_band(db, limit)),
        *_spellings(db, limit),
        *_told(db, "no digest", walk_versions.without_digest(db, limit)),
        *_told(db, "never written", walk_versions.never_written(db, limit)),
    ]


_MEND: dict[Kind, str] = {
    "out of band": "Record who changes it: lineagekit run -- COMMAND, or lineagekit.output({title!r}) in that program.",
    "no digest": "Record its writer with lineagekit, which takes digests: lineagekit run -- COMMAND.",
    "never written": "It is a source, or its writer is not recorded: lineagekit run -- COMMAND.",
}


def _told(db: Database, kind: Kind, odd: Iterable[Odd]) -> Iterator[Oddity]:
    rows = list(odd)
    named = query.datasets(db, (row.dataset for row in rows))
    for row in rows:
        title = named[row.dataset].title
        yield Oddity(kind, title, row.times, row.last, _MEND[kind].format(title=title))


def _spellings(db: Database, limit: int) -> Iterator[Oddity]:
    """Names that differ in nothing but how they are written."""
    alike: dict[str, dict[int, tuple[str, str]]] = {}
    for dataset, namespace, name in walk_versions.spellings(db):
        alike.setdefault(essence(namespace, name), {}).setdefault(dataset, (namespace, name))
    found = [names for names in alike.values() if len(names) > 1]
    for names in found[:limit]:
        first, *rest = sorted(names.values())
        for other in rest:
            mend = f"lineagekit alias {_quoted(other)} {_quoted(first)}"
            yield Oddity("two spellings", title_of(*other), 1, None, mend)


def essence(namespace: str, name: str) -> str:
    """What is left of a name when its spelling is taken away: schemes, hosts of local paths, slashes, case of hosts.

    >>> essence("file://", "data/a.csv/") == essence("file", "/data/a.csv")
    True
    """
    whole = f"{namespace}/{name}"
    if local := _HOST.match(whole):
        return f"file/{whole[local.end() :].strip('/')}"
    whole = _SCHEME.sub(lambda scheme: scheme[1].rstrip("an") if scheme[1].startswith("s3") else scheme[1], whole)
    return re.sub(r"/+", "/", whole).strip("/").lower()


def _quoted(name: tuple[str, str]) -> str:
    from shlex import quote

    namespace, rest = name
    return quote(rest if namespace == "file" else f"{namespace}:{rest}" if "://" not in namespace else title_of(*name))
