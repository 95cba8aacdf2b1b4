# SPDX-License-Identifier: Apache-2.0
"""`lineagekit bisect` where all data is new with each build: which of the feeds it was."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.projects import Project, project_in

pytestmark = pytest.mark.caged


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_in(tmp_path, tmp_path_factory.mktemp("cache"))


DAILY = """
import csv
import lineagekit

clicks, views, labels = ({row[0]: int(row[1]) for row in csv.reader(open(f"{name}.csv"))} for name in FEEDS)
right = sum(labels[one] == clicks[one] ^ views[one] for one in labels) / len(labels)
with open("model.json", "w") as file:
    file.write(str(right))
lineagekit.model("model.json", name="m")
lineagekit.metric("accuracy", right, of="model.json", higher_is_better=True)
"""


FOLDERS = """
import sys
import lineagekit
from pyarrow import dataset, compute

days = lineagekit.params(days=sys.argv[1])["days"].split(",")


def feed(name):
    read = dataset.dataset(name, partitioning=dataset.HivePartitioning.discover(infer_dictionary=False))
    table = read.to_table(filter=compute.field("day").isin(days))
    columns = (table[column].to_pylist() for column in ("day", "row", "value"))
    return {(day, row): value for day, row, value in zip(*columns)}


clicks, views, labels = (feed(name) for name in ("clicks", "views", "labels"))
right = sum(labels[one] == clicks[one] ^ views[one] for one in labels) / len(labels)
with open("model.json", "w") as file:
    file.write(f"{days} {right}")
lineagekit.model("model.json", name="m")
lineagekit.metric("accuracy", right, of="model.json", higher_is_better=True)
"""


def _feeds(day: int, *, flipped: bool) -> dict[str, list[int]]:
    """Three of them: what they say of most customers lasts, of the others it is of the day."""
    feeds: dict[str, list[int]] = {"clicks": [], "views": [], "labels": []}
    for one in range(300):
        lasting = random.Random(one if one % 4 else 1000 * day + one)
        bits = lasting.getrandbits(1), lasting.getrandbits(1)
        label = bits[0] ^ bits[1] ^ (flipped and random.Random(-one).random() < 0.2)
        for name, value in zip(feeds, (*bits, label), strict=True):
            feeds[name].append(value)
    return feeds


def _key(day: int) -> str:
    return f"2026-05-{day + 1:02}"


def _write_day(folder: Path, day: int, *, flipped: bool) -> None:
    """Each feed in its own number of files, which differs from day to day."""
    for place, (name, values) in enumerate(_feeds(day, flipped=flipped).items()):
        table = pa.table({"row": range(len(values)), "value": values})
        count = 1 + (day + place) % 3
        for number in range(count):
            rows = range(number * len(values) // count, (number + 1) * len(values) // count)
            path = folder / name / f"day={_key(day)}" / f"part-{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(table.take(list(rows)), path)


def _build(project: Project, day: int) -> None:
    days = ",".join(_key(one) for one in range(day - 2, day + 1))
    done = project("run", "--quiet", "--", sys.executable, "pipeline.py", days)
    assert done.returncode == 0, done.stderr


def test_of_folders_that_are_read_whole_with_several_files_a_day_the_feed_is_named(project: Project) -> None:
    (project.folder / "pipeline.py").write_text(FOLDERS)
    for day in range(8):
        _write_day(project.folder, day, flipped=day == 7)
        if day > 1:
            _build(project, day)
    found = project.bisect("--", sys.executable, "pipeline.py", "{days}")
    assert found["status"] == "confirmed", found
    ((cause,),) = found["causes"]
    assert cause.startswith(f"{project.folder / 'labels'} {_key(7)}")
    assert "carried forward, with placebo" in found["how"]


def test_of_a_folder_that_is_read_whole_the_file_is_named_that_was_rewritten(project: Project) -> None:
    (project.folder / "pipeline.py").write_text(FOLDERS)
    for day in range(4):
        _write_day(project.folder, day, flipped=False)
    for _ in range(3):
        _build(project, 3)
    part = project.folder / "labels" / f"day={_key(2)}" / "part-1.parquet"
    table = parquet.read_table(part, partitioning=None)
    parquet.write_table(table.set_column(1, "value", pa.array([1 - one for one in table["value"].to_pylist()])), part)
    _build(project, 3)
    found = project.bisect("--", sys.executable, "pipeline.py", "{days}")
    assert [cause.partition(" was ")[0] for (cause,) in found["causes"]] == [
        f"{project.folder / 'labels'} day={_key(2)}/part-1.parquet"
    ]


def test_of_feeds_that_are_written_anew_each_day_the_one_is_named_that_went_wrong(project: Project) -> None:
    (project.folder / "pipeline.py").write_text(DAILY.replace("FEEDS", '("clicks", "views", "labels")'))
    for day in range(6):
        for name, values in _feeds(day, flipped=day == 5).items():
            rows = "".join(f"{one},{value}\n" for one, value in enumerate(values))
            (project.folder / f"{name}.csv").write_text(rows)
        project.build()
    found = project.bisect("--", sys.executable, "pipeline.py")
    assert found["status"] == "confirmed", found
    ((cause,),) = found["causes"]
    assert cause.startswith(str(project.folder / "labels.csv"))
    assert "carried forward, with placebo" in found["how"]
