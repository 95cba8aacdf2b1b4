# SPDX-License-Identifier: Apache-2.0
r"""Cells of Python objects as bytes, many of one type at a time (the encoding: `lineagekit_python.answers`).

>>> encode_cells(int, [1, 2])
[('int64', 2, b'\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00', b'')]
"""

from __future__ import annotations

import json
import sys
from array import array
from itertools import chain

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Encoded = tuple[str, int, Any, bytes]
    """Kind, number of cells, their values joined, and the length of each as uint32 where the kind has no width."""

NAN = float.fromhex("nan")
_EPOCH = 719_163  # 1970-01-01, as `date.toordinal` counts
_BYTES = (bytes, bytearray, memoryview)
_LISTS = (list, tuple, dict)

# Types whose text is their value; of modules that a job has loaded if it has such values.
_WRITTEN: dict[str, Callable[[Any], str]] = {
    "Decimal": str,
    "UUID": str,
    "datetime": lambda cell: cell.isoformat(),
    "time": lambda cell: cell.isoformat(),
    "Timestamp": lambda cell: cell.isoformat(),
    "timedelta": lambda cell: f"{cell.days},{cell.seconds},{cell.microseconds}",
    "complex": repr,
    "IPv4Address": str,
    "IPv6Address": str,
    "IPv4Network": str,
    "IPv6Network": str,
    "Period": str,
}
_NULLS = frozenset({"NAType", "NaTType"})


class Unfit(Exception):
    """A value that has no encoding: its column cannot be told from another."""


UNFIT = (Unfit, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What strange values raise when they are spelled."""


def encode_cells(kind: type, cells: Sequence[Any]) -> list[Encoded]:
    """Cells that are all of one type, none of them None. Raises Unfit."""
    encode = _ENCODERS.get(kind) or _encoder_of(kind)
    return encode(cells) if cells else []


def encode_texts(kind: str, texts: Sequence[str]) -> list[Encoded]:
    """Texts as a kind of variable width."""
    joined = "".join(texts)
    data = joined.encode("utf-8", "surrogatepass")
    if len(data) == len(joined):
        lengths = array("I", map(len, texts))
    else:
        lengths = array("I", (len(text.encode("utf-8", "surrogatepass")) for text in texts))
    return [(kind, len(texts), data, little(lengths))]


def little(values: Any) -> bytes:
    """The bytes of an array, little-endian on every machine."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return bytes(values.tobytes())


def _encode_bools(cells: Sequence[bool]) -> list[Encoded]:
    return [("bool", len(cells), bytes(cells), b"")]


def _encode_ints(cells: Sequence[int]) -> list[Encoded]:
    try:
        return [("int64", len(cells), little(array("q", cells)), b"")]
    except OverflowError:
        return list(chain.from_iterable(_encode_int(cell) for cell in cells))


def _encode_int(cell: int) -> list[Encoded]:
    if -(1 << 63) <= cell < 1 << 63:
        return [("int64", 1, cell.to_bytes(8, "little", signed=True), b"")]
    return encode_texts("text:int", [hex(cell)])


def _encode_floats(cells: Sequence[float]) -> list[Encoded]:
    total = sum(cells)
    if total != total:  # there may be a NaN, with a sign or a payload
        cells = [cell if cell == cell else NAN for cell in cells]
    return [("float64", len(cells), little(array("d", cells)), b"")]


def _encode_strings(cells: Sequence[str]) -> list[Encoded]:
    return encode_texts("utf8", cells)


def _encode_bytes(cells: Sequence[Any]) -> list[Encoded]:
    parts = [bytes(cell) for cell in cells]
    return [("binary", len(parts), b"".join(parts), little(array("I", map(len, parts))))]


def _encode_dates(cells: Sequence[Any]) -> list[Encoded]:
    return [("date", len(cells), little(array("i", [cell.toordinal() - _EPOCH for cell in cells])), b"")]


def _encode_nulls(cells: Sequence[Any]) -> list[Encoded]:
    return [("null", len(cells), b"", b"")]


def _encode_scalars(cells: Sequence[Any]) -> list[Encoded]:
    """Numbers of numpy's, one by one: as the numbers of Python that they are."""
    plain = [cell.item() for cell in cells]
    return list(chain.from_iterable(encode_cells(type(cell), [cell]) for cell in plain))


_ENCODERS: dict[Any, Callable[[Sequence[Any]], list[Encoded]]] = {
    bool: _encode_bools,
    int: _encode_ints,
    float: _encode_floats,
    str: _encode_strings,
    bytes: _encode_bytes,
}


def _encoder_of(kind: type) -> Callable[[Sequence[Any]], list[Encoded]]:
    encode = _find_encoder(kind)
    if len(_ENCODERS) < 100:
        _ENCODERS[kind] = encode
    return encode


def _find_encoder(kind: type) -> Callable[[Sequence[Any]], list[Encoded]]:
    name = kind.__name__
    if name in _NULLS:
        return _encode_nulls
    if name == "date":
        return _encode_dates
    if name in _WRITTEN:
        write = _WRITTEN[name]
        return lambda cells: encode_texts(f"text:{name}", [write(cell) for cell in cells])
    if issubclass(kind, _BYTES):
        return _encode_bytes
    if issubclass(kind, _LISTS):
        return lambda cells: encode_texts(f"json:{name}", [_write_json(cell) for cell in cells])
    if issubclass(kind, str):
        return lambda cells: encode_texts("utf8", [str.__str__(cell) for cell in cells])
    if hasattr(kind, "item") and hasattr(kind, "ndim"):
        return _encode_scalars
    raise Unfit(f"cells of type {kind.__module__}.{name}")


def _write_json(cell: Any) -> str:
    return json.dumps(cell, separators=(",", ":"), default=_write_inside, skipkeys=False)


def _write_inside(value: Any) -> str:
    name = type(value).__name__
    if name in _WRITTEN:
        return f"{name}:{_WRITTEN[name](value)}"
    if name == "date":
        return f"date:{value.isoformat()}"
    if isinstance(value, _BYTES):
        return f"binary:{bytes(value).hex()}"
    raise Unfit(f"cells that hold a {name}")
