# SPDX-License-Identifier: Apache-2.0
"""Layout: which bit and which 64-bit words of a row belong to which column.

A row is a null bitmap followed by fixed slots, columns sorted by the UTF-8 bytes of their names:

    | bitmap: one bit a node, whole words | slots of column 0 | slots of column 1 | ...

A *node* is a column, or a field of a struct (numbered right after its struct). Fixed slots are what makes the digest
fast: rows of a batch are columns of a matrix of words, and BLAKE3 runs over many rows at once.

    >>> layout = Layout.of(pa.schema([("x", pa.int64())]))
    >>> layout.bitmap_words, layout.words
    (1, 2)
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa
from blake3 import blake3

from lineagekit.errors import BadDataError, UnsupportedTypeError
from lineagekit.identity.tables.logical import element_type, is_bytes, is_list, logical_type, packed_width, plain

Kind = Literal["null", "word", "decimal", "bytes", "list", "struct"]
_WORDS: dict[Kind, int] = {"null": 0, "word": 1, "bytes": 5, "list": 6}
_WIDEST_SHORT_DECIMAL = 38  # digits that fit 128 bits


@dataclass(frozen=True, slots=True)
class Node:
    """Where one column or struct field lies: its null bit, its first word after the bitmap, how many words."""

    kind: Kind
    type: pa.DataType
    bit: int
    first: int
    words: int
    fields: tuple[Node, ...] = ()
    element: Layout | None = None  # lists whose elements are hashed as rows of their own

    @property
    def bits(self) -> int:
        """Null bits of this node and all below it; the first is its own."""
        return 1 + sum(field.bits for field in self.fields)


@dataclass(frozen=True)
class Layout:
    """The plan of a row, made from the schema alone."""

    columns: tuple[tuple[str, str], ...]  # (name, logical type), sorted
    order: tuple[int, ...]  # place of each sorted column in the stored schema
    nodes: tuple[Node, ...]
    stored_names: tuple[str, ...]
    bitmap_words: int
    words: int

    @classmethod
    def of(cls, schema: pa.Schema) -> Layout:
        """Plan the rows of a schema; duplicate names are BadDataError."""
        names = tuple(schema.names)
        require_unique_names(names)
        order = tuple(sorted(range(len(names)), key=lambda i: names[i].encode()))
        columns = tuple((names[i], _logical_type(schema.field(i))) for i in order)
        planner = _Planner()
        nodes = tuple(planner.node(schema.field(i).type) for i in order)
        bitmap_words = (planner.bits + 63) // 64
        return cls(
            columns=columns,
            order=order,
            nodes=nodes,
            stored_names=names,
            bitmap_words=bitmap_words,
            words=bitmap_words + planner.words,
        )

    @cached_property
    def schema_hash(self) -> bytes:
        """BLAKE3 of the sorted names and logical types, each with its length before it."""
        hasher = blake3(b"lineagekit.schema.v1\0" + struct.pack("<I", len(self.columns)))
        for column in self.columns:
            for text in column:
                hasher.update(struct.pack("<I", len(text.encode())) + text.encode())
        return hasher.digest()

    @cached_property
    def order_hash(self) -> bytes:
        """BLAKE3 of the names in stored order: the ordered digest sees it, the order-free ones do not.

        Joined by NUL, for good: among names that hold NUL, two orders may look alike here.
        """
        return blake3("\0".join(self.stored_names).encode()).digest()


def _logical_type(field: pa.Field) -> str:
    try:
        return logical_type(field.type)
    except UnsupportedTypeError as error:
        raise UnsupportedTypeError(f"column {field.name!r}: {error.message}", advice=error.advice) from error


def require_unique_names(names: Iterable[str], where: str = "") -> None:
    """BadDataError where a column name stands twice: its digest would depend on their order."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadDataError(
            f"{where}{': ' if where else ''}duplicate column names: got {', '.join(map(repr, sorted(twice)))}",
            advice="Rename or drop one of each.",
        )


class _Planner:
    """Hands out bits and words, in order."""

    def __init__(self) -> None:
        self.bits = 0
        self.words = 0

    def node(self, type_: pa.DataType) -> Node:
        type_ = plain(type_)
        kind = _kind(type_)
        bit, first = self.bits, self.words
        self.bits += 1
        if kind == "struct":
            fields = tuple(self.node(type_.field(i).type) for i in range(type_.num_fields))
            return Node(kind, type_, bit, first, self.words - first, fields)
        words = _decimal_words(type_) if kind == "decimal" else _WORDS[kind]
        self.words += words
        return Node(kind, type_, bit, first, words, element=_element_layout(type_) if kind == "list" else None)


def _kind(type_: pa.DataType) -> Kind:
    if pa.types.is_null(type_):
        return "null"
    if is_bytes(type_):
        return "bytes"
    if pa.types.is_decimal(type_):
        return "decimal"
    if pa.types.is_struct(type_):
        return "struct"
    return "list" if is_list(type_) else "word"


def _decimal_words(type_: pa.DataType) -> int:
    return 2 if type_.precision <= _WIDEST_SHORT_DECIMAL else 4


def _element_layout(type_: pa.DataType) -> Layout | None:
    element = element_type(type_)
    return None if packed_width(element) else Layout.of(pa.schema([pa.field("", element)]))
