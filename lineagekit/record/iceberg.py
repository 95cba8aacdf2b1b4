# SPDX-License-Identifier: Apache-2.0
"""An Iceberg table at one snapshot: which files it had, read from the table's own metadata.

    metadata/v4.metadata.json ──> snapshot ──> its list of manifests ──> manifests ──> files

    >>> table = IcebergTable("/data/orders")  # doctest: +SKIP
    >>> table.files(5069005276101411428)  # doctest: +SKIP
    {'data/k=1/00000-2-90ec84c7-0-00003.parquet': 726}

What the agent calls a table's version is its newest snapshot, also where an older one was asked for, and where the
query itself has made a newer one since. The report of the scan tells which one was read, as a number that lost its last
digits: of the snapshots that are there it is like one. Where rows are deleted by files of their own, the files of a
snapshot do not tell its rows, and are not told.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from lineagekit.errors import BadDataError
from lineagekit.events.lenient import Facets, count, facet, mapping, objects, text
from lineagekit.record.avro import read_avro
from lineagekit.record.lake import Span, inside, open_inside

_METADATA = re.compile(r"v?(\d+)(-[\w-]+)?(\.gz)?\.metadata\.json(\.gz)?")
_DATA, _DELETED = 0, 2
_MOST_BYTES = 256 << 20
"""Of one metadata file, unpacked."""
_UNREADABLE = (OSError, EOFError, ValueError, RecursionError, MemoryError, BadDataError, zlib.error)
_MOST_METADATA = 10
"""Files that are read, the newest first: each tells of all snapshots that had not expired by then."""


class IcebergTable:
    """The metadata of a table on this machine."""

    system = "iceberg"

    def __init__(self, table: str) -> None:
        """Nothing is read yet."""
        self._table = table

    @staticmethod
    def is_one(folder: str) -> bool:
        """Whether this folder is an Iceberg table."""
        return bool(_metadata_files(folder))

    def read(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """As the report of the scan tells; the version that is said beside it may be a newer one."""
        return self._like(facet(dataset.get("inputFacets"), "icebergScanReport").get("snapshotId"))

    def written(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """As the report of the commit tells, else the only one that was made while the query ran, if it is its own.

        The report is not always there. That a snapshot is the query's own, its application and its size tell.
        """
        made = {number: one for number, one in self._snapshots.items() if span.began <= _made_at(one) <= span.ended}
        report = facet(dataset.get("outputFacets"), "icebergCommitReport")
        if report:
            found = self._like(report.get("snapshotId"))
            return found if found in made else None
        size = count(facet(dataset.get("outputFacets"), "outputStatistics").get("size"))
        own = [number for number, one in made.items() if _is_own(mapping(one.get("summary")), span.application, size)]
        return own[0] if len(made) == len(own) == 1 else None

    def files(self, version: int) -> dict[str, int] | None:
        """Sizes by relative path; None where the metadata does not tell (expired, rows deleted, files elsewhere)."""
        try:
            found = list(self._files(version))
        except (OSError, BadDataError):
            return None
        said = text(mapping(self._snapshots[version].get("summary")).get("total-data-files"))
        # A list that is cut between two blocks reads like a whole one.
        is_whole = said == str(len(found)) if said else bool(found)
        return dict(found) if is_whole else None

    def _like(self, said: object) -> int | None:
        """The only snapshot whose number is this one, but for digits that a double cannot hold."""
        if not isinstance(said, (int, float)) or isinstance(said, bool) or not abs(said) <= 1 << 63:
            return None
        found = [number for number in self._snapshots if float(number) == float(said)]
        return found[0] if len(found) == 1 else None

    def _files(self, version: int) -> Iterator[tuple[str, int]]:
        for listed in self._read(text(self._snapshots.get(version, {}).get("manifest-list"))):
            for entry in self._read(text(listed.get("manifest_path")), count(listed.get("manifest_length"))):
                if entry.get("status") == _DELETED:
                    continue
                file = mapping(entry.get("data_file"))
                path = text(file.get("file_path"))
                if file.get("content", _DATA) != _DATA or listed.get("content", _DATA) != _DATA:
                    raise BadDataError(f"rows are deleted by a file of their own: {path}")
                yield inside(self._table, path), count(file.get("file_size_in_bytes")) or 0

    def _read(self, path: str, size: int | None = None) -> Iterator[Facets]:
        with open_inside(self._table, inside(self._table, path)) as file:
            if size is not None and os.fstat(file.fileno()).st_size != size:
                raise BadDataError(f"not the list that was written: got another size than {size}, {path}")
            for record in read_avro(file):
                if not isinstance(record, dict):
                    raise BadDataError(f"not a list of files: got {type(record).__name__}, expected records, {path}")
                yield record

    @cached_property
    def _snapshots(self) -> dict[int, Facets]:
        """By number; those that have expired since as older metadata tells them, as far as that is there."""
        found: dict[int, Facets] = {}
        for path in _metadata_files(self._table)[:_MOST_METADATA]:
            try:
                told = mapping(json.loads(self._metadata(path)))
            except _UNREADABLE:
                continue
            for one in objects(told.get("snapshots")):
                number = one.get("snapshot-id")
                if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= 1 << 63:
                    found.setdefault(number, one)
        return found

    def _metadata(self, path: str) -> bytes:
        with open_inside(self._table, os.path.relpath(path, self._table)) as file:
            is_packed = ".gz" in os.path.basename(path)
            body = gzip.GzipFile(fileobj=file).read(_MOST_BYTES + 1) if is_packed else file.read(_MOST_BYTES + 1)
        if len(body) > _MOST_BYTES:
            raise BadDataError(f"metadata of more than {_MOST_BYTES} bytes: {path}")
        return body


def _metadata_files(table: str) -> list[str]:
    """The newest first."""
    folder = os.path.join(table, "metadata")
    try:
        found = [match for name in os.listdir(folder) if (match := _METADATA.fullmatch(name))]
    except OSError:
        return []
    return [os.path.join(folder, one[0]) for one in sorted(found, key=lambda one: (int(one[1]), one[0]), reverse=True)]


def _is_own(summary: Facets, application: str, size: int | None) -> bool:
    fits = size is None or text(summary.get("added-files-size")) in ("", str(size))
    return fits and application != "" and text(summary.get("spark.app.id")) == application


def _made_at(snapshot: Facets) -> int:
    return (count(snapshot.get("timestamp-ms")) or 0) * 10**6
