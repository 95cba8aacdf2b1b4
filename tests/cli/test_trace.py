# SPDX-License-Identifier: Apache-2.0
"""`lineagekit trace`: what a person sees, and what a program gets."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineagekit.cli.main import main
from tests.graph.stories import Story, data, digest
from tests.identity.worlds import as_nobody, open_folder

Capture = pytest.CaptureFixture[str]

CODE = {
    "lineagekit_code": {"commit": "be3cae9a56847c0eb5d96db3768c3234e6864498", "dirty": True, "entry": "train.py"},
    "lineagekit_params": {
        "params": [
            {"name": "rate", "type": "float", "value": "0.05"},
            {"name": "note", "type": "str", "value": "a very long text that is cut"},
            {"name": "seed", "type": "int", "value": "7"},
        ]
    },
    "lineagekit_metrics": {"metrics": [{"name": "auc", "value": 0.91, "of": "churn", "on": "/holdout.csv"}]},
}
PARTS = {f"dt={day}": f"part{day}" for day in range(3)}

TREE = """\
churn version 1
/models/churn.bin  9372c470eead  12,345 bytes
metrics  auc=0.91 on /holdout.csv
by train.py  2026-10-04 18:00  0197000b-000b
   code be3cae9a5684 with changes  rate=0.05 note=a very long text ... seed=7
├─ /lost.csv  ?  source
├─ pg/prices  pin 12  source
├─ /features  5b8a8b56dada
│  by join.py  2026-10-04 08:00  01970009-0009
│  ├─ /clean/people.csv  ef349ed124f5
│  │  by clean.py  2026-10-04 00:00  01970004-0004
│  │  └─ /raw/people.csv  c9022680f888  source
│  ├─ /clean/sums  7795bda3c00e
│  │  by rollup.py  2026-10-04 01:00  01970008-0008
│  │  ├─ /raw/clicks.csv  fd31698e2f12  source
│  │  └─ /clean/sums  b09ee5b7c154
│  │     ... 3 earlier runs of rollup.py, 2026-10-01 .. 2026-10-03
│  │     └─ /raw/clicks.csv  3 versions  source
│  └─ /set  591be77940b0  3 parts
│     3 parts by 3 runs of ingest.py, 2026-10-01 .. 2026-10-03
│     └─ /raw/orders.csv  3 versions  source
└─ pg/extra  ?
   ~ by extra.py  2026-10-04 09:00  0197000a-000a
   └─ /clean/people.csv  ef349ed124f5  see above
~  who wrote it is known by run times or by equal bytes elsewhere only
?  the bytes that were read are not known
11 runs; 19 inputs: 16 by content, 1 by version, 2 by name only; 1 bound by run
  times or copies only
sources, which no recorded run wrote: /lost.csv, /raw/clicks.csv,
  /raw/orders.csv, /raw/people.csv, pg/prices
bytes not known of: /lost.csv, pg/extra
to find out why, and what to do: lineagekit doctor --lineage
strength: name only, for the bytes that are not known; uncertain where marked ~
"""

WAYS = """\
churn was made of /raw/people.csv: 2 ways, from run to run
 1. /raw/people.csv  c9022680f888
    -> clean.py  2026-10-04 00:00  01970004-0004
    /clean/people.csv  ef349ed124f5
    -> join.py  2026-10-04 08:00  01970009-0009
    /features  5b8a8b56dada
    -> train.py  2026-10-04 18:00  0197000b-000b
    /models/churn.bin  9372c470eead
 2. /raw/people.csv  c9022680f888
    -> clean.py  2026-10-04 00:00  01970004-0004
    /clean/people.csv  ef349ed124f5
    -> extra.py  2026-10-04 09:00  0197000a-000a
    ~ pg/extra  ?
    -> train.py  2026-10-04 18:00  0197000b-000b
    /models/churn.bin  9372c470eead
~  who wrote it is known by run times or by equal bytes elsewhere only
?  the bytes that were read are not known
19 inputs: 16 by content, 1 by version, 2 by name only; 1 bound by run times or
  copies only (of all that churn came from)
"""

SOURCE = """\
/raw/orders.csv
a source: no recorded run wrote it
3 versions, read 2026-10-01 00:00 .. 2026-10-03 00:00
  2d2a2d2e24d2  2026-10-03 00:00 .. 2026-10-03 00:00  1 read
  e010f6e02460  2026-10-02 00:00 .. 2026-10-02 00:00  1 read
  f6ee91208730  2026-10-01 00:00 .. 2026-10-01 00:00  1 read
read by ingest.py  3 runs, last 2026-10-03 00:00
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store of one's own, in a terminal of 80 columns, in Greenwich."""
    with monkeypatch.context() as world:
        for key, value in {
            "HOME": tmp_path,
            "LINEAGEKIT_STORE": tmp_path / "store",
            "TZ": "UTC",
            "COLUMNS": 80,
        }.items():
            world.setenv(key, str(value))
        time.tzset()
        yield tmp_path / "store"
    time.tzset()


def shop() -> Story:
    """A model of all that there is: parts, a chain, a join, a version of another system, lost bytes, a weak bond."""
    story = Story()
    for day in range(3):
        parts = {f"dt={day}": f"part{day}"}
        story.run("ingest.py", [data("/raw/orders.csv", f"orders{day}")], [data("/set", parts=parts)], hours=day * 24)
    people = data("/clean/people.csv", "clean people")
    story.run("clean.py", [data("/raw/people.csv", "people")], [people], hours=72)
    for day in range(4):
        own = [data("/clean/sums", f"sums{day - 1}")] if day else []
        clicks = data("/raw/clicks.csv", f"clicks{day}")
        story.run("rollup.py", [clicks, *own], [data("/clean/sums", f"sums{day}")], hours=day * 24 + 1)
    features, extra = data("/features", "features"), data("extra", namespace="pg")
    story.run("join.py", [people, data("/clean/sums", "sums3"), data("/set", parts=PARTS)], [features], hours=80)
    story.run("extra.py", [people], [extra], hours=81)
    reads = [features, extra, data("/lost.csv"), data("prices", namespace="pg", pin="12")]
    model = data("/models/churn.bin", "model", model=("churn", "1"), size=12345)
    story.run("train.py", reads, [model], hours=90, facets=CODE)
    return story


def said(capsys: Capture, *words: str) -> str:
    """What is printed, but for the first line, which says which store."""
    assert main(["trace", *words]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    first, _, rest = told.out.partition("\n")
    assert first.startswith("store ")
    return rest


def envelope(capsys: Capture, *words: str) -> dict[str, Any]:
    assert main(["trace", *words, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


class TestText:
    def test_a_model_is_a_tree_down_to_its_sources(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder, shuffled=3)
        told = said(capsys, "churn")
        assert told == TREE
        assert max(map(len, told.splitlines())) <= 80

    def test_the_ways_between_two_things_are_told_from_either_end(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        assert said(capsys, "churn", "--to", "/raw/people.csv") == WAYS
        assert said(capsys, "/raw/people.csv", "--to", "churn") == WAYS

    def test_ways_by_name_say_so_and_none_is_an_answer_too(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        old = f"/raw/clicks.csv@{digest('clicks3')[7:19]}"
        told = said(capsys, "/clean/sums@1", "--to", old)
        assert told.startswith(f"/clean/sums@1 was made of {old}: 1 way, by name only\n 1. /raw/clicks.csv\n")
        none = said(capsys, "/raw/orders.csv", "--to", "/raw/people.csv")
        assert none == "nothing was recorded that leads from /raw/people.csv to /raw/orders.csv, or back\n"

    def test_more_ways_than_ten_are_counted(self, folder: Path, capsys: Capture) -> None:
        story = Story()
        for number in range(12):
            story.run(f"copy{number}", [data("/raw", "r")], [data(f"/d/{number}", f"{number}")])
        story.run("join", [data(f"/d/{number}", f"{number}") for number in range(12)], [data("/all", "a")])
        story.append(folder)
        told = said(capsys, "/all", "--to", "/raw")
        assert told.startswith("/all was made of /raw: 12 ways, from run to run, the 10 shortest\n")
        assert "\n10. /raw" in told
        assert "\n11. /raw" not in told

    def test_a_source_tells_its_versions_and_readers(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        assert said(capsys, "/raw/orders.csv") == SOURCE

    def test_a_run_tells_what_it_wrote(self, folder: Path, capsys: Capture) -> None:
        story = shop()
        story.append(folder)
        head = [f"run {story.runs[3]}", "wrote /clean/people.csv  ef349ed124f5"]
        assert said(capsys, "clean.py").splitlines()[:2] == head
        assert said(capsys, story.runs[3][:13]).splitlines()[:2] == head

    def test_what_lies_behind_the_depth_is_counted(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        told = said(capsys, "churn", "--depth", "1")
        assert "│  by join.py  2026-10-04 08:00  01970009-0009  not followed\n" in told
        assert "2 more runs behind these were not followed (--depth 1)\n" in told
        assert "/clean/people.csv" not in told

    def test_where_all_is_known_nothing_needs_a_sign(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        told = said(capsys, "/features")
        assert "~" not in told
        assert "?" not in told
        assert told.endswith("strength: content: every input is known by its bytes\n")

    def test_names_move_no_cursor(self, folder: Path, capsys: Capture) -> None:
        story = Story()
        story.run("a\x1b[2Jb\nc", [data("/d/\x07\u202e\t'\"\\é \N{SNOWMAN}")], [data("/d/x\r\n", "x")])
        story.append(folder)
        told = said(capsys, "a\x1b[2Jb\nc")
        assert all(sign.isprintable() or sign == "\n" for sign in told)
        assert "by a\\x1b[2Jb\\nc" in told
        assert "/d/\\x07\\u202e\\t'\"\\é \N{SNOWMAN}" in told

    def test_a_deep_tree_stays_on_the_screen(self, folder: Path, capsys: Capture) -> None:
        story = Story()
        for step in range(40):
            reads = [data(f"/data/{step - 1}", f"{step - 1}")] if step else []
            story.run(f"pipelines/steps/number_{step}.py", reads, [data(f"/data/{step}", f"{step}")])
        story.append(folder)
        lines = said(capsys, "/data/39").splitlines()
        assert max(map(len, lines)) <= 80
        assert any(re.match(r"\[39\] +└─ /data/0 ", line) for line in lines)


class TestFormats:
    def test_json_is_the_whole_answer(self, folder: Path, capsys: Capture) -> None:
        story = shop()
        story.append(folder)
        told = envelope(capsys, "churn")
        assert (told["command"], told["coverage"]["inputs"]) == ("trace", {"content": 16, "pin": 1, "name": 2})
        (root,), train = told["result"]["roots"], told["result"]["steps"][0]
        assert {key: root[key] for key in ("dataset", "digest", "bytes", "model", "version", "run")} == {
            "dataset": "/models/churn.bin",
            "digest": digest("model"),
            "bytes": 12345,
            "model": "churn",
            "version": "1",
            "run": story.runs[-1],
        }
        assert root["metrics"] == [{"name": "auc", "value": 0.91, "of": "churn", "on": "/holdout.csv"}]
        assert len(told["result"]["steps"]) == 11
        assert train["params"] == {"rate": "0.05", "note": "a very long text that is cut", "seed": "7"}
        assert (train["code"]["commit"][:12], train["code"]["dirty"]) == ("be3cae9a5684", True)
        features, *_ = train["inputs"]
        assert features == {
            "dataset": "/features",
            "namespace": "file",
            "name": "/features",
            "identity": "content",
            "digest": digest("features"),
            "pin": None,
            "bytes": 1000,
            "origins": [{"run": story.runs[8], "how": "digest", "parts": 0, "as": None}],
        }

    def test_json_of_ways_names_each_place(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        result = envelope(capsys, "churn", "--to", "/raw/people.csv")["result"]
        assert (result["first"], result["last"], result["by"], result["total"]) == (
            "/raw/people.csv",
            "churn",
            "run",
            2,
        )
        assert [place["kind"] for place in result["ways"][0]] == ["dataset", "job"] * 3 + ["dataset"]
        assert [place["weak"] for place in result["ways"][1]] == [False] * 4 + [True] + [False] * 2

    def test_dot_quotes_what_it_must(self, folder: Path, capsys: Capture) -> None:
        odd_names().append(folder)
        assert main(["trace", "odd", "--format", "dot"]) == 0
        first, *lines, last = capsys.readouterr().out.splitlines()
        assert (first, last) == ("digraph lineage {", "}")
        node = re.compile(r'  n\d+ \[shape=(box|ellipse), label="(?:[^"\\]|\\.)*"\];')
        edge = re.compile(r"  n\d+ -> n\d+( \[style=dashed\])?;")
        rest = [line for line in lines if not node.fullmatch(line) and not edge.fullmatch(line)]
        assert rest == ["  // 1 input: 1 by name only; 1 bound by run times or copies only", "  rankdir=LR;"]
        assert '  n2 [shape=ellipse, label="/d/\\"q\\" \\\\ <b>#`]\\\\n\\n?"];' in lines
        assert any(edge.fullmatch(line)[1] for line in lines if edge.fullmatch(line))

    def test_mermaid_gets_codes_for_what_means_something_to_it(self, folder: Path, capsys: Capture) -> None:
        odd_names().append(folder)
        assert main(["trace", "odd", "--format", "mermaid"]) == 0
        first, comment, *lines = capsys.readouterr().out.splitlines()
        assert first == "flowchart LR"
        assert comment.startswith("  %% ")
        node = re.compile(r'  n\d+(\[|\(\[)"([\w ./:=@,+~?-]|#\d+;|<br/>)*"(\]|\]\))')
        edge = re.compile(r"  n\d+ (-->|-\.->) n\d+")
        assert [line for line in lines if not node.fullmatch(line) and not edge.fullmatch(line)] == []
        assert '  n2(["/d/#34;q#34; #92; #60;b#62;#35;#96;#93;#10;<br/>#63;"])' in lines

    def test_openlineage_can_be_ingested_again_and_gives_the_same_trace(
        self, folder: Path, capsys: Capture, tmp_path: Path
    ) -> None:
        shop().append(folder)
        assert main(["trace", "churn", "--format", "openlineage"]) == 0
        lines = capsys.readouterr().out
        assert len(lines.splitlines()) == 22
        (tmp_path / "some.jsonl").write_text(lines)
        before = envelope(capsys, "churn")["result"]
        with pytest.MonkeyPatch.context() as world:
            world.setenv("LINEAGEKIT_STORE", str(tmp_path / "other"))
            assert main(["ingest", str(tmp_path / "some.jsonl")]) == 0
            capsys.readouterr()
            assert envelope(capsys, "churn")["result"] == before

    def test_two_answers_at_once_are_refused(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        assert main(["trace", "churn", "--format", "dot", "--to", "/raw/people.csv"]) == 2
        assert "got --format dot and --to" in capsys.readouterr().err
        assert main(["trace", "churn", "--format", "dot", "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def odd_names() -> Story:
    story = Story()
    name = '/d/"q" \\ <b>#`]\n'
    story.run("make", [], [data(name)])
    story.run("odd", [data(name)], [data("/d/x", "x")])
    return story


class TestTrouble:
    def test_what_nobody_recorded_is_not_found_with_a_guess(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        assert main(["trace", "chrun"]) == 6
        assert "Did you mean churn?" in capsys.readouterr().err
        assert main(["trace", "churn", "--to", "/raw/poeple.csv"]) == 6

    def test_an_empty_store_and_none_are_not_found(self, folder: Path, capsys: Capture) -> None:
        assert main(["trace", "churn"]) == 6
        assert "no store in" in capsys.readouterr().err
        Story().append(folder)
        assert main(["trace", "churn"]) == 6

    def test_a_depth_of_none_is_wrong(self, folder: Path, capsys: Capture) -> None:
        shop().append(folder)
        assert main(["trace", "churn", "--depth", "0"]) == 2
        assert main(["trace", "churn", "--format", "png"]) == 2

    def test_a_store_that_cannot_be_written_is_traced(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        with open_folder() as place:
            store = place / "store"
            shop().append(store)
            monkeypatch.setenv("LINEAGEKIT_STORE", str(store))
            assert said(capsys, "churn") == TREE
            for file in store.iterdir():
                file.chmod(0o444)
            store.chmod(0o555)
            with as_nobody():
                assert said(capsys, "churn") == TREE
