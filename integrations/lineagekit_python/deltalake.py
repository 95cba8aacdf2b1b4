# SPDX-License-Identifier: Apache-2.0
"""Delta tables through delta-rs: a folder as one dataset, with the table's own version as a pin.

>>> table(sys.modules["deltalake.table"])  # doctest: +SKIP
"""

from __future__ import annotations

import os
import threading

from lineagekit.agent import note
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit.agent.targets import text_of
from lineagekit_python.entry import patch_name, shape_of

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_FORMAT = "delta"
_CHANGES = ("delete", "update", "restore", "repair")


class _Thread(threading.local):
    writing = 0


_here = _Thread()
"""What opens a table in order to write it does not read it."""


def table(module: ModuleType) -> None:
    """`deltalake.table`: opened, and changed in place."""
    patch(module, "DeltaTable.__init__", after=_opened)
    for name in _CHANGES:
        patch(module, f"DeltaTable.{name}", after=_changed)
    patch(module, "TableMerger.execute", after=_changed_by_part)
    for name in ("compact", "z_order"):
        patch(module, f"TableOptimizer.{name}", after=_changed_by_part)


def writing(module: ModuleType) -> None:
    """`deltalake.writer.writer`, or the whole of `deltalake.writer` in older versions."""
    patch_name(module, "write_deltalake", before=_before, after=_after, failed=_failed)


def _opened(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    if not _here.writing and book() is not None:
        note.reads(_root_of(args[0]), door="deltalake", format=_FORMAT, pins=_pins_of(args[0]))


def _changed(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    _say_changed(args[0])


def _changed_by_part(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    """A merger and an optimizer hold the table, under a name that differs by version."""
    for name in ("_table", "table"):
        part = getattr(args[0], name, None)
        if part is not None and hasattr(part, "version"):
            return _say_changed(part)
    return None


def _say_changed(table: Any) -> None:
    if book() is not None:
        note.wrote(_root_of(table), door="deltalake", format=_FORMAT, pins=_pins_of(table))


def _before(args: Any, kwargs: Any) -> Any:
    _here.writing += 1
    target = argument(args, kwargs, 0, "table_or_uri")
    root = text_of(target) or _root_of(target)
    mode = kwargs.get("mode", "error")
    if book() is not None and mode == "append" and _is_table(root):  # what is there stays part of it
        note.reads(root, door="deltalake", format=_FORMAT, pins=_pins_in(root))
    return root


def _after(root: Any, result: Any, args: Any, kwargs: Any) -> None:
    _here.writing -= 1
    if root and book() is not None:
        shape = shape_of(argument(args, kwargs, 1, "data"))
        note.wrote(root, door="deltalake", format=_FORMAT, pins=_pins_in(root), **shape)


def _failed(root: Any) -> None:
    _here.writing -= 1


def _root_of(table: Any) -> str:
    """The folder or URI of a table, or of what it is a dress of."""
    uri = getattr(table, "table_uri", "")
    uri = uri() if callable(uri) else uri
    if uri.startswith("file:"):
        from urllib.parse import unquote

        uri = unquote(uri)
    return str(uri.rstrip("/"))


def _pins_of(table: Any) -> list[dict[str, str]]:
    pin = {"system": _FORMAT, "version": str(table.version())}
    metadata = table.metadata() if hasattr(table, "metadata") else None
    found = getattr(metadata, "id", "")
    return [dict(pin, id=str(found)) if found else pin]


def _pins_in(root: str) -> list[dict[str, str]]:
    """The newest version that the log of a local table tells; for any other one would have to ask a server."""
    log = _log_of(root)
    versions = [name[:-5] for name in os.listdir(log) if name.endswith(".json") and name[:-5].isdecimal()]
    return [{"system": _FORMAT, "version": str(int(max(versions)))}] if versions else []


def _is_table(root: str) -> bool:
    return bool(root) and not note.is_uri(root) and os.path.isdir(_log_of(root))


def _log_of(root: str) -> str:
    return "" if note.is_uri(root) else os.path.join(note.absolute(root), "_delta_log")
