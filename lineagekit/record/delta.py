# SPDX-License-Identifier: Apache-2.0
"""A Delta table at one version: which files it had, read from the table's own log.

    >>> table = DeltaLog("/data/orders")  # doctest: +SKIP
    >>> table.written(dataset, span)  # doctest: +SKIP
    12
    >>> table.files(12)  # doctest: +SKIP
    {'part-00000-3f...snappy.parquet': 4096}

The folder itself says little: it holds the files of all versions. Files of a version are never written again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from lineagekit.errors import BadDataError
from lineagekit.events.lenient import Facets, count, facet, mapping, text
from lineagekit.record.lake import Span, inside, open_inside

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
_LONGEST = 18
"""Digits of a version: a long has no more, and none is as high."""
_SPARK = "Apache-Spark/"
_COLUMNS = ["add.path", "add.size", "add.deletionVector"]


class DeltaLog:
    """The log of a table on this machine."""

    system = "delta"

    def __init__(self, table: str) -> None:
        """Nothing is read yet."""
        self._table, self._folder = table, os.path.join(table, "_delta_log")

    @staticmethod
    def is_one(folder: str) -> bool:
        """Whether this folder is a Delta table."""
        return os.path.isdir(os.path.join(folder, "_delta_log"))

    def read(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """As the event says, else the newest when the query began, if that is beyond doubt.

        Of a table that is read by its path Spark says no version, not even an older one that was asked for: only where
        the size that it says is that of the newest, and nobody else committed meanwhile, is it known to be that.
        """
        if (said := _said_version(dataset)) is not None:
            return said
        version = max((version for version, (at, _) in self._commits.items() if at <= span.began), default=None)
        meanwhile = [info for at, info in self._commits.values() if span.began < at <= span.ended]
        is_own = self._table in span.written and len(meanwhile) == 1 and _is_of_spark(meanwhile[0])
        if version is None or (meanwhile and not is_own):
            return None
        size = count(facet(dataset.get("inputFacets"), "inputStatistics").get("size"))
        files = self.files(version)
        return version if files is not None and size == sum(files.values()) else None

    def written(self, dataset: Mapping[str, Any], span: Span) -> int | None:
        """The only version that was committed while the query ran; None where there are none or several.

        A commit does not tell whose it was: only that it was not this query's, if it is not Spark's, or not of the
        version or the size that Spark says.
        """
        found = [version for version, (at, _) in self._commits.items() if span.began <= at <= span.ended]
        if len(found) != 1 or _said_version(dataset) not in (None, found[0]):
            return None
        info = self._commits[found[0]][1]
        size = count(facet(dataset.get("outputFacets"), "outputStatistics").get("size"))
        made = text(mapping(info.get("operationMetrics")).get("numOutputBytes"))
        fits = size is None or not made or made == str(size)
        return found[0] if fits and _is_of_spark(info) else None

    def files(self, version: int) -> dict[str, int] | None:
        """Sizes by relative path; None where the log does not tell (cleaned up, deletion vectors, files elsewhere)."""
        try:
            start, found = self._checkpoint(version)
            apply = partial(_apply, self._table)
            for number in range(start, version + 1):
                for action in self._actions(number):
                    apply(action, found)
        except (OSError, BadDataError):
            return None
        return found

    @cached_property
    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._folder))
        except OSError:
            return []

    @cached_property
    def _commits(self) -> dict[int, tuple[int, Facets]]:
        """Of each its time, in nanoseconds, by the log and not by the file system, which may copy it; and all of it."""
        return dict(self._read_commits())

    def _read_commits(self) -> Iterator[tuple[int, tuple[int, Facets]]]:
        for name in self._names:
            if match := _COMMIT.fullmatch(name):
                version = int(match[1])
                told = (action["commitInfo"] for action in self._actions(version) if "commitInfo" in action)
                info = mapping(next(told, None))
                if (at := count(info.get("timestamp"))) is not None:
                    yield version, (at * 10**6, info)

    def _actions(self, version: int) -> Iterator[Facets]:
        with open_inside(self._table, os.path.join("_delta_log", f"{version:020}.json")) as file:
            for line in file:
                try:
                    yield mapping(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise BadDataError(f"not the log of a Delta table: {file.name}: {error}") from error

    def _checkpoint(self, version: int) -> tuple[int, dict[str, int]]:
        """Where to begin to read, and what was there before."""
        numbers = [int(match[1]) for name in self._names if (match := _CHECKPOINT.fullmatch(name))]
        last = max((number for number in numbers if number <= version), default=None)
        if last is None:
            return 0, {}
        return last + 1, self._read_checkpoint(os.path.join("_delta_log", f"{last:020}.checkpoint.parquet"))

    def _read_checkpoint(self, name: str) -> dict[str, int]:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        try:
            with open_inside(self._table, name) as opened, ParquetFile(opened) as file:
                rows = file.read(columns=_COLUMNS).column("add").to_pylist()
        except (ArrowException, KeyError) as error:
            raise BadDataError(f"not a checkpoint: {name}: {error}") from error
        found: dict[str, int] = {}
        apply = partial(_apply, self._table)
        for row in rows:
            if row is not None:
                apply({"add": row}, found)
        return found


def _said_version(dataset: Mapping[str, Any]) -> int | None:
    said = text(facet(dataset.get("facets"), "version").get("datasetVersion"))
    return int(said) if said.isdecimal() and len(said) <= _LONGEST else None


def _is_of_spark(info: Facets) -> bool:
    return text(info.get("engineInfo")).startswith(_SPARK)


def _apply(table: str, action: Facets, found: dict[str, int]) -> None:
    add, remove = mapping(action.get("add")), mapping(action.get("remove"))
    if path := unquote(text(add.get("path"))):
        if ":/" in path or path.startswith("/") or add.get("deletionVector"):
            raise BadDataError(f"a file that cannot stand for its rows: {path}")
        inside(table, path)
        found[path] = count(add.get("size")) or 0
    if gone := unquote(text(remove.get("path"))):
        found.pop(gone, None)
