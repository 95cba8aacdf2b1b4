# SPDX-License-Identifier: Apache-2.0
"""The digest of a frame of Spark: equal to that of the Parquet which Spark writes of it, or refused, never another.

One session of Spark takes all digests (`spark_frames.py`); one run of the command takes those of places.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lineagekit

pytestmark = pytest.mark.spark

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-spark" / "bin" / "python"
FRAMES = [
    "integers",
    "doubled rows",
    "floats",
    "booleans",
    "strings",
    "broken utf8",
    "binary",
    "decimals",
    "dates",
    "timestamps",
    "old timestamps",
    "timestamps without a zone",
    "lists",
    "lists of strings",
    "lists of floats",
    "lists of timestamps",
    "structs",
    "maps",
    "maps of structs",
    "lists of maps",
    "vectors",
    "odd names",
    "many columns",
    "nobody",
    "many rows",
]


def run(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "LINEAGEKIT_SETTLE": "off", **environ}
    return subprocess.run([str(PYTHON), *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("frames")
    done = run(str(HERE / "spark_frames.py"), str(folder), cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


@pytest.fixture(scope="module")
def answers(results: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = results["answers"]
    return found


def test_every_frame_is_asked_about(results: dict[str, Any]) -> None:
    assert list(results["frames"]) == FRAMES


@pytest.mark.parametrize("name", FRAMES)
def test_no_partitioning_changes_the_digest_which_is_that_of_the_file(results: dict[str, Any], name: str) -> None:
    frame = results["frames"][name]
    assert isinstance(frame, dict), frame
    assert frame["shuffled"] == frame["file"]
    without = {key: value for key, value in frame["file"].items() if key != "lkm1"}
    assert frame["as it is"] == frame["with empty partitions"] == without


def test_frames_that_differ_have_digests_that_differ(results: dict[str, Any]) -> None:
    digests = [frame["file"]["lkt1"] for frame in results["frames"].values()]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("form", ["INT96", "TIMESTAMP_MILLIS"])
def test_a_timestamp_that_parquet_will_hold_otherwise_is_a_warning(answers: dict[str, Any], form: str) -> None:
    (warning,) = answers[form]
    assert form in warning
    assert "a Parquet copy has another digest" in warning


def test_a_timestamp_that_parquet_holds_as_it_is_needs_no_warning(answers: dict[str, Any]) -> None:
    assert answers["TIMESTAMP_MICROS"] == []


def test_an_interval_of_days_is_a_number_in_parquet_and_says_so(answers: dict[str, Any]) -> None:
    assert "int64" in answers["interval of days"][0]


REFUSED = {
    "interval of months": "UnsupportedTypeError: column 'i': type interval month has no Arrow form",
    "variant": "UnsupportedTypeError: column 'v': type variant has no canonical form",
    "duplicate fields": "UnsupportedTypeError: column 's': duplicate field names",
    "duplicate columns": "BadDataError: duplicate column names: got 'a'",
    "no columns": "UsageError: a frame without columns",
    "a stream": "UsageError: a stream has no digest",
    "a list": "UsageError: not a frame of Spark: got a list",
    "sha256": "UsageError: not an algorithm of frames: got 'sha256'",
    "bare executors": "MissingExtraError: the Python of the executors has no package lineagekit",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_digest_is_refused_with_the_reason(answers: dict[str, Any], name: str) -> None:
    assert answers[name].startswith(REFUSED[name]), answers[name]


def test_missing_executor_packages_come_with_the_line_to_type(answers: dict[str, Any]) -> None:
    assert "pip install 'lineagekit[spark]' in the Python that executors use" in answers["bare executors"]


def test_what_the_job_itself_raises_comes_out_as_spark_says_it(answers: dict[str, Any]) -> None:
    assert answers["user's own failure"].startswith("PythonException")
    assert "ZeroDivisionError" in answers["user's own failure"]


@pytest.mark.parametrize("setting", ["other zone", "large types", "one batch", "small batches"])
def test_no_setting_of_the_session_changes_the_digest(answers: dict[str, Any], setting: str) -> None:
    assert answers[setting] is True


def test_chosen_columns_stand_in_the_name_and_are_those_of_lineagekit(answers: dict[str, Any]) -> None:
    assert answers["chosen"] == answers["chosen here"]
    assert answers["chosen"][0]["lkt1"].startswith("lkt1;columns=X,a.b:")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables as folders of files, and what only looks like one."""
    root = tmp_path_factory.mktemp("places")
    table = pa.table({"id": range(100), "s": [f"{i:03}" for i in range(100)], "x": [i / 7 for i in range(100)]})
    for name in ("whole [1]", "parts", "dt/dt=01", "dt/dt=1", "nested/sub", "mixed", "csv", "jsonl", "uneven", "ns"):
        (root / name).mkdir(parents=True)
    pq.write_table(table, root / "whole [1]" / "a b.parquet")
    for place in range(4):
        pq.write_table(table.slice(25 * place, 25), root / "parts" / f"{place}.parquet")
        rows = table.slice(25 * place, 25).to_pylist()
        lines = ["id,s,x", *(f'{r["id"]},"{r["s"]}",{r["x"]}' for r in rows)]
        (root / "csv" / f"{place}.csv").write_text("\n".join(lines))
        (root / "jsonl" / f"{place}.json").write_text("\n".join(map(json.dumps, rows)))
    for folder in ("dt/dt=01", "dt/dt=1", "nested", "nested/sub", "mixed"):
        pq.write_table(table, root / folder / "p.parquet")
    (root / "mixed" / "p.csv").write_text("id\n1\n")
    (root / "uneven" / "0.csv").write_text("a\n1\n")
    (root / "uneven" / "1.csv").write_text("b\n1\n")
    whole = ["id,s,x", *(f'{r["id"]},"{r["s"]}",{r["x"]}' for r in table.to_pylist())]
    (root / "whole.csv").write_text("\n".join(whole))
    (root / "whole.jsonl").write_text("\n".join(map(json.dumps, table.to_pylist())))
    milliseconds = pa.table({"t": pa.array(range(3), pa.timestamp("ms", "UTC"))})
    pq.write_table(milliseconds, root / "ns" / "t.parquet")
    return root


NAMES = ("whole [1]/a b.parquet", "parts", "dt", "nested", "mixed", "csv", "jsonl", "uneven", "ns", "whole.csv", "gone")


@pytest.fixture(scope="module")
def told(places: Path) -> dict[str, dict[str, Any]]:
    done = run("-m", "lineagekit", "fingerprint", "--engine", "spark", "--json", *NAMES, cwd=places)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    found = {snapshot["name"]: snapshot for snapshot in answer["result"]["snapshots"]}
    found["warnings"] = {"all": answer["warnings"]}
    return found


def local(path: Path) -> str:
    return str(lineagekit.fingerprint(path, lineagekit.Options(what="content")).digest("lkt1"))


def test_a_file_and_a_folder_of_its_parts_have_the_digest_of_the_local_engine(
    places: Path, told: dict[str, Any]
) -> None:
    expected = local(places / "whole [1]" / "a b.parquet")
    assert told["whole [1]/a b.parquet"]["digests"] == told["parts"]["digests"] == {"lkt1": expected}
    assert told["parts"]["rows"] == 100


def test_csv_and_json_lines_have_the_digest_of_the_local_engine(places: Path, told: dict[str, Any]) -> None:
    assert told["csv"]["digests"]["lkt1"] == told["whole.csv"]["digests"]["lkt1"] == local(places / "whole.csv")
    assert told["jsonl"]["digests"]["lkt1"] == local(places / "whole.jsonl")


def test_values_of_partition_folders_are_text(told: dict[str, Any]) -> None:
    assert {"name": "dt", "type": "utf8"} in told["dt"]["columns"]
    assert told["dt"]["rows"] == 200


WRONG = {"nested": "sub", "mixed": "csv, parquet", "uneven": "other columns or types", "gone": "no files"}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_unknown_with_the_reason(told: dict[str, Any], name: str) -> None:
    assert told[name]["state"] == "unknown"
    assert WRONG[name] in told[name]["reason"]


def test_a_type_that_spark_reads_otherwise_is_a_warning(places: Path, told: dict[str, Any]) -> None:
    (warning,) = told["warnings"]["all"]
    assert "column 't' is timestamp[us,utc] to Spark, and timestamp[ms,utc]" in warning
    assert told["ns"]["digests"]["lkt1"] != local(places / "ns" / "t.parquet")


def test_without_java_the_command_says_what_to_install(places: Path) -> None:
    done = run("-m", "lineagekit", "fingerprint", "--engine", "spark", "parts", cwd=places, JAVA_HOME=str(places))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: Spark needs Java, and there is none. Install Java 17")
