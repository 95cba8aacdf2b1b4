# SPDX-License-Identifier: Apache-2.0
"""Grouping: a run that reads 365 files of one folder has read one dataset, and says so in one line.

>>> paths = [f"/data/orders/{day}.csv" for day in range(20)]
>>> set(find_groups(paths).values()), find_groups(["/data/sales/dt=2026-01-01/part.parquet"])
({'/data/orders'}, {'/data/sales/dt=2026-01-01/part.parquet': '/data/sales'})

Files belong together if at least sixteen with one suffix lie in one folder, or not far below it; and files of tables
below folders named `key=value`, however few, because there the folder above is the table.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lineagekit.events.account import Columns, Part, Use
from lineagekit.events.roles import role_of
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.identity.streams import data_suffix
from lineagekit.record import reasons

ENOUGH = 16
"""Files that make a group."""

_FARTHEST = 3  # folders above a file that may stand for it
_PARTITION = re.compile(r"/[A-Za-z_][\w.-]*=[^/]*/")
OF_TABLES = frozenset(
    {".parquet", ".pq", ".orc", ".avro", ".arrow", ".feather", ".ipc", ".csv", ".tsv", ".json", ".jsonl", ".ndjson"}
)


def find_groups(paths: Sequence[str]) -> dict[str, str]:
    """The folder that stands for a file, for each file that is in a group."""
    found: dict[str, str] = {}
    if len(paths) < ENOUGH and not any("=" in path for path in paths):
        return found
    rest: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        suffix = data_suffix(path)
        if root := _above_partitions(path, suffix):
            found[path] = root
        else:
            rest.setdefault((suffix, os.path.dirname(path)), []).append(path)
    for _ in range(_FARTHEST):
        rest = _climb(rest, found)
    return found


def _stands_in(folder: str, suffix: str) -> str:
    """The folder above, for files in this one; "" where two tables may lie side by side, each in a folder of its own.

    Only a date, a hash or a counter in the folder's name says that what is in it belongs to what is beside it.
    """
    above = os.path.dirname(folder)
    if suffix not in OF_TABLES:
        return above
    is_moving = role_of(f"/{os.path.basename(folder)}").template == "/{}"
    return above if is_moving or role_of(folder).template == role_of(above).template else ""


def merge(root: str, uses: Iterable[Use]) -> Use:
    """One dataset of several files. With one that is unknown the whole is, and the others stay known as parts."""
    files = sorted(uses, key=lambda use: use.path)
    first, parts = files[0], tuple(map(_part, files, [root] * len(files)))
    formats, doors = {use.format for use in files}, {use.door for use in files}
    reason = _reason(files)
    return replace(
        first,
        name=root,
        path=root,
        realpath=_above(first.realpath, first.path, root),
        snapshot=None if reason else _snapshot(root, parts),
        reason=reason,
        evidence=None,
        at=max(use.at for use in files),
        format=formats.pop() if len(formats) == 1 else "",
        door=doors.pop() if len(doors) == 1 else "",
        columns=_columns(files),
        rows=_sum(use.rows for use in files),
        bytes=_sum(part.size for part in parts),
        files=parts,
    )


def _climb(rest: dict[tuple[str, str], list[str]], found: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """Group what is enough in one folder, and look at what is left from one folder higher."""
    higher: dict[tuple[str, str], list[str]] = {}
    for (suffix, folder), paths in rest.items():
        if len(paths) >= ENOUGH:
            found.update(dict.fromkeys(paths, folder))
        elif folder.count("/") > 2 and (above := _stands_in(folder, suffix)):  # not all of a disk, or of a home
            higher.setdefault((suffix, above), []).extend(paths)
    return higher


def _above_partitions(path: str, suffix: str) -> str:
    if "=" not in path or suffix not in OF_TABLES:
        return ""
    first = _PARTITION.search(path)
    return path[: first.start()] if first and first.start() else ""


def _columns(files: Iterable[Use]) -> Columns:
    """Those that any part has, in the order of the parts. Unknown where the order or a type is not the same in all."""
    told = {use.columns or (use.snapshot.columns if use.snapshot else ()): None for use in files}
    found: dict[str, str] = {}
    for columns in told:
        found.update({name: type_ for name, type_ in columns if name not in found})
    union = tuple(found.items())
    fits = all([one for one in union if one in columns] == list(columns) for columns in told)
    return union if fits else ()


def _reason(files: Iterable[Use]) -> str:
    """Over budget only where that is all: what is hashed later proves such a folder, and no other."""
    unknown = [use.reason for use in files if use.reason]
    others = [reason for reason in unknown if reason != reasons.OVER_BUDGET]
    return Counter(others or unknown or [""]).most_common(1)[0][0]


def _part(use: Use, root: str) -> Part:
    path = use.path[len(root) :].lstrip("/")
    snapshot = use.snapshot
    size = use.evidence.size if use.evidence else None
    digest = str(snapshot.digests[0]) if snapshot and snapshot.digests and not use.reason else ""
    if not digest or snapshot is None or snapshot.profile is None:
        return Part(path, size, digest, use.evidence)
    return Part(path, size, digest, use.evidence, str(snapshot.digest("lkt1")), snapshot.profile)


def _snapshot(root: str, parts: Iterable[Part]) -> Snapshot:
    manifest = Manifest.from_entries(Entry(part.path, part.size or 0, Digest.parse(part.digest)) for part in parts)
    return Snapshot.of_folder(root, manifest)


def _above(realpath: str, path: str, root: str) -> str:
    """Where the root really lies, if its files' links tell."""
    below = path[len(root) :]
    return realpath[: -len(below)] if realpath.endswith(below) else ""


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
