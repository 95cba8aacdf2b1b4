# SPDX-License-Identifier: Apache-2.0
"""`lineagekit diff`: the verdict first, three shapes, and exit codes for scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Run

BEFORE = "id,amount,status\n1,3.5,paid\n2,4,open\n3,5,paid\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(BEFORE)
    (tmp_path / "b.csv").write_text(BEFORE.replace("3.5", "350").replace("open", "lost"))
    table = pa.table({"id": [1, 2, 3], "amount": [3.5, 4.0, 5.0], "status": ["paid", "open", "paid"]})
    pq.write_table(table, tmp_path / "a.parquet")
    return tmp_path


def result(answer: Any) -> Any:
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return json.loads(answer.stdout)["result"]


def test_the_verdict_comes_first_then_levels_rows_and_statistics(folder: Path, run: Run) -> None:
    answer = run("diff", "a.csv", "b.csv")
    lines = answer.stdout.splitlines()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert lines[:2] == ["a.csv -> b.csv", "changed (2 rows, columns amount, status)"]
    assert '  ~ id="1": amount "3.5" -> "350"' in lines
    assert any(line.startswith("  amount utf8: ") and "high 5 -> 350" in line for line in lines)
    assert any(line.startswith("  bytes ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_json_is_one_envelope(folder: Path, run: Run) -> None:
    found = result(run("diff", "a.csv", "a.parquet", "--json"))
    assert (found["kind"], found["differs"], found["complete"]) == ("other format", False, True)
    assert found["verdict"] == "same table, other format (csv v. parquet)"
    assert [level["name"] for level in found["levels"]] == ["bytes", "schema", "rows", "statistics"]


def test_markdown_is_for_a_ticket(folder: Path, run: Run) -> None:
    text = run("diff", "a.csv", "b.csv", "--md").stdout
    assert text.startswith("### `a.csv` → `b.csv`\n\n**changed (2 rows, columns amount, status)**\n")
    assert "#### rows" in text
    assert run("diff", "a.csv", "b.csv", "--md", "--json").returncode == 2


@pytest.mark.parametrize(("after", "code"), [("a.csv", 0), ("a.parquet", 0), ("b.csv", 1)])
def test_the_exit_code_says_whether_the_data_differ(folder: Path, run: Run, after: str, code: int) -> None:
    assert run("diff", "a.csv", after, "--exit-code").returncode == code
    assert run("diff", "a.csv", after).returncode == 0


def test_what_was_not_compared_has_a_code_of_its_own(folder: Path, run: Run) -> None:
    pq.write_table(pq.read_table(folder / "a.parquet"), folder / "c.parquet", compression="zstd")
    answer = run("diff", "a.parquet", "c.parquet", "--rows", "0", "--exit-code")
    assert (answer.returncode, "not known" in answer.stdout) == (5, True)
    assert run("diff", "a.parquet", "c.parquet", "--exit-code").returncode == 0


def test_a_key_may_be_several_columns(folder: Path, run: Run) -> None:
    found = result(run("diff", "a.csv", "b.csv", "--key", "id,status", "--json"))
    assert (found["rows"]["key"], found["rows"]["changed"], found["rows"]["added"]) == (["id", "status"], 1, 1)


def test_a_mistyped_key_is_answered_with_the_nearest_column(folder: Path, run: Run) -> None:
    answer = run("diff", "a.csv", "b.csv", "--key", "idd")
    assert (answer.returncode, "Did you mean id?" in answer.stderr) == (6, True)
    assert run("diff", "a.csv", "b.csv", "--key", ",").returncode == 2


def test_examples_are_as_many_as_asked(folder: Path, run: Run) -> None:
    assert len(result(run("diff", "a.csv", "b.csv", "--rows", "1", "--json"))["rows"]["examples"]) == 1
    assert run("diff", "a.csv", "b.csv", "--rows", "-1").returncode == 2


def test_a_missing_file_without_a_store_is_not_found(folder: Path, run: Run) -> None:
    answer = run("diff", "a.csv", "gone.csv", LINEAGEKIT_STORE=str(folder / "none"))
    assert answer.returncode == 6
    assert "Traceback" not in answer.stderr


def test_another_dialect_is_a_warning(folder: Path, run: Run) -> None:
    (folder / "d.csv").write_text(BEFORE.replace(",", ";"))
    answer = run("diff", "a.csv", "d.csv")
    assert "same content, re-encoded" in answer.stdout
    assert "parted by ';'" in answer.stderr


def test_names_cannot_move_the_cursor(folder: Path, run: Run) -> None:
    (folder / "e.csv").write_text(BEFORE.replace("status", "st\x1b[2Jatus"))
    assert "\x1b" not in run("diff", "a.csv", "e.csv").stdout


def test_versions_of_a_recorded_dataset_and_of_a_model_compare(folder: Path, environ: dict[str, str], run: Run) -> None:
    environ["LINEAGEKIT_STORE"] = str(folder / ".lineagekit")
    (folder / "make.py").write_text("import sys\nopen('orders.csv', 'w').write(open(sys.argv[1]).read())\n")
    (folder / "train.py").write_text(
        "import sys, lineagekit\n"
        "with lineagekit.run('train'):\n"
        "    lineagekit.params({'lr': sys.argv[1]})\n"
        "    open('m.bin', 'w').write(open('orders.csv').read() + sys.argv[1])\n"
        "    lineagekit.model('m.bin', name='churn')\n"
    )
    for number, source in enumerate(("a.csv", "b.csv")):
        assert run("run", "--", sys.executable, "make.py", source).returncode == 0
        assert run("run", "--", sys.executable, "train.py", f"0.{number}").returncode == 0
    lines = run("diff", "orders.csv@1", "orders.csv").stdout.splitlines()
    assert lines[0].startswith("store ")
    assert lines[2] == "changed (2 rows, columns amount, status)"  # a.csv still has the bytes
    found = result(run("diff", "churn@1", "churn@2", "--json"))
    assert found["verdict"] == "changed (input orders.csv, output m.bin, parameter lr)"
    (folder / "a.csv").unlink()
    gone = result(run("diff", "orders.csv@1", "orders.csv@2", "--json"))
    assert gone["verdict"].startswith("changed (about ")
    assert gone["rows"]["exact"] is False
