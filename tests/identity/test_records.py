# SPDX-License-Identifier: Apache-2.0
"""The records digest equals the standard library's JSON, byte for byte, whichever encoder did the work."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import gzip
import hashlib
import io
import json
import math
import subprocess
import sys
import uuid
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError, UsageError
from lineagekit.identity.canonical import encode_block, parse_json
from lineagekit.identity.records import binding_id, records_digest, records_digest_of_lines

ROWS = [
    {"id": 1, "text": "ship the model", "label": "pos"},
    {"id": 2, "text": "the run crashed", "label": "neg"},
    {"id": 3, "text": "all-reduce converged", "label": "pos"},
]
PUBLISHED = "3dd4f59af2233d0a45a0b32bc487a1b7badc99f74221c1ecda853e0cb6b1712e"

texts = st.text() | st.sampled_from(["\x7f", "\u2028", "\ud800", "null", "0.00001", "e-", "\0", '\\"', "NaN", "é"])
floats = st.floats() | st.floats(1e-11, 1e-3) | st.sampled_from([-0.0, 1e16, 1e-5, 1e-7, 5e-324, math.nan, math.inf])
scalars = st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | floats | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(st.integers() | st.booleans(), inner, max_size=2)
    ),
    max_leaves=8,
)


def plain_json(record: object) -> bytes:
    return (json.dumps(record, sort_keys=True, separators=(",", ":")) + "\n").encode()


def plain_digest(records: Iterable[object]) -> str:
    return hashlib.sha256(b"".join(map(plain_json, records))).hexdigest()


def test_the_published_records_have_the_published_digest() -> None:
    assert str(records_digest(ROWS)) == f"records-sha256:{PUBLISHED}"


def test_one_flipped_label_changes_it_as_published() -> None:
    flipped = [*ROWS[:1], {**ROWS[1], "label": "pos"}, *ROWS[2:]]
    assert records_digest(flipped).hex.startswith("38112a84caf59356")


def test_the_order_of_keys_does_not_matter_and_that_of_rows_does() -> None:
    assert records_digest(dict(reversed(row.items())) for row in ROWS).hex == PUBLISHED
    assert records_digest(reversed(ROWS)).hex != PUBLISHED


def test_the_published_binding_has_the_published_id() -> None:
    inputs = ["s3://corpus/reviews-2026-06.jsonl", "s3://corpus/labels-v4.csv"]
    bound = binding_id(output_snapshot=PUBLISHED, inputs=inputs, transform_code="git:9f3a1c2", row_count=3)
    assert bound == "8daa463f2483324b"


@given(st.lists(values, max_size=40))
@example([[{"a": math.nan}], [{"a": None}]])
@example([{1: "a", 2: "b"}, {True: 0}])
@example([{"x": 1e-5}] * 20)
def test_it_is_the_digest_of_plain_json(records: list[object]) -> None:
    try:
        expected = plain_digest(records)
    except TypeError:  # keys of several types cannot be sorted
        with pytest.raises(BadDataError):
            records_digest(records)
    else:
        assert records_digest(records).hex == expected


@given(values)
def test_reading_a_line_gives_what_plain_json_gives(value: object) -> None:
    for ascii_only in (True, False):
        try:
            text = json.dumps(value, ensure_ascii=ascii_only).encode()
        except (TypeError, UnicodeEncodeError):
            continue
        assert repr(parse_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    ["1e5", "1E400", "-0", "-0.0", "123456789012345678901", "-9223372036854775809", "0.1e-6", '"\\u0022"', "[1, 2 ]"],
)
def test_reading_a_number_gives_what_plain_json_gives(text: str) -> None:
    assert repr(parse_json(text.encode())) == repr(json.loads(text))


class Colour(enum.Enum):
    RED = "red"

    def __eq__(self, other: object) -> bool:
        return other == self.value

    __hash__ = enum.Enum.__hash__


class Level(enum.IntEnum):
    LOW = 1


class Name(str):
    __slots__ = ()


@dataclasses.dataclass
class Point:
    x: int = 1


REFUSED = [Colour.RED, uuid.UUID(int=1), datetime.datetime(2026, 6, 1), Point(), Decimal(1), {1, 2}, b"x", 1j, object()]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_plain_json_refuses_is_refused_and_the_record_named(value: object) -> None:
    for record in (value, [value], {"a": {"b": value}}):
        with pytest.raises(BadDataError, match="record 18 has no JSON form"):
            records_digest([*ROWS[:1]] * 17 + [record])


def test_what_plain_json_takes_for_numbers_and_strings_is_taken() -> None:
    records = [Level.LOW, Name("x"), {Name("k"): Level.LOW}, (1, 2), True]
    assert records_digest(records).hex == plain_digest(records)


def test_a_circle_and_a_depth_without_end_are_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for record in (circle, deep):
        with pytest.raises(BadDataError, match="record 1 "):
            records_digest([record])


@pytest.mark.parametrize("rows", ["text", b"bytes", {"id": 1}])
def test_one_record_is_no_stream_of_records(rows: Iterable[object]) -> None:
    with pytest.raises(UsageError, match="stream of records"):
        records_digest(rows)


def test_any_iterable_will_do_and_none_is_kept_in_memory() -> None:
    assert records_digest(iter(ROWS)).hex == PUBLISHED
    assert records_digest({"i": i} for i in range(100)).hex == plain_digest({"i": i} for i in range(100))
    assert records_digest([]).hex == hashlib.sha256(b"").hexdigest()


def test_the_block_that_a_record_is_in_makes_no_difference() -> None:
    records = [*ROWS, {"x": 1e-5}, {"x": None}, {"x": math.nan}, {"x": "é"}, {"x": Level.LOW}]
    assert encode_block(records) == b"".join(map(plain_json, records))


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\ufeff" + "\r\n\n".join(json.dumps(row, indent=None) for row in ROWS), encoding="utf-8")
    return path


def test_a_file_of_lines_has_the_digest_of_its_records(lines: Path) -> None:
    assert records_digest_of_lines(lines).hex == PUBLISHED
    assert records_digest_of_lines(str(lines)).hex == PUBLISHED


def test_compression_makes_no_difference(lines: Path, tmp_path: Path) -> None:
    packed = tmp_path / "rows.jsonl.gz"
    text = lines.read_bytes()
    packed.write_bytes(gzip.compress(text[:50]) + gzip.compress(text[50:]))  # two members, as parallel tools write
    assert records_digest_of_lines(packed).hex == PUBLISHED


def test_an_open_file_is_read_from_its_start_and_left_open(lines: Path) -> None:
    with lines.open("rb") as file:
        file.read(10)
        assert records_digest_of_lines(file).hex == PUBLISHED
        assert records_digest_of_lines(file).hex == PUBLISHED


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": 1, "a": 1}', "key 'a' occurs twice"),
        (b'{"a": {"b": 1, "\\u0062": "\\""}}', "key 'b' occurs twice"),
        (b'{"a": 1', "Expecting"),
        (b'{"a": 1} {"b": 2}', "Extra data"),
        (b'"\xff"', "utf-8"),
        (b"[" * 100_000, "recursion"),
        (b"1" * 5000, "limit"),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: bytes, why: str) -> None:
    with pytest.raises(BadDataError, match=rf"line 3 is not JSON.*{why}"):
        records_digest_of_lines(io.BytesIO(b'{"ok": 1}\n\n' + line + b"\n"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.jsonl"):
        records_digest_of_lines(tmp_path / "gone.jsonl")


def test_a_truncated_compressed_file_is_bad_data(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:-12])
    with pytest.raises(BadDataError, match=r"rows\.jsonl\.gz' is damaged"):
        records_digest_of_lines(path)


def test_without_orjson_the_digest_is_the_same() -> None:
    script = (
        "import sys; sys.modules['orjson'] = None\n"
        "from lineagekit.identity import canonical, records\n"
        "assert not canonical._FAST\n"
        f"print(records.records_digest({ROWS!r}).hex)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == PUBLISHED
