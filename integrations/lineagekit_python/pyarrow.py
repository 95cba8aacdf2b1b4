# SPDX-License-Identifier: Apache-2.0
"""pyarrow: files that C++ opens by name, under whatever file system they are.

    >>> parquet(sys.modules["pyarrow.parquet.core"])  # doctest: +SKIP

What is opened through an object of `pyarrow.fs` is not seen: its classes are of C++ and cannot be patched.
"""

from __future__ import annotations

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit_python.entry import patch_name, placed, reader, stand_for, writer

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def parquet(module: ModuleType) -> None:
    """`pyarrow.parquet.core`: the functions all come down to three classes."""
    reader(module, "ParquetFile.__init__", (1, "source"), door="pyarrow.parquet", format="parquet")
    reader(module, "ParquetDataset.__init__", (1, "path_or_paths"), door="pyarrow.parquet", format="parquet")
    reader(module, "read_schema", (0, "where"), door="pyarrow.parquet", format="parquet")
    reader(module, "read_metadata", (0, "where"), door="pyarrow.parquet", format="parquet")
    patch(module, "ParquetWriter.__init__", before=_open_writer, failed=note.failed)
    patch(module, "ParquetWriter.close", after=_close_writer)


def dataset(module: ModuleType) -> None:
    """`pyarrow.dataset`: a folder is read and written as one."""
    reader(module, "dataset", (0, "source"), door="pyarrow.dataset")
    reader(module, "parquet_dataset", (0, "metadata_path"), door="pyarrow.dataset", format="parquet")
    writer(module, "write_dataset", (1, "base_dir"), door="pyarrow.write_dataset", table=(0, "data"))


def csv(module: ModuleType) -> None:
    """`pyarrow.csv`."""
    reader(module, "read_csv", (0, "input_file"), door="pyarrow.csv", format="csv")
    reader(module, "open_csv", (0, "input_file"), door="pyarrow.csv", format="csv")
    writer(module, "write_csv", (1, "output_file"), door="pyarrow.csv", format="csv", table=(0, "data"))
    stand_for(module, "CSVWriter", _note_sink)


def json(module: ModuleType) -> None:
    """`pyarrow.json`."""
    reader(module, "read_json", (0, "input_file"), door="pyarrow.json", format="json")
    if hasattr(module, "open_json"):
        reader(module, "open_json", (0, "input_file"), door="pyarrow.json", format="json")


def feather(module: ModuleType) -> None:
    """`pyarrow.feather`."""
    reader(module, "read_table", (0, "source"), door="pyarrow.feather", format="feather")
    reader(module, "read_feather", (0, "source"), door="pyarrow.feather", format="feather")
    writer(module, "write_feather", (1, "dest"), door="pyarrow.feather", format="feather", table=(0, "df"))


def orc(module: ModuleType) -> None:
    """`pyarrow.orc`."""
    reader(module, "read_table", (0, "source"), door="pyarrow.orc", format="orc")
    reader(module, "ORCFile.__init__", (1, "source"), door="pyarrow.orc", format="orc")
    writer(module, "write_table", (1, "where"), door="pyarrow.orc", format="orc", table=(0, "table"))


def ipc(module: ModuleType) -> None:
    """`pyarrow.ipc`: a reader may map a file by name, a writer may be given one."""
    for kind in ("RecordBatchFileReader", "RecordBatchStreamReader"):
        reader(module, f"{kind}.__init__", (1, "source"), door="pyarrow.ipc", format="arrow")
    for kind in ("RecordBatchFileWriter", "RecordBatchStreamWriter"):
        patch(module, f"{kind}.__init__", before=_note_sink_of_method, failed=note.failed)


def files(module: ModuleType) -> None:
    """`pyarrow` itself: files that are opened by name."""
    for name in ("memory_map", "create_memory_map", "input_stream", "output_stream"):
        patch_name(module, name, before=_note_file_of[name], failed=note.failed)
    stand_for(module, "OSFile", _note_file)


def _open_writer(args: Any, kwargs: Any) -> Any:
    if book() is None:
        return None
    target = placed(args, kwargs, (1, "where"))
    note.writes(target, door="pyarrow.parquet")
    args[0]._lineagekit = target
    return target


def _close_writer(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    target = args[0].__dict__.pop("_lineagekit", None)
    if target is not None:
        note.wrote(target, door="pyarrow.parquet", format="parquet")


def _note_file(args: Any, kwargs: Any) -> Any:
    """`OSFile(path, mode)`, `memory_map(path, mode)`."""
    path, mode = argument(args, kwargs, 0, "path"), argument(args, kwargs, 1, "mode", "r")
    if mode in ("r", "rb"):
        return note.reads(path, door="pyarrow.file")
    return _doubt(path, "a" if mode[0] == "a" else "w" if mode[0] == "w" else "r+")


def _note_sink(args: Any, kwargs: Any) -> Any:
    return _doubt(args[0] if args else kwargs.get("sink"))


def _note_sink_of_method(args: Any, kwargs: Any) -> Any:
    return _note_sink(args[1:], kwargs)


def _doubt(path: Any, mode: str = "w") -> Any:
    """A file that C++ writes and closes without telling."""
    note.writes(path, door="pyarrow.file", mode=mode)
    note.doubts(path)
    return path


_note_file_of = {
    "memory_map": _note_file,
    "create_memory_map": lambda args, kwargs: _doubt(argument(args, kwargs, 0, "path")),
    "input_stream": lambda args, kwargs: note.reads(argument(args, kwargs, 0, "source"), door="pyarrow.file"),
    "output_stream": lambda args, kwargs: _doubt(argument(args, kwargs, 0, "source")),
}
