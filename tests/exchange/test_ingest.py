# SPDX-License-Identifier: Apache-2.0
"""Events from anywhere: every form is read, each bad one is told, and the good ones are in the log as they came."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, StoreError, UnreadableError
from lineagekit.events.wire import event_key
from lineagekit.exchange.ingest import KEPT, Ingested, Refused, ingest
from lineagekit.exchange.scanning import LONGEST
from lineagekit.store.admit import DEEPEST, admit, parse
from lineagekit.store.log import Store, open_store
from tests.identity.worlds import as_nobody, open_folder

ROOT = Path(__file__).parents[2]


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "eventTime": f"2026-11-01T00:00:00.{number:06}Z",
        "eventType": "START",
        "run": {"runId": f"run-{number}", "facets": {"x": {"text": 'a "b" {[,] \\ ü', "number": number}}},
        "job": {"namespace": "shop", "name": f"job-{number}"},
        "inputs": [{"namespace": "file", "name": "/a"}, {"namespace": "file", "name": "/b"}],
        **more,
    }


EVENTS = [event(number) for number in range(4)]


def lines(events: list[dict[str, Any]], end: str = "\n", **how: Any) -> str:
    return "".join(json.dumps(one, **how) + end for one in events)


FORMS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "lines": lines,
    "lines in UTF-8": lambda events: lines(events, ensure_ascii=False),
    "lines of Windows": lambda events: lines(events, "\r\n"),
    "lines of an old Mac": lambda events: lines(events, "\r"),
    "blank lines": lambda events: "\n\n  \n" + lines(events, "\n\n\t\n"),
    "indented lines": lambda events: "".join(f"  {json.dumps(one)}\t\n" for one in events),
    "no end of the last line": lambda events: lines(events)[:-1],
    "a byte order mark": lambda events: "\ufeff" + lines(events),
    "a byte order mark and an array": lambda events: "\ufeff" + json.dumps(events),
    "commas behind lines": lambda events: lines(events, ",\n"),
    "a JSON text sequence": lambda events: "".join(f"\x1e{json.dumps(one)}\n" for one in events),
    "an array": json.dumps,
    "an array without blanks": lambda events: json.dumps(events, separators=(",", ":")),
    "a pretty array": lambda events: json.dumps(events, indent=2),
    "a pretty array without indents": lambda events: json.dumps(events, indent=0),
    "an array of lines": lambda events: "[\n" + lines(events, ",\n")[:-2] + "\n]\n",
    "an array a line": lambda events: "".join(json.dumps([one]) + "\n" for one in events),
    "empty arrays": lambda events: "[]\n[ ]" + json.dumps(events) + "[\n]",
    "arrays end to end": lambda events: json.dumps(events[:2]) + json.dumps(events[2:]),
    "pretty objects": lambda events: lines(events, indent=4),
    "objects end to end": lambda events: lines(events, ""),
    "pretty objects end to end": lambda events: lines(events, "", indent=1),
    "lines, then an array, then a pretty object": lambda events: (
        lines(events[:1]) + json.dumps(events[1:3], indent=1) + "\n" + lines(events[3:], indent=1)
    ),
}


def read(store: Store, data: bytes | str, **how: Any) -> Ingested:
    return ingest(store, io.BytesIO(data if isinstance(data, bytes) else data.encode()), **how)


def names(store: Store) -> list[str]:
    """Names of the jobs, in the order of the log."""
    return [row.event["job"]["name"] for row in store.events(limit=100_000)]


def log_of(data: bytes) -> list[tuple[Any, ...]]:
    with open_folder() as folder, open_store(folder) as store:
        done = read(store, data)
        rows = store.events(limit=100_000)
        assert done == Ingested(len(rows), 0, 0, ())
        return [(row.key, row.run, row.kind, row.type, row.time, row.event) for row in rows]


class TestForms:
    @pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzipped"])
    @pytest.mark.parametrize("form", FORMS)
    def test_each_gives_the_same_log(self, store: Store, form: str, packed: Callable[[bytes], bytes]) -> None:
        assert read(store, packed(FORMS[form](EVENTS).encode())) == Ingested(4, 0, 0, ())
        rows = store.events()
        assert [row.event for row in rows] == EVENTS
        assert [row.key for row in rows] == [event_key(one) for one in EVENTS]
        assert [(row.run, row.kind, row.type, row.origin) for row in rows] == [
            (f"run-{number}", "run", "START", "ingest") for number in range(4)
        ]
        runs = store.recent_runs()
        assert [(run.job, run.namespace, run.state, run.inputs, run.outputs, run.seq) for run in runs] == [
            (f"job-{number}", "shop", "RUNNING", 2, 0, number + 1) for number in (3, 2, 1, 0)
        ]

    def test_several_gzipped_pieces_are_one_file(self, store: Store) -> None:
        text = lines(EVENTS).encode()
        assert read(store, gzip.compress(text[:200]) + gzip.compress(text[200:])).new == 4

    @pytest.mark.parametrize("data", [b"", b"\n \r\n", b"[]", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0), b"{"[:0]])
    def test_nothing_is_nothing(self, store: Store, data: bytes) -> None:
        assert read(store, data) == Ingested(0, 0, 0, ())

    def test_events_of_jobs_and_datasets_are_events(self, store: Store) -> None:
        time = {"eventTime": "2026-11-01T00:00:00Z"}
        some = [{**time, "job": EVENTS[0]["job"]}, {**time, "dataset": {"namespace": "file", "name": "/a"}}]
        assert read(store, lines(some)).new == 2
        assert [(row.kind, row.run) for row in store.events()] == [("job", ""), ("dataset", "")]

    def test_a_long_line_is_a_line(self, store: Store) -> None:
        long = event(0, filling="ü" * 3_000_000)
        assert read(store, lines([long, *EVENTS[1:]], ensure_ascii=False)).new == 4
        assert store.events()[0].event == long
        assert read(store, json.dumps([*EVENTS[1:], long])) == Ingested(0, 4, 0, ())


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
_blanks = st.text(" \t\r\n", max_size=3)


@st.composite
def _spaced(draw: st.DrawFn, value: Any) -> str:
    """JSON of a value, with blanks wherever it may have them."""

    def token(text: str) -> str:
        return draw(_blanks) + text + draw(_blanks)

    if isinstance(value, dict):
        inside = [f"{token(json.dumps(key))}:{draw(_spaced(one))}" for key, one in value.items()]
        return token("{" + ",".join(inside) + "}")
    if isinstance(value, list):
        return token("[" + ",".join(draw(_spaced(one)) for one in value) + "]")
    return token(json.dumps(value, ensure_ascii=draw(st.booleans())))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_an_event_holds_and_however_it_is_spaced_the_log_is_the_same(data: st.DataObject) -> None:
    facets = data.draw(st.lists(st.dictionaries(_texts, _values, max_size=3), min_size=1, max_size=4))
    events = [event(number, extra=facet) for number, facet in enumerate(facets)]
    expected = log_of(lines(events).encode())
    form = data.draw(st.sampled_from(["array", "end to end", "lines", *FORMS]))
    if form == "array":
        text = data.draw(_spaced(events))
    elif form in ("end to end", "lines"):
        text = ("\n" if form == "lines" else "").join(data.draw(_spaced(one)) for one in events)
    else:
        text = FORMS[form](events)
    assert log_of(text.encode()) == expected
    assert [told[-1] for told in expected] == events


class TestWhatIsKept:
    def test_the_bytes_are_those_that_came(self, store: Store) -> None:
        odd = json.dumps(EVENTS[0]).replace('"x"', '"\\u0078"').replace(": ", " :\t").encode()
        pretty = json.dumps(EVENTS[1], indent=3, ensure_ascii=False).encode()
        array = b"[\n " + odd.replace(b"job-0", b"job-9") + b" ,\n]"
        read(store, b"  " + odd + b" \r\n" + pretty + b"\n" + array)
        assert [row.body for row in store.events()] == [odd, pretty, odd.replace(b"job-0", b"job-9")]

    def test_of_a_key_that_is_repeated_the_last_one_counts(self, store: Store) -> None:
        twice = json.dumps(EVENTS[0]).replace('"job-0"', '"other", "name": "job-0"')
        assert read(store, lines(EVENTS[:1]) + twice) == Ingested(1, 1, 0, ())
        assert read(store, twice.replace("START", "FAIL")).new == 1
        assert names(store) == ["job-0", "job-0"]

    def test_numbers_that_are_none_become_their_names(self, store: Store) -> None:
        odd = '{"a": NaN, "b": [-Infinity, 1e999], "c": {"d": Infinity}}'
        said = {"a": "NaN", "b": ["-Infinity", "Infinity"], "c": {"d": "Infinity"}}
        text = json.dumps(event(0, odd=0)).replace('"odd": 0', f'"odd": {odd}')
        assert read(store, text).new == 1
        (row,) = store.events()
        assert json.loads(row.body, parse_constant=pytest.fail)["odd"] == said
        assert read(store, lines([event(0, odd=said)])).known == 1

    def test_halves_of_surrogate_pairs_are_written_out(self, store: Store) -> None:
        odd = '{"\\ud800": ["\\udcff"], "whole": "\\ud83d\\ude00"}'
        text = json.dumps(event(0, odd=0)).replace('"odd": 0', f'"odd": {odd}').replace("job-0", "caf\\udce9")
        assert read(store, text).new == 1
        assert store.events()[0].event["odd"] == {"\\ud800": ["\\udcff"], "whole": "\U0001f600"}
        assert store.recent_runs()[0].job == "caf\\udce9"

    @pytest.mark.parametrize(
        "number", ["1" * 400, str(2**64), str(-(2**63) - 1), "1e-400", "-0", "0.10000000000000001"]
    )
    def test_a_number_of_any_size_stays_what_it_is(self, store: Store, number: str) -> None:
        text = json.dumps(event(0, odd=0)).replace('"odd": 0', f'"odd": {number}')
        assert read(store, text).new == 1
        (row,) = store.events()
        assert row.body == text.encode()
        assert row.key == event_key(json.loads(text))

    def test_nul_in_a_text_is_kept(self, store: Store) -> None:
        assert read(store, lines([event(0, odd="a\0b")])).new == 1
        assert store.events()[0].event["odd"] == "a\0b"

    def test_it_is_kept_once_however_often_and_in_whatever_form_it_comes(self, store: Store) -> None:
        assert read(store, lines([*EVENTS, EVENTS[2]])) == Ingested(4, 1, 0, ())
        for text in map(str, (form(EVENTS) for form in FORMS.values())):
            assert read(store, text) == Ingested(0, 4, 0, ())
        assert store.last_seq() == 4

    def test_many_batches_are_in_order_and_counted_together(self, store: Store) -> None:
        counted: list[int] = []
        some = [event(number % 4500) for number in range(5000)]
        assert read(store, lines(some), progress=counted.append) == Ingested(4500, 500, 0, ())
        assert names(store) == [f"job-{number}" for number in range(4500)]
        assert sum(counted) == 5000
        assert len(counted) > 1

    def test_where_it_came_from_is_told(self, store: Store) -> None:
        read(store, lines(EVENTS), origin="ingest:events.jsonl")
        assert {row.origin for row in store.events()} == {"ingest:events.jsonl"}

    def test_without_orjson_the_log_is_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "events"
        numbers = event(1, odd=[2**64, 10**300, 0.1, -0.0, "\ud800", float("nan")])
        path.write_text(lines([EVENTS[0], numbers]) + "{\n" + json.dumps(EVENTS[2:], indent=1))
        script = (
            "import sys; sys.modules.update(dict.fromkeys(sys.argv[3:]))\n"
            "from lineagekit.exchange import ingest\nfrom lineagekit.store import admit\n"
            "from lineagekit.store.log import open_store\n"
            "assert (admit.orjson is None) == bool(sys.argv[3:])\n"
            "with open_store(sys.argv[1]) as store, open(sys.argv[2], 'rb') as file:\n"
            "    print(ingest.ingest(store, file), [(row.key, row.body) for row in store.events()])"
        )
        told = [
            subprocess.run(
                [sys.executable, "-c", script, str(tmp_path / name), str(path), *without],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for name, without in (("with", []), ("without", ["orjson"]))
        ]
        assert told[0].startswith("Ingested(new=4, known=0, refused=1")
        assert told[0] == told[1]


ONE, TWO = (json.dumps(one) for one in EVENTS[:2])
DEEP = '{"a":' * 3000 + "1" + "}" * 3000
NO_EVENT = "not an OpenLineage event: "

BAD: dict[str, tuple[str | bytes, list[tuple[int, str]]]] = {
    "no JSON": (f"{ONE}\nhello\n{TWO}", [(2, "not a JSON object: 'hello'")]),
    "a table": (f"a,b\n1,2\n{ONE}\n{TWO}", [(1, "not a JSON object: 'a,b'"), (2, "not a JSON object: '1,2'")]),
    "values that are no objects": (
        f'1\n"x{{"\nnull\n{ONE}\n{TWO}',
        [(1, "not a JSON object: '1'"), (2, "not a JSON object"), (3, "not a JSON object: 'null'")],
    ),
    "a list in an array": (f"[{ONE}, [1],\n{TWO}]", [(1, NO_EVENT + "got list, expected an object")]),
    "an object that is none": (f'{{"a": 1}}\n{ONE}\n{TWO}', [(1, NO_EVENT + "got a, expected run and job")]),
    "an empty object": (f"{{}}\n{ONE}\n{TWO}", [(1, NO_EVENT + "got nothing, expected run and job")]),
    "no time": (
        f"{ONE}\n{json.dumps({**event(1), 'eventTime': None})}\n\n{TWO}",
        [(2, NO_EVENT + "eventTime: got None, expected a time")],
    ),
    "a time that is none": (
        f"{ONE}\n{TWO}\n{TWO.replace('2026-11-01T', '2026-13-01T')}",
        [(3, NO_EVENT + "eventTime: got '2026-13-01T")],
    ),
    "a time before all times": (
        f"{ONE}\n{TWO}\n{json.dumps({**event(1), 'eventTime': '0001-01-01T00:00:00+23:00'})}",
        [(3, NO_EVENT + "eventTime: expected a time between the years 1 and 9999")],
    ),
    "a wrong type": (
        f"{ONE}\n{json.dumps({**event(1), 'inputs': {'name': 'x'}})}\n{TWO}",
        [(2, NO_EVENT + "inputs: got {'name': 'x'}, expected a list")],
    ),
    "a name that is missing": (
        f"{ONE}\n{json.dumps({**event(1), 'job': {'namespace': 'n'}})}\n{TWO}",
        [(2, NO_EVENT + "job.name is missing")],
    ),
    "an empty name": (
        f"{ONE}\n{json.dumps({**event(1), 'job': {'namespace': 'n', 'name': ''}})}\n{TWO}",
        [(2, NO_EVENT + "job.name: got '', expected a name")],
    ),
    "too deep": (f"{ONE}\n{DEEP}\n{TWO}", [(2, NO_EVENT + "it is nested too deep")]),
    "rather deep": (
        f"{ONE}\n{json.dumps(event(5, x=json.loads('[' * DEEPEST + ']' * DEEPEST)))}\n{TWO}",
        [(2, f"{NO_EVENT}it is nested deeper than {DEEPEST} levels")],
    ),
    "a number of thousands of digits": (
        f'{ONE}\n{{"a": {"1" * 5000}}}\n{TWO}',
        [(2, "no JSON: Exceeds the limit (4300 digits)")],
    ),
    "NUL in the JSON": (f'{ONE}\n{{"a": "\0"}}\n{TWO}', [(2, "no JSON: Invalid control character")]),
    "no UTF-8": (
        b'%b\n{"a": "\xff\xfe"}\n%b' % (ONE.encode(), TWO.encode()),
        [(2, "not UTF-8: byte 0xff at place 8")],
    ),
    "no UTF-8 in an array": (b'[%b, {"a": "\xe4"},\n%b]' % (ONE.encode(), TWO.encode()), [(1, "not UTF-8: byte 0xe4")]),
    "bytes of another kind": (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n%b\n%b" % (ONE.encode(), TWO.encode()),
        [(1, "not a JSON object: '\\udc89PNG'"), (2, "not a JSON object"), (3, "not a JSON object")],
    ),
    "single quotes": (f"{ONE}\n{{'a': 'b'}}\n{TWO}", [(2, "no JSON: Expecting property name enclosed in double")]),
    "a comma too many in an object": (f'{ONE}\n{{"a": 1,}}\n{TWO}', [(2, "no JSON: ")]),
    "a line cut off in a text": (f"{ONE}\n{TWO[:30]}\n{TWO}", [(2, "cut off: the line ends inside a text")]),
    "a line of Windows cut off in a text": (
        f"{ONE}\r\n{TWO[:30]}\r\n{TWO}",
        [(2, "cut off: the line ends inside a text")],
    ),
    "a line cut off behind a colon": (f'{ONE}\n{{"a":\n{TWO}', [(2, "cut off: the end comes before")]),
    "a line cut off behind a colon, and more lines": (
        f'{{"a":\n{ONE}\n{TWO}\n',
        [(1, "no JSON: Expecting ',' delimiter in line 3")],
    ),
    "a line cut off in a list": (
        f'{{"a": [{{"b": 1}},\n{ONE}\n{TWO}',
        [(1, "no JSON: Expecting ',' delimiter in line 3")],
    ),
    "every line cut off but two": (
        f'{{"a":\n{ONE}\n{{"b": [\n{{"c": {{\n{TWO}\n{{"d": "',
        [(1, "no JSON"), (3, "no JSON"), (4, "no JSON"), (6, "cut off")],
    ),
    "a pretty object that is broken": (
        "{\n  'a': {\n    \"b\": 1\n  }\n}\n" + f"{ONE}\n{TWO}",
        [(1, "no JSON: Expecting property name enclosed in double quotes in line 2")],
    ),
    "an array that is not closed": (f"[{ONE},\n{TWO}", [(2, "the array that begins in line 1 is cut off: expected ]")]),
    "an array cut off": (f"[{ONE},\n{TWO},\n{TWO[:99]}", [(3, "cut off: the end comes before that of the object")]),
    "something else in an array": (
        f'[{ONE}, oops, \n{TWO}, null, "]"]',
        [(1, "not a JSON object: 'oops'"), (2, "not a JSON object: 'null'"), (2, "not a JSON object: '\"]\"'")],
    ),
    "an element that is broken": (f"[{ONE}, {{'a': [{{}}]}}, {TWO}]", [(1, "no JSON: ")]),
    "a bracket too many": (f"[{ONE},\n{TWO}]]\n", [(2, "not a JSON object: ']'")]),
    "something behind an object": (f"{ONE} x\n{TWO}", [(1, "not a JSON object: 'x'")]),
    "a gzipped file cut off": (
        gzip.compress(f"{ONE}\n{TWO}\n".encode() + os.urandom(500).hex().encode(), mtime=0)[:-200],
        [(3, "not a JSON object"), (3, "the gzip data is damaged or cut off behind this line: ")],
    ),
    "a gzipped file with a wrong checksum": (
        gzip.compress(f"{ONE}\n{TWO}\n".encode(), mtime=0)[:-8] + b"12345678",
        [(2, "the gzip data is damaged or cut off behind this line: CRC check failed")],
    ),
    "a gzipped file with something behind it": (
        gzip.compress(f"{ONE}\n{TWO}\n".encode(), mtime=0) + b"something",
        [(2, "the gzip data is damaged or cut off behind this line: Not a gzipped file")],
    ),
}


_NOTHING = b"[] \n\r\t,\x1e\xef\xbb\xbf"


class TestWhatIsBad:
    @pytest.mark.parametrize("kind", BAD)
    def test_it_is_told_and_the_good_goes_in(self, store: Store, kind: str) -> None:
        data, expected = BAD[kind]
        told: list[Refused] = []
        done = read(store, data, refuse=told.append)
        assert [row.event for row in store.events()] == EVENTS[:2]
        assert [one.line for one in told] == [line for line, _ in expected]
        for one, (_, beginning) in zip(told, expected, strict=True):
            assert one.reason.startswith(beginning)
        assert done == Ingested(2, 0, len(told), tuple(told))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
    def test_another_encoding_is_told(self, store: Store, encoding: str) -> None:
        mark = "\ufeff" if encoding == "utf-16-le" else ""
        done = read(store, (mark + lines(EVENTS)).encode(encoding))
        assert done == Ingested(0, 0, 1, (Refused(1, "this is UTF-16, expected UTF-8: see iconv -f UTF-16 -t UTF-8"),))

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_whatever_is_done_to_a_file_nothing_fails_and_what_is_whole_goes_in(self, data: st.DataObject) -> None:
        form = FORMS[data.draw(st.sampled_from(sorted(FORMS)))](EVENTS).encode()
        start = data.draw(st.integers(0, len(form)))
        end = data.draw(st.integers(start, min(start + 300, len(form))))
        junk = data.draw(st.binary(max_size=20) | st.sampled_from([b"\n", b"[", b"]", b"{", b"}", b'"', b",\n", b"\\"]))
        broken = form[:start] + junk + form[end:]
        with open_folder() as folder, open_store(folder) as store:
            done = read(store, broken)
            assert done.new == len(store.events())
        assert done.events + done.refused > 0 or not broken.strip(_NOTHING)

    def test_more_than_may_be_kept_is_counted(self, store: Store) -> None:
        done = read(store, "x\n" * (KEPT + 5) + ONE)
        assert (done.new, done.refused, len(done.refusals)) == (1, KEPT + 5, KEPT)
        assert done.refusals[-1] == Refused(KEPT, "not a JSON object: 'x'")

    @pytest.mark.parametrize("form", ["{}\n{}\n{}", "[{},\n{},\n{}]"])
    def test_a_value_that_is_far_too_long_is_passed_over(self, store: Store, form: str) -> None:
        long = json.dumps({"a": "x" * LONGEST})
        done = read(store, form.format(ONE, long, TWO) if form[0] == "[" else f"{ONE}\n{long}\n{TWO}")
        assert done == Ingested(2, 0, 1, (Refused(2, "longer than 64 MB"),))

    def test_a_text_without_an_end_is_given_up_before_all_of_it_is_held(self, store: Store) -> None:
        done = read(store, f'{ONE}\n{{"a": "{"x" * (LONGEST * 3 // 2)}\n{TWO}')
        assert done == Ingested(2, 0, 1, (Refused(2, "longer than 64 MB"),))

    def test_junk_without_an_end_is_one_line(self, store: Store) -> None:
        done = read(store, "x" * 5_000_000 + "\n" + ONE)
        assert done == Ingested(1, 0, 1, (Refused(1, f"not a JSON object: '{'x' * 40}'"),))


class Endless(io.RawIOBase):
    """A stream of events that is read bit by bit, and may fail; it counts what was taken from it."""

    def __init__(self, events: int, form: str, error: OSError | None = None) -> None:
        super().__init__()
        self.given = 0
        self._pieces = self._make(events, form)
        self._error = error

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = next(self._pieces, b"")
        if not piece and self._error:
            raise self._error
        return piece

    def _make(self, events: int, form: str) -> Iterator[bytes]:
        if form != "lines":
            yield b"["
        for number in range(events):
            self.given += 1
            text = json.dumps(event(number, x="y" * 1000), indent=2 if form == "pretty array" else None)
            yield text.encode() + (b"\n" if form == "lines" else b", ")
        if form != "lines":
            yield b"]"


class TestStreams:
    @pytest.mark.parametrize("form", ["lines", "array", "pretty array"])
    def test_no_more_is_held_than_a_few_batches(self, store: Store, form: str) -> None:
        stream = Endless(15_000, form)
        done = [0]
        ahead: list[int] = []

        def watch(count: int) -> None:
            done[0] += count
            ahead.append(stream.given - done[0])

        assert ingest(store, cast(Any, stream), progress=watch).new == stream.given == 15_000
        assert len(ahead) >= 7
        assert max(ahead) < 4000

    def test_what_came_before_a_failure_is_in_the_log(self, store: Store) -> None:
        stream = Endless(2500, "lines", OSError(errno.EIO, "Input/output error"))
        with pytest.raises(UnreadableError, match="reading failed behind line 2500: Input/output error"):
            ingest(store, cast(Any, stream))
        assert store.last_seq() == 2500

    def test_a_store_that_may_only_be_read_takes_nothing(self) -> None:
        with open_folder() as folder:
            open_store(folder / "store").close()
            (folder / "store").chmod(0o555)
            (folder / "store" / "lineage.db").chmod(0o444)
            with (
                as_nobody(),
                open_store(folder / "store") as store,
                pytest.raises(StoreError, match="cannot be written"),
            ):
                read(store, lines(EVENTS))


class TestAdmitting:
    def test_without_its_bytes_an_event_gets_some(self) -> None:
        entry = admit(EVENTS[0])
        assert json.loads(cast(bytes, entry.body)) == EVENTS[0]
        assert entry.key == event_key(EVENTS[0])

    def test_what_no_reader_can_hold_is_made_safe(self) -> None:
        entry = admit(event(0, x=[float("nan"), {"\ud800": "\udcff"}]))
        assert json.loads(cast(bytes, entry.body))["x"] == ["NaN", {"\\ud800": "\\udcff"}]

    @pytest.mark.parametrize("odd", [object(), b"bytes", {1, 2}])
    def test_what_is_no_json_is_refused(self, odd: object) -> None:
        with pytest.raises(BadDataError, match="not JSON serializable"):
            admit(event(0, x=odd))

    def test_an_event_in_itself_is_refused(self) -> None:
        endless: dict[str, Any] = event(0)
        endless["x"] = endless
        with pytest.raises(BadDataError, match="not an OpenLineage event"):
            admit(endless)

    def test_an_event_as_deep_as_may_be_is_read_by_everyone(self, store: Store) -> None:
        deep = event(0, x=json.loads("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)))
        store.append([admit(deep)])
        assert store.events()[0].event == deep

    @pytest.mark.parametrize("raw", [b"", b"{", b"nul", b"\xff", b"{} {}"])
    def test_what_is_no_json_is_not_parsed(self, raw: bytes) -> None:
        with pytest.raises(BadDataError):
            parse(raw)
