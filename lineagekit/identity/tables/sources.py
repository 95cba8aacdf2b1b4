# SPDX-License-Identifier: Apache-2.0
"""From whatever holds a table to a TableSource: by suffix, by first bytes, or by the library it comes from.

    >>> open_table("orders.csv.gz").schema.names  # doctest: +SKIP
    ['id', 'label']
    >>> open_table(pandas.DataFrame({"id": [1]})).rows  # doctest: +SKIP
    1

Arrow takes a quarter of a second to import, so each format is imported when a file of it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from lineagekit.errors import UsageError
from lineagekit.identity.access import show
from lineagekit.identity.streams import Source, name_of, split_suffixes, translate_errors

if TYPE_CHECKING:
    from lineagekit.identity.tables.source import TableSource

Loader = Callable[[Source, str | None], "TableSource"]


def open_table(target: object, *, delimiter: str | None = None) -> TableSource:
    """Open a file (path or seekable binary file), an Arrow object or a frame; UsageError when it is no table.

    A `delimiter` is for CSV, and makes a file of any other name one.
    """
    if isinstance(target, str | os.PathLike) or hasattr(target, "read"):
        source = cast(Source, target)
        loader = _find_loader(source) or (_load_text if delimiter else None)
        if loader:
            return loader(source, delimiter)
        raise UsageError(
            f"not a table: got {show(name_of(source))}, expected {', '.join(_BY_SUFFIX)}",
            advice="Give a delimiter to read it as CSV.",
        )
    if type(target).__module__.partition(".")[0] == "pyarrow":
        from lineagekit.identity.tables.arrow import from_arrow

        return from_arrow(target)
    from lineagekit.identity.tables.frames import from_frame

    return from_frame(target)


def is_table(path: str) -> bool:
    """Say whether `open_table` knows the format: from the suffix alone, else from the first bytes of a regular file."""
    if os.path.isdir(path):
        return False
    if _loader_of_name(path):
        return True
    # Opening a pipe would wait for its other end.
    return os.path.isfile(path) and os.access(path, os.R_OK) and _find_loader(path) is not None


def _find_loader(source: Source) -> Loader | None:
    loader = _loader_of_name(name_of(source))
    if loader is None:
        start = _read_start(source)
        loader = next((loader for magic, loader in _BY_MAGIC.items() if start.startswith(magic)), None)
    return loader


def _loader_of_name(name: str) -> Loader | None:
    suffix, codec = split_suffixes(name)
    return (_TEXT if codec else _BY_SUFFIX).get(suffix)


def _read_start(source: Source) -> bytes:
    if isinstance(source, str | os.PathLike):
        with translate_errors(name_of(source)), open(source, "rb") as file:
            return file.read(_LONGEST_MAGIC)
    source.seek(0)
    return source.read(_LONGEST_MAGIC)


def _load_parquet(source: Source, _: str | None) -> TableSource:
    from lineagekit.identity.tables.parquet import open_parquet

    return open_parquet(source)


def _load_arrow(source: Source, _: str | None) -> TableSource:
    from lineagekit.identity.tables.arrow import open_arrow

    return open_arrow(source)


def _load_text(source: Source, delimiter: str | None) -> TableSource:
    from lineagekit.identity.tables.text import open_csv

    return open_csv(source, delimiter=delimiter)


def _load_json(source: Source, _: str | None) -> TableSource:
    from lineagekit.identity.tables.jsonl import open_jsonl

    return open_jsonl(source)


# Text may be compressed as a whole (.csv.gz); the others compress inside.
_TEXT: dict[str, Loader] = {
    ".csv": _load_text,
    ".tsv": _load_text,
    ".tab": _load_text,
    ".jsonl": _load_json,
    ".ndjson": _load_json,
}
_BY_SUFFIX: dict[str, Loader] = {
    ".parquet": _load_parquet,
    ".pq": _load_parquet,
    ".arrow": _load_arrow,
    ".arrows": _load_arrow,
    ".feather": _load_arrow,
    ".ipc": _load_arrow,
} | _TEXT
_BY_MAGIC: dict[bytes, Loader] = {b"PAR1": _load_parquet, b"ARROW1": _load_arrow}
_LONGEST_MAGIC = max(map(len, _BY_MAGIC))
