# SPDX-License-Identifier: Apache-2.0
"""`lineagekit rerun`: what a run read is put back, and the same comes out of it, or it is said what does not."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.projects import PIPELINE, Project, project_in

pytestmark = pytest.mark.caged


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_in(tmp_path, tmp_path_factory.mktemp("cache"))


def test_an_old_model_is_made_again_from_bytes_that_were_overwritten_since(project: Project) -> None:
    project.build()
    project.write(labels="1001011010", helper="WEIGHT = 0.5\n", prices="9 9 9")
    project.build()
    before = project.picture()
    done = project("rerun", "m@1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"equal bytes    {project.folder / 'model.json'}" in done.stdout
    assert "auc            0.9 as before" in done.stdout
    assert "EQUAL BYTES    all that it wrote is as it was" in done.stdout
    assert project.picture() == before
    assert not list((project.folder / ".lineagekit").glob("rerun-*"))
    assert json.loads(project("rerun", "pipeline.py", "--json").stdout)["result"]["equal"] is True  # its latest run


def test_what_is_not_the_same_is_named(project: Project) -> None:
    text = PIPELINE.replace("auc = 0.5", "import random\nauc = random.random() / 100 + 0.5")
    (project.folder / "pipeline.py").write_text(text.replace('"lr": lr', '"lr": os.urandom(4).hex()'))
    project.build()
    done = project("rerun", "m@1", "--json")
    assert done.returncode == 1
    result = json.loads(done.stdout)["result"]
    assert result["word"] == "different"
    words = {Path(one["path"]).name: one["word"] for one in result["outputs"]}
    assert words == {"model.json": "different", "auc.json": "different"}
    (auc,) = result["metrics"]
    assert auc["before"] != auc["after"]


def test_a_run_that_asks_what_day_it_is_says_where(project: Project) -> None:
    text = PIPELINE.replace("auc = 0.5", "import datetime\nauc = 0.5 + datetime.datetime.now().microsecond / 1e7")
    (project.folder / "pipeline.py").write_text(text)
    project.build()
    line = text[: text.index("auc = 0.5 + datetime")].count("\n") + 1
    place = f"pipeline.py:{line} datetime.now"
    done = project("rerun", "m@1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"not as it was  the time of day, which it asks for: {place}\n" in done.stdout
    assert "nothing that is recorded" not in done.stdout
    run = re.search(r"pipeline\.py (\S+);", project("show", "m@1").stdout)
    assert run is not None
    assert f"clock   {place}\n" in project("show", run[1]).stdout


def test_packages_and_variables_that_are_not_as_they_were_are_named(project: Project) -> None:
    text = PIPELINE.replace("auc = 0.5", 'import told\nauc = 0.5 + told.PLUS + float(os.environ.get("EXTRA", "0"))')
    (project.folder / "pipeline.py").write_text(text)
    site = project.folder / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "told.py").write_text('__version__ = "1"\nPLUS = 0.0\n')
    project.environ |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    project.build()
    (site / "told.py").write_text('__version__ = "2"\nPLUS = 0.1\n')
    project.environ["EXTRA"] = "0.05"
    done = project("rerun", "m", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    settings = json.loads(done.stdout)["result"]["settings"]
    assert any(one.startswith("package told of pipeline.py: 1 -> 2") for one in settings), settings
    assert any(one.startswith("EXTRA in the environment of pipeline.py: unset -> ") for one in settings), settings
    assert len(settings) == 2


def test_bytes_that_are_gone_and_runs_without_a_command_are_clear_errors(project: Project) -> None:
    (project.folder / ".lineagekit").mkdir()
    (project.folder / ".lineagekit" / "config.toml").write_text('keep = "none"\n')
    project.build()
    project.write(labels="1001011010")
    project.build()
    refused = project("rerun", "m@1")
    assert refused.returncode == 2
    assert f"bytes are gone that it read (1 files): {project.folder / 'labels.csv'}" in refused.stderr
    foreign = {
        "eventType": "COMPLETE",
        "eventTime": "2026-05-01T10:00:00Z",
        "producer": "https://example.com",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01899f3c-0000-7000-8000-000000000001"},
        "job": {"namespace": "airflow", "name": "their.task"},
        "inputs": [],
        "outputs": [],
    }
    (project.folder / "their.json").write_text(json.dumps(foreign))
    assert project("ingest", "their.json").returncode == 0
    refused = project("rerun", "01899f3c")
    assert refused.returncode == 2
    assert "no command of this run is recorded" in refused.stderr
    assert project("rerun", "nothing").returncode == 6


def test_a_dry_run_says_the_command_and_runs_nothing(project: Project) -> None:
    project.build()
    planned = json.loads(project("rerun", "m@1", "--dry-run", "--json").stdout)["result"]
    assert planned["command"][1:] == ["pipeline.py", "--lr", "0.1"]
    assert planned["folder"] == str(project.folder)


def test_reads_and_writes_elsewhere_are_refused_whoever_names_the_command(project: Project) -> None:
    for line in ('lineagekit.input("s3://bucket/raw.csv")', 'lineagekit.output("postgres://db:5432/sales.orders")'):
        (project.folder / "pipeline.py").write_text(PIPELINE.replace("labels = [", f"{line}\nlabels = ["))
        project.build()
        for words in ([], ["--", "true"]):
            refused = project("rerun", "pipeline.py", *words)
            assert refused.returncode == 2, refused.stdout
            assert "--unsafe" in refused.stderr
        assert project("rerun", "pipeline.py", "--unsafe").returncode == 0


def test_a_duration_among_the_metrics_is_no_difference_and_an_exit_code_is_one(project: Project) -> None:
    text = PIPELINE + '\nimport time\nlineagekit.metric("seconds", time.time())\nsys.exit(3)\n'
    (project.folder / "pipeline.py").write_text(text)
    done = project("run", "--quiet", "--", sys.executable, "pipeline.py")
    assert done.returncode == 3
    done = project("rerun", "pipeline.py")
    assert done.returncode == 0, done.stdout
    assert "EQUAL BYTES" in done.stdout
