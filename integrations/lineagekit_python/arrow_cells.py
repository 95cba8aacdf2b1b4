# SPDX-License-Identifier: Apache-2.0
"""The cells of numpy's and Arrow's arrays, taken as the buffers in which they lie, for `lineagekit_python.answers`.

    >>> add_arrow(column, table.column("name"))  # doctest: +SKIP
    >>> add_array(column, numpy.arange(10))  # doctest: +SKIP

What an array keeps beyond its cells is no part of them: an offset, the bytes below a null, the width of its offsets.
"""

from __future__ import annotations

from lineagekit_python.cells import Unfit

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

    from lineagekit_python.answers import Column

FIXED = {"b": "bool", "i": "int", "u": "uint", "f": "float"}
"""Kinds of numpy's types of fixed width, by its letter."""


def add_array(column: Column, values: Any, valid: Any = None, name: str = "") -> None:
    """Add an array of numpy's of fixed width, and which of its rows are not null."""
    import numpy

    name = name or _kind_of(values.dtype)
    flags = None
    if valid is not None and not valid.all():
        flags = (~valid).tobytes()
        values = values[valid]
    if values.dtype.kind == "f":
        missing = numpy.isnan(values)
        if missing.any():
            values = numpy.where(missing, values.dtype.type("nan"), values)
    little = values.dtype.newbyteorder("<")
    raw = numpy.ascontiguousarray(values, dtype=little).view("u1").data if len(values) else b""
    if flags is None:
        column.add(name, len(values), raw)
    else:
        column.add_gapped(name, flags, raw)


def _kind_of(dtype: Any) -> str:
    name = FIXED.get(dtype.kind)
    if name is None or dtype.itemsize > 8:
        raise Unfit(f"numbers of type {dtype}")
    return name if name == "bool" else f"{name}{dtype.itemsize * 8}"


def add_arrow(column: Column, array: Any) -> list[Any] | None:
    """Add an array of pyarrow's, in chunks or not."""
    name = str(array.type)
    if name == "null":
        column.add("null", len(array))
        return None
    if name.startswith("dictionary"):
        return [cell for chunk in _chunks(array) for cell in chunk.dictionary_decode().to_pylist()]
    if name not in _ARROW_TEXTS and _arrow_kind(array.type) is None:
        return list(array.to_pylist())
    for chunk in _chunks(array):
        if len(chunk):
            (_add_arrow_texts if name in _ARROW_TEXTS else _add_arrow_numbers)(column, chunk)
    return None


def _chunks(array: Any) -> list[Any]:
    return list(array.chunks) if hasattr(array, "chunks") else [array]


_ARROW_TEXTS = {
    "string": "utf8",
    "large_string": "utf8",
    "string_view": "utf8",
    "binary": "binary",
    "large_binary": "binary",
    "binary_view": "binary",
}
_ARROW_KINDS = {"halffloat": "float16", "float": "float32", "double": "float64", "date32[day]": "date"}


def _arrow_kind(arrow_type: Any) -> str | None:
    """The kind of an arrow type whose values lie side by side in one buffer; None for any other."""
    name = str(arrow_type)
    if name in _ARROW_KINDS:
        return _ARROW_KINDS[name]
    if name.startswith(("timestamp[", "duration[")):
        return name.replace("tz=", "")
    return name if name == "bool" or name.rstrip("0123456789") in ("int", "uint") else None


def _valid(chunk: Any) -> Any:
    """Which rows are not null; None where all are not."""
    import numpy

    bits = chunk.buffers()[0]
    if bits is None or not chunk.null_count:
        return None
    return _unpack(bits, chunk).astype(numpy.bool_)


def _unpack(bits: Any, chunk: Any) -> Any:
    import numpy

    end = chunk.offset + len(chunk)
    raw = numpy.frombuffer(bits, "u1")[: (end + 7) // 8]
    return numpy.unpackbits(raw, bitorder="little")[chunk.offset : end]


def _add_arrow_numbers(column: Column, chunk: Any) -> None:
    import numpy

    name, buffer = str(_arrow_kind(chunk.type)), chunk.buffers()[1]
    if name == "bool":
        values = _unpack(buffer, chunk).astype(numpy.bool_)
    else:
        width = chunk.type.bit_width // 8
        form = {"float": "f", "uint": "u"}.get(name.rstrip("0123456789"), "i")
        values = numpy.frombuffer(buffer, f"<{form}{width}")[chunk.offset : chunk.offset + len(chunk)]
    add_array(column, values, _valid(chunk), name)


def _add_arrow_texts(column: Column, chunk: Any) -> None:
    import numpy

    name = str(chunk.type)
    if name.endswith("_view"):
        chunk = chunk.cast("large_string" if name == "string_view" else "large_binary")
    _, bounds, data = chunk.buffers()
    form = "<i8" if str(chunk.type).startswith("large") else "<i4"
    offsets = numpy.frombuffer(bounds, form)[chunk.offset : chunk.offset + len(chunk) + 1]
    lengths, valid = numpy.diff(offsets).astype("<u4"), _valid(chunk)
    kind = _ARROW_TEXTS[name]
    if valid is not None and lengths[~valid].any():  # a null that has bytes all the same
        column.add_cells(chunk.to_pylist())
        return
    values = memoryview(data)[offsets[0] : offsets[-1]] if data is not None else b""
    if valid is None:
        column.add(kind, len(chunk), values, lengths.tobytes())
    else:
        column.add_gapped(kind, (~valid).tobytes(), values, lengths[valid].tobytes())
