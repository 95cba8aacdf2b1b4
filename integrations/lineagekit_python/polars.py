# SPDX-License-Identifier: Apache-2.0
"""polars: Rust opens every file, so what counts is the argument of each `read_`, `scan_`, `write_` and `sink_`.

    >>> csv(sys.modules["polars.io.csv.functions"])  # doctest: +SKIP

A scan counts as read when it is made, also where nobody ever collects it.
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import patch
from lineagekit.agent.scope import book
from lineagekit_python.entry import placed, reader, writer

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_SOURCE = (0, "source")
_FORMATS = {"parquet": "parquet", "csv": "csv", "ipc": "arrow", "ndjson": "ndjson"}


def csv(module: ModuleType) -> None:
    """`polars.io.csv.functions`."""
    _readers(module, "csv", "read_csv", "scan_csv")
    if hasattr(module, "read_csv_batched"):
        _readers(module, "csv", "read_csv_batched")


def parquet(module: ModuleType) -> None:
    """`polars.io.parquet.functions`."""
    _readers(module, "parquet", "read_parquet", "scan_parquet", "read_parquet_schema")


def ipc(module: ModuleType) -> None:
    """`polars.io.ipc.functions`."""
    _readers(module, "arrow", "read_ipc", "scan_ipc", "read_ipc_stream", "read_ipc_schema")


def ndjson(module: ModuleType) -> None:
    """`polars.io.ndjson`."""
    _readers(module, "ndjson", "read_ndjson", "scan_ndjson")


def json(module: ModuleType) -> None:
    """`polars.io.json.read`."""
    _readers(module, "json", "read_json")


def avro(module: ModuleType) -> None:
    """`polars.io.avro`."""
    _readers(module, "avro", "read_avro")


def lines(module: ModuleType) -> None:
    """`polars.io.lines`."""
    _readers(module, "text", "read_lines", "scan_lines")


def spreadsheet(module: ModuleType) -> None:
    """`polars.io.spreadsheet.functions`."""
    _readers(module, "excel", "read_excel", "read_ods")


def frame(module: ModuleType) -> None:
    """`polars.dataframe.frame`: what is written at once."""
    for name, format in [*_FORMATS.items(), ("json", "json"), ("avro", "avro"), ("ipc_stream", "arrow")]:
        door = f"polars.write_{name}"
        writer(module, f"DataFrame.write_{name}", (1, "file"), door=door, format=format, table=(0, "self"))


def lazy(module: ModuleType) -> None:
    """`polars.lazyframe.frame`: what is written while it is computed, now or (`lazy=True`) later."""
    for name, format in _FORMATS.items():
        _sink(module, name, format)


def _readers(module: ModuleType, format: str, *names: str) -> None:
    for name in names:
        reader(module, name, _SOURCE, door=f"polars.{name}", format=format)


def _sink(module: ModuleType, name: str, format: str) -> None:
    door = f"polars.sink_{name}"

    def before(args: Any, kwargs: Any) -> Any:
        if book() is None:
            return None
        target = _base_of(placed(args, kwargs, (1, "path")))
        if kwargs.get("lazy"):
            note.doubts(target)
            return None
        note.writes(target, door=door)
        return target

    def after(target: Any, result: Any, args: Any, kwargs: Any) -> None:
        if target is not None:
            note.wrote(target, door=door, format=format)

    patch(module, f"LazyFrame.sink_{name}", before=before, after=after, failed=note.failed)


def _base_of(target: Any) -> Any:
    """The folder below which a partitioned sink writes."""
    for holder in (target, getattr(target, "_pl_partition_by", None)):
        for name in ("base_path", "_base_path"):
            base = getattr(holder, name, None)
            if base is not None:
                return base
    return target
