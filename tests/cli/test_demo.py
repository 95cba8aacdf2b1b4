# SPDX-License-Identifier: Apache-2.0
"""`lineagekit demo`: every promise is put to the test before it is printed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from pyarrow import csv, parquet

from lineagekit.cause.recipe import Recipe
from lineagekit.cause.ways import choose
from lineagekit.cli.demo_shop import DAYS, FAULT_DAY, REGION, Shop
from lineagekit.cli.main import COMMANDS
from lineagekit.errors import StoreError
from lineagekit.identity.fingerprint import fingerprint
from tests.cli.conftest import Run

LAST = date(2026, 6, 10)


def content(path: Path) -> str:
    return str(fingerprint(str(path)).digest("lkt1"))


def can_rebuild() -> bool:
    """Whether this machine can hold a command, in either way."""
    try:
        choose(Recipe((), "/"))
    except StoreError:
        return False
    return True


@pytest.mark.slow
def test_the_first_suspect_is_what_was_done(run: Run, tmp_path: Path) -> None:
    done = run("demo", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "It is the first suspect." in done.stdout
    assert ("CULPRIT" in done.stdout) == can_rebuild()
    assert "  REAL (" in done.stdout
    (folder,) = tmp_path.glob("lineagekit-demo-*")
    commands = [line.split("#")[0].split()[1:] for line in done.stdout.splitlines() if line.startswith("  lineagekit ")]
    assert {words[0] for words in commands} <= set(COMMANDS)
    store = str(folder / ".lineagekit")
    paths = [[str(folder / word) if word.startswith("raw/") else word for word in words] for words in commands]
    assert [run(*words, LINEAGEKIT_STORE=store).returncode for words in paths] == [0] * len(paths)


@pytest.mark.slow
def test_removed_the_demo_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--remove", "--json", TMPDIR=str(tmp_path))
    answer = json.loads(done.stdout)["result"]
    assert (answer["found"], answer["folder"], len(answer["days"])) == (True, None, DAYS)
    assert (answer["confirmed"] is None) == (not can_rebuild())
    assert len(answer["confirmed"] or ["one"]) == 1
    assert [one["kind"] for one in answer["blame"]["suspects"] if one["status"] == "suspect"] == ["restated"]
    assert list(tmp_path.glob("lineagekit-demo-*")) == []


def test_what_happens_to_the_shop_is_harmless_but_for_the_flipped_labels(tmp_path: Path) -> None:
    shop = Shop.open_in(tmp_path, LAST)
    customers = tmp_path / "raw" / "customers.parquet"
    contents, bytes_ = [], []
    for _ in range(FAULT_DAY):
        labels = parquet.read_table(shop.path("labels", 1), partitioning=None) if shop.day else None
        shop.next_day()
        contents.append(content(customers))
        bytes_.append(customers.read_bytes())
    assert contents[0] == contents[2] != contents[5] == contents[7]
    assert len(set(bytes_)) == 4
    assert labels is not None
    now = parquet.read_table(shop.path("labels", 1), partitioning=None)
    buyers = csv.read_csv(shop.path("orders", 1))["customer"].to_pylist()
    regions = shop.customers["region"].to_pylist()
    flipped = {regions[c] for c, a, b in zip(buyers, labels["returned"], now["returned"], strict=True) if a != b}
    assert flipped == {REGION}


def test_without_scikit_learn_the_line_to_type_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError(name='sklearn')")
    done = run("demo", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install 'lineagekit[demo]'" in done.stderr


def test_the_digests_keep_their_promises_and_fit_a_screen(run: Run) -> None:
    done = run("demo", "--digests")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_a_table_written_anew_keeps_its_content_and_a_flipped_label_does_not(run: Run) -> None:
    answer = json.loads(run("demo", "--digests", "--json").stdout)["result"]
    seen = {trial["what"]: trial["seen"] for trial in answer["trials"]}
    assert answer["kept"] is True
    assert seen["written anew, zstd"] == {"blake3": "changed", "lkt1": "same", "lks1": "same"}
    assert seen["rows backwards"] == {"blake3": "changed", "lkt1": "same", "lks1": "changed"}
    assert seen["one label flipped"] == {"blake3": "changed", "lkt1": "changed", "lks1": "changed"}
    assert seen["copied elsewhere"] == {"lkd1": "same"}
    assert seen["one file renamed"] == {"lkd1": "changed"}
