# SPDX-License-Identifier: Apache-2.0
"""The table digest: published vectors, an independent reimplementation, and what must and must not change it."""

from __future__ import annotations

import decimal
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError, UnsupportedTypeError, UsageError
from lineagekit.identity.tables.digest import TableOptions, digest_table
from lineagekit.identity.tables.engine import EngineName
from lineagekit.identity.tables.parquet import open_parquet as open_table
from lineagekit.identity.tables.source import Part, TableSource
from tests.identity.tables import scalar
from tests.strategies import tables

ENGINES: tuple[EngineName, ...] = ("pure", "fast")
GOLDEN = Path(__file__).parents[2] / "golden" / "0.1" / "tables.txt"
ENTRY = pa.struct([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.int64())])
QUIET = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def digests(table: pa.Table, *, parts: int = 1, **options: object) -> tuple[str, ...]:
    return tuple(map(str, digest_table(in_parts(table, parts), TableOptions(sort=True, **options)).digests))


def in_parts(table: pa.Table, count: int) -> TableSource:
    step = max(1, -(-table.num_rows // count))

    def part(first: int) -> Part:
        def read(columns: list[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
            yield from table.slice(first, min(step, table.num_rows - first)).select(columns).to_batches()

        return Part(first, read)

    return TableSource(table.schema, tuple(part(i) for i in range(0, max(1, table.num_rows), step)), table.num_rows)


def vectors() -> dict[str, pa.Table]:
    """The tables whose digests are published for good."""
    nested = pa.schema(
        [
            ("st", pa.struct([("a", pa.int64()), ("b", pa.string())])),
            ("ls", pa.list_(pa.string())),
            ("lst", pa.list_(pa.struct([("a", pa.int64()), ("b", pa.list_(pa.float64()))]))),
        ]
    )
    misc = {
        "b": pa.array([True, None]),
        "i8": pa.array([-1, None], pa.int8()),
        "u64": pa.array([2**64 - 1, None], pa.uint64()),
        "f32": pa.array([0.5, None], pa.float32()),
        "d": pa.array([decimal.Decimal("-12.34"), None], pa.decimal128(10, 2)),
        "ts": pa.array([1_700_000_000_000_000, None], pa.timestamp("us", "UTC")),
        "bin": pa.array([b"\x00\xff", None], pa.binary()),
    }
    embedding = [[(128 * i + j) / 8 for j in range(128)] for i in range(3)]
    return {
        "empty_int64_x": pa.table({"x": pa.array([], pa.int64())}),
        "one_int64": pa.table({"x": [1]}),
        "three_records": pa.table(
            {
                "id": [1, 2, 3],
                "text": ["ship the model", "the run crashed", "all-reduce converged"],
                "label": ["pos", "neg", "pos"],
            }
        ),
        "nulls_nan_negzero": pa.table({"f": [0.0, -0.0, float("nan"), None], "s": ["", None, "NaN", "\0"]}),
        "len39_40": pa.table({"s": ["a" * 39, "a" * 40, "日本語", "x" * 2000]}),
        "embedding": pa.table({"id": [0, 1, 2], "e": pa.array(embedding, pa.list_(pa.float32()))}),
        "list_nulls": pa.table({"l": pa.array([[], None, [None], [0], [1, None, 3]], pa.list_(pa.int32()))}),
        "nested": pa.Table.from_pylist(
            [
                {"st": {"a": 1, "b": None}, "ls": ["a", None, "b" * 50], "lst": [{"a": 1, "b": [1.5]}, None]},
                {"st": None, "ls": [], "lst": None},
            ],
            schema=nested,
        ),
        "misc": pa.table(misc),
        "wide_130_int64": pa.table({f"c{i:03d}": [i * j for j in range(5)] for i in range(130)}),
        "rows_70000": pa.table({"i": range(70_000)}),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", list(vectors()))
def test_published_vectors_hold(name: str, engine: EngineName) -> None:
    known = dict(re.findall(r"^(\S+) (.*)$", GOLDEN.read_text(), re.M))
    assert " ".join(digests(vectors()[name], parts=3, threads=2, engine=engine)) == known[name]


@QUIET
@given(tables())
def test_product_equals_the_independent_reimplementation(table: pa.Table) -> None:
    assert digests(table, engine="pure") == scalar.digests(table)


@QUIET
@given(tables(), st.integers(1, 4), st.integers(1, 3))
def test_engines_chunks_parts_and_threads_do_not_change_digests(table: pa.Table, parts: int, threads: int) -> None:
    assert digests(table, engine="pure") == digests(table, parts=parts, threads=threads, engine="fast")


@QUIET
@given(tables(), st.randoms())
def test_row_and_column_order_change_only_the_ordered_digest(table: pa.Table, rnd: random.Random) -> None:
    rows, names = list(range(table.num_rows)), list(table.column_names)
    rnd.shuffle(rows)
    rnd.shuffle(names)
    moved = pa.table(
        {
            name: pa.concat_arrays([table[name].combine_chunks().slice(i, 1) for i in rows]) if rows else table[name]
            for name in names
        }
    )
    lkt1, lks1, lkm1 = digests(table)
    assert (lkt1, lkm1) == (digests(moved)[0], digests(moved)[2])
    if names != table.column_names:
        assert lks1 != digests(moved)[1]


def random_table(rows: int = 500) -> pa.Table:
    rng = np.random.default_rng(7)
    nulls = rng.random(rows) < 0.1
    return pa.table(
        {
            "float": pa.array(rng.normal(size=rows), mask=nulls),
            "int": pa.array(rng.integers(-5, 5, rows)),
            "label": pa.array(rng.choice(["neg", "neutral", "pos"], rows), mask=nulls),
            "text": pa.array([str(x) * 30 for x in rng.integers(0, 99, rows)]),
            "when": pa.array(rng.integers(0, 1 << 50, rows)).cast(pa.timestamp("us", "Europe/Berlin")),
            "list": pa.array([list(range(i % 7)) for i in range(rows)], pa.list_(pa.int32())),
            "struct": pa.array(
                [{"a": i, "b": None} if i % 3 else None for i in range(rows)],
                pa.struct([("a", pa.int64()), ("b", pa.string())]),
            ),
        }
    )


RECODINGS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "dictionary": lambda t: set_column(t, "label", lambda c: c.dictionary_encode()),
    "large offsets": lambda t: set_column(t, "text", lambda c: c.cast(pa.large_string())),
    "string view": lambda t: set_column(t, "text", lambda c: c.cast(pa.string_view())),
    "run-end": lambda t: set_column(t, "label", lambda c: pc.run_end_encode(c.combine_chunks())),
    "large list": lambda t: set_column(t, "list", lambda c: c.cast(pa.large_list(pa.int32()))),
    "list of dictionary": lambda t: set_column(t, "list", with_dictionary_items),
    "other zone name": lambda t: set_column(t, "when", lambda c: c.cast(pa.timestamp("us", "UTC"))),
    "slices with offsets": lambda t: pa.concat_tables([t.slice(0, 13), t.slice(13, 100), t.slice(113)]),
    "metadata": lambda t: t.replace_schema_metadata({"pandas": "{}"}),
}


def with_dictionary_items(column: pa.ChunkedArray) -> pa.ChunkedArray:
    lists = column.combine_chunks()
    return pa.chunked_array([pa.ListArray.from_arrays(lists.offsets, lists.values.dictionary_encode())])


def set_column(table: pa.Table, name: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, change(table[name]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("recoding", list(RECODINGS))
def test_another_encoding_of_the_same_values_keeps_all_digests(recoding: str, engine: EngineName) -> None:
    table = random_table()
    recoded = RECODINGS[recoding](table)
    assert digests(recoded, engine=engine) == digests(table, engine=engine)


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "zstd", "row_group_size": 7},
        {"compression": "none", "use_dictionary": False, "row_group_size": 50},
        {"compression": "gzip", "data_page_version": "2.0", "row_group_size": 333},
        {"compression": "brotli", "store_schema": False, "write_batch_size": 11},
    ],
    ids=lambda how: "-".join(map(str, how.values())),
)
def test_parquet_layout_does_not_change_digests(tmp_path: Path, how: dict[str, object]) -> None:
    table = random_table()
    pq.write_table(table, tmp_path / "t.parquet", **how)
    options = TableOptions(sort=True, threads=2)
    found = digest_table(open_table(str(tmp_path / "t.parquet")), options).digests
    assert tuple(map(str, found)) == digests(table)


def test_any_single_cell_change_is_detected() -> None:
    table = random_table(40)
    before = digests(table)
    for name in table.column_names:
        values = table[name].to_pylist()
        row = next(i for i, value in enumerate(values) if value is not None)
        other = next(value for value in values if value is not None and value != values[row])
        for new in (None, other):
            column = pa.array([*values[:row], new, *values[row + 1 :]], table.schema.field(name).type)
            after = digests(set_column(table, name, lambda _, column=column: column))
            assert not set(after) & set(before), name


def test_dropped_doubled_and_renamed_are_detected() -> None:
    table = random_table(40)
    others = [
        table.slice(1),
        pa.concat_tables([table, table.slice(0, 1)]),
        table.rename_columns(["Float", *table.column_names[1:]]),
        table.drop_columns(["int"]),
    ]
    assert len({digests(t)[0] for t in [table, *others]}) == 1 + len(others)


def test_values_swapped_between_rows_of_one_column_are_detected() -> None:
    assert digests(pa.table({"x": [1, 2], "y": [3, 4]}))[0] != digests(pa.table({"x": [1, 2], "y": [4, 3]}))[0]


def test_corner_values_are_pairwise_distinct() -> None:
    def one(value: object, type_: pa.DataType | None = None) -> str:
        return digests(pa.table({"x": pa.array([value], type_)}))[0]

    found = [
        *(one(v, pa.string()) for v in (None, "", "\0", "NaN", "null")),
        *(one(v, pa.float64()) for v in (None, 0.0, -0.0, float("nan"), float("inf"))),
        *(
            one(0, type_)
            for type_ in (pa.int32(), pa.int64(), pa.uint64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))
        ),
        *(one(v, pa.list_(pa.int64())) for v in (None, [], [None], [0])),
        *(one(v, pa.struct([("a", pa.int64())])) for v in (None, {"a": None}, {"a": 0})),
        *(one(0.0, pa.float32()), one(False), one(b""), one(-1), one(2**64 - 1, pa.uint64())),
    ]
    assert len(set(found)) == len(found)


def test_text_that_looks_like_a_number_is_not_that_number() -> None:
    assert digests(pa.table({"zip": ["00701"]}))[0] != digests(pa.table({"zip": ["701"]}))[0]


def test_nan_has_one_form_whatever_its_bits() -> None:
    payload = np.array([0x7FF8_0000_0000_0001, 0xFFF8_0000_0000_0000], np.uint64).view(np.float64)
    assert digests(pa.table({"x": payload})) == digests(pa.table({"x": [float("nan")] * 2}))


def test_wider_integers_have_an_equal_state_and_another_digest() -> None:
    narrow, wide = (
        digest_table(in_parts(pa.table({"x": pa.array([1, 2, 3], t)}), 1)) for t in (pa.int32(), pa.int64())
    )
    assert narrow.state.to_bytes() == wide.state.to_bytes()
    assert narrow.digests != wide.digests


def test_selected_columns_stand_in_the_name() -> None:
    table = random_table(10)
    kept = digest_table(in_parts(table, 1), TableOptions(columns=("label", "int")))
    left = digest_table(in_parts(table, 1), TableOptions(ignore=("float",)))
    assert [d.method for d in kept.digests] == ["lkt1;columns=int,label", "lks1;columns=int,label"]
    assert left.digests[0].method == "lkt1;ignore=float"
    assert kept.digests[0].hex == digest_table(in_parts(table.select(["int", "label"]), 1)).digests[0].hex


def test_unknown_and_contradicting_columns_are_refused() -> None:
    source = in_parts(random_table(3), 1)
    with pytest.raises(NotFoundError, match="no such column: got nope"):
        digest_table(source, TableOptions(columns=("nope",)))
    with pytest.raises(UsageError, match="exclude each other"):
        digest_table(source, TableOptions(columns=("int",), ignore=("float",)))


def test_duplicate_column_names_are_refused() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(BadDataError, match="duplicate column names: got 'a'"):
        digest_table(in_parts(table, 1))


def test_a_union_column_is_refused_with_advice() -> None:
    union = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(UnsupportedTypeError, match=r"column 'u': .* --ignore"):
        digest_table(in_parts(pa.table({"u": union}), 1))


def list_views() -> pa.Array:
    """[[1, 2], null, [3], [2, 3], []]: out of order, overlapping, a null with a range."""
    items, mask = pa.array([3, 1, 2, 3], pa.int64()), pa.array([False, True, False, False, False])
    return pa.ListViewArray.from_arrays(pa.array([1, 0, 0, 2, 4]), pa.array([2, 3, 1, 2, 0]), items, mask=mask)


def run_ends(values: pa.Array) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([2, 4], pa.int32()), values)


def hidden(child: pa.Array, *, nulls: bool = True) -> pa.Array:
    mask = pa.array([True, False, True, False]) if nulls else None
    return pa.StructArray.from_arrays([child], ["q"], mask=mask)


ODD_LAYOUTS: dict[str, tuple[pa.Array, pa.Array]] = {
    "list views": (list_views(), pa.array([[1, 2], None, [3], [2, 3], []], pa.list_(pa.int64()))),
    "sliced list views": (list_views().slice(2), pa.array([[3], [2, 3], []], pa.list_(pa.int64()))),
    "runs under a null struct": (hidden(run_ends(pa.array([7, 8]))), hidden(pa.array([7, 7, 8, 8]))),
    "what a null struct hides": (hidden(pa.array([9, 7, 9, 8])), hidden(pa.array([1, 7, 2, 8]))),
    "a sliced struct of runs": (
        hidden(run_ends(pa.array([7, 8])), nulls=False).slice(1),
        hidden(pa.array([7, 8, 8]), nulls=False),
    ),
    "runs of views": (run_ends(pa.array(["a", None], pa.string_view())), pa.array(["a", "a", None, None])),
    "runs of a dictionary": (run_ends(pa.array(["a", "b"]).dictionary_encode()), pa.array(["a", "a", "b", "b"])),
    "a dictionary of runs with a null": (
        pa.DictionaryArray.from_arrays(pa.array([0, 3]), run_ends(pa.array([None, 5]))),
        pa.array([None, 5]),
    ),
    "a dictionary of views with a null": (
        pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", None], pa.string_view())),
        pa.array(["a", None]),
    ),
    "a dictionary of a dictionary": (
        pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["a", "b"]).dictionary_encode()),
        pa.array(["b", "a"]),
    ),
    "a null index that points nowhere": (
        pa.DictionaryArray.from_buffers(
            pa.dictionary(pa.int8(), pa.string()),
            2,
            [pa.py_buffer(b"\x01"), pa.py_buffer(b"\x00\x63")],
            pa.array(["a"]),
        ),
        pa.array(["a", None]),
    ),
    "a map of sliced entries": (
        pa.Array.from_buffers(
            pa.map_(pa.string(), pa.int64()),
            2,
            [None, pa.py_buffer(np.array([0, 1, 2], np.int32))],
            children=[pa.array([{"key": k, "value": v} for k, v in (("x", 1), ("y", 2), ("z", 3))], ENTRY).slice(1)],
        ),
        pa.array([[("y", 2)], [("z", 3)]], pa.map_(pa.string(), pa.int64())),
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("layout", list(ODD_LAYOUTS))
def test_odd_layouts_have_the_digests_of_their_values(layout: str, engine: EngineName) -> None:
    odd, plain = ODD_LAYOUTS[layout]
    assert digests(pa.table({"x": odd}), engine=engine) == digests(pa.table({"x": plain}), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("index", [1, 99, -1])
def test_a_dictionary_index_out_of_range_is_refused(index: int, engine: EngineName) -> None:
    indices = pa.py_buffer(np.array([0, index], np.int8))
    array = pa.DictionaryArray.from_buffers(pa.dictionary(pa.int8(), pa.string()), 2, [None, indices], pa.array(["a"]))
    with pytest.raises(BadDataError, match=f"index is out of range: got {index}, expected 0 to 0"):
        digests(pa.table({"x": array}), engine=engine)


def test_a_date_in_a_list_that_does_not_fit_is_refused() -> None:
    array = (
        pa.array([[2**32 * 86_400_000]], pa.list_(pa.int64()))
        .cast(pa.list_(pa.timestamp("ms")))
        .view(pa.list_(pa.date64()))
    )
    with pytest.raises(BadDataError, match="date in a list is out of range"):
        digests(pa.table({"x": array}))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_without_columns_still_counts_its_rows(engine: EngineName) -> None:
    three = TableSource(
        pa.schema([]),
        (Part(0, lambda columns, *, threads: iter([pa.table({"x": [1, 2, 3]}).select([]).to_batches()[0]])),),
        3,
    )
    assert digest_table(three, TableOptions(engine=engine)).rows == 3


def test_an_error_while_reading_comes_through_from_any_thread() -> None:
    def read(columns: list[str], *, threads: bool) -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"x": [1]})
        raise BadDataError("cut short")

    for count in (1, 3):
        source = TableSource(pa.schema([("x", pa.int64())]), tuple(Part(i, read) for i in range(count)), 3)
        with pytest.raises(BadDataError, match="cut short"):
            digest_table(source, TableOptions(threads=2))
