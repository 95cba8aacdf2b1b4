# SPDX-License-Identifier: Apache-2.0
"""Entry points: what most hooks are, a function one of whose arguments names what it reads or writes.

    >>> reader(module, "read_csv", (0, "source"), door="polars.read_csv", format="csv")  # doctest: +SKIP
    >>> writer(module, "DataFrame.write_csv", (1, "file"), door="polars.write_csv", format="csv")  # doctest: +SKIP

The place of an argument counts `self`. An argument `filesystem` says where a path without a scheme really is.
"""

from __future__ import annotations

import sys

from lineagekit.agent import note
from lineagekit.agent.border import border, is_ours, troubles
from lineagekit.agent.hooks import argument, patch
from lineagekit.agent.scope import book
from lineagekit.agent.targets import text_of

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_COLUMNS = 200
"""Of wider tables the columns are left to whoever hashes the file."""


def reader(owner: Any, path: str, place: tuple[int, str], *, door: str, format: str = "") -> None:
    """Note the argument at `place` as an input, before the library reads."""
    facts = {"format": format} if format else {}

    def before(args: Any, kwargs: Any) -> None:
        if book() is not None:
            note.reads(placed(args, kwargs, place), door=door, **facts)

    patch_name(owner, path, before=before)


def writer(
    owner: Any, path: str, place: tuple[int, str], *, door: str, format: str = "", table: tuple[int, str] | None = None
) -> None:
    """Note the argument at `place` as an output, with the shape of the argument at `table`."""
    facts = {"format": format} if format else {}

    def before(args: Any, kwargs: Any) -> Any:
        if book() is None:
            return None
        target = placed(args, kwargs, place)
        note.writes(target, door=door)
        return target

    def after(target: Any, result: Any, args: Any, kwargs: Any) -> None:
        if target is not None:
            shape = shape_of(argument(args, kwargs, *table)) if table else {}
            note.wrote(target, door=door, **facts, **shape)

    patch_name(owner, path, before=before, after=after, failed=note.failed)


def patch_name(owner: Any, path: str, *, but: str = "lineagekit", **beside: Any) -> None:
    """Patch, and where it is a function of a module that is loaded already, also where others have it by name."""
    is_late = isinstance(owner, type(sys)) and "." not in path and not _is_loading(owner)
    original = getattr(owner, path, None) if is_late else None
    if patch(owner, path, **beside) and original is not None:
        rebind(path, original, getattr(owner, path), but=but)


def rebind(name: str, original: Any, new: Any, *, but: str) -> None:
    """`from polars import scan_csv` made before: put the patched function in its place, but in modules named so.

    Where it is defined it stays: pickle looks there for the original. In `__main__` it may have any name.
    """
    left = (but, getattr(original, "__module__", None) or but)
    for module_name, module in list(sys.modules.items()):
        if module is None or module_name.startswith(left[0]) or module_name == left[1]:
            continue
        try:  # a module that is loaded lazily must not be loaded for this
            names = object.__getattribute__(module, "__dict__")
        except AttributeError:
            continue
        for held in list(names) if module_name == "__main__" else (name,):
            if names.get(held) is original:
                names[held] = new


def stand_for(module: Any, name: str, before: Callable[[Any, Any], Any]) -> None:
    """Put a class of ours in the place of one of C, which cannot be patched; the objects are still of the original."""
    original = getattr(module, name, None)
    if not isinstance(original, type):
        troubles.count(f"absent:{module.__name__}.{name}", "")
    elif not isinstance(original, _StandIn):
        names = {"__doc__": original.__doc__, "__module__": module.__name__, "__wrapped__": original, "_before": before}
        stand_in = _StandIn(name, (), names)
        setattr(module, name, stand_in)
        if not _is_loading(module):
            rebind(name, original, stand_in, but="lineagekit")


class _StandIn(type):
    """The class of classes that stand for others: to call one, to derive from it, to ask for it is as before."""

    def __new__(mcs, name: str, bases: tuple[Any, ...], names: dict[str, Any]) -> Any:
        if bases:
            return type(name, tuple(getattr(one, "__wrapped__", one) for one in bases), names)
        return super().__new__(mcs, name, bases, names)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if not is_ours():
            with border(cls.__name__):
                cls._before(args, kwargs)
        return cls.__wrapped__(*args, **kwargs)

    def __instancecheck__(cls, one: Any) -> bool:
        return isinstance(one, cls.__wrapped__)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, cls.__wrapped__)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.__wrapped__, name)


def placed(args: Any, kwargs: Any, place: tuple[int, str]) -> Any:
    """An argument that is a target, with the scheme that `filesystem=` gives it. Bytes are content, not a name."""
    filesystem = kwargs.get("filesystem")
    target = argument(args, kwargs, *place)
    if isinstance(target, bytes):
        return None
    return target if filesystem is None else located(target, filesystem)


def located(target: Any, filesystem: Any) -> Any:
    """A path as seen through a file system of pyarrow's or fsspec's; None where that is nowhere (in memory)."""
    if isinstance(target, (list, tuple)):
        return [located(one, filesystem) for one in target]
    text = text_of(target)
    if not text or "://" in text:
        return target
    prefix = _prefix_of(filesystem)
    if prefix is None:
        return None
    return prefix + text.lstrip("/") if prefix else target


def shape_of(table: Any) -> dict[str, Any]:
    """Rows and columns of a frame or an Arrow table, as far as they can be had for nothing."""
    rows = getattr(table, "num_rows", None)
    if isinstance(rows, int):
        names, types = table.schema.names, table.schema.types
    else:
        shape = getattr(table, "shape", None)
        if not (isinstance(shape, tuple) and len(shape) == 2 and hasattr(table, "columns")):
            return {}
        rows, names = shape[0], list(table.columns)
        types = list(getattr(table, "dtypes", None) if len(names) <= MOST_COLUMNS else ())
    if len(names) > MOST_COLUMNS:
        return {"rows": int(rows)}
    return {"rows": int(rows), "columns": [[str(name), str(kind)] for name, kind in zip(names, types)]}


def _prefix_of(filesystem: Any) -> str | None:
    """What stands before a path in this file system: '' for the local one, a URI, or None."""
    if isinstance(filesystem, str):
        return filesystem.rstrip("/") + "/" if "://" in filesystem else ""
    kind = getattr(filesystem, "type_name", None)
    if kind == "subtree":
        return _below(_prefix_of(filesystem.base_fs), filesystem.base_path)
    handler = getattr(filesystem, "handler", None)
    if handler is not None:  # fsspec's, dressed as pyarrow's
        return _prefix_of(getattr(handler, "fs", None))
    if kind is None:
        kind = getattr(filesystem, "protocol", None)
        kind = kind[0] if isinstance(kind, (tuple, list)) and kind else kind
    if kind == "dir":
        return _below(_prefix_of(filesystem.fs), filesystem.path)
    return _PREFIXES.get(kind, f"{kind}://") if isinstance(kind, str) else None


def _below(prefix: str | None, folder: str) -> str | None:
    if prefix is None:
        return None
    return prefix + (folder.strip("/") if prefix else folder.rstrip("/")) + "/"


def _is_loading(module: Any) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


_PREFIXES: dict[str, str | None] = {
    "": "",
    "file": "",
    "local": "",
    "gcs": "gs://",
    "abfs": "abfss://",
    "memory": None,
    "mock": None,
}
