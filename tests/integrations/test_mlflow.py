# SPDX-License-Identifier: Apache-2.0
"""MLflow: its users get lineage without a line of ours, and its runs and ours know each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lineagekit.record.story import Story
from tests.integrations.batch import read_stories

JOB = """
import sys
import mlflow

mlflow.set_tracking_uri(sys.argv[1])
open("in.csv", "w").write("a\\n1\\n")
client = mlflow.MlflowClient()
with mlflow.start_run() as run:
    source = mlflow.data.meta_dataset.MetaDataset(mlflow.data.dataset_source_registry.resolve_dataset_source("in.csv"))
    mlflow.log_input(source, context="training")
    mlflow.log_params({"C": 0.3})
    mlflow.log_param("depth", 4)
    mlflow.log_metric("auc", 0.9, step=7)
    model = mlflow.initialize_logged_model("credit-model")
    mlflow.log_metrics({"loss": 0.1}, model_id=model.model_id)
    open("weights.bin", "w").write("1")
    client.log_model_artifact(model.model_id, "weights.bin")
    mlflow.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model("credit")
    client.create_model_version("credit", f"models:/{model.model_id}", model_id=model.model_id)
print(run.info.run_id, run.data.tags["lineagekit.run"], model.artifact_location.removeprefix("file://"))
"""


@pytest.fixture(scope="module", params=["file:mlruns", pytest.param("sqlite:///mlflow.db", marks=pytest.mark.slow)])
def job(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str], dict[str, Story]]:
    """A job of MLflow's, what it printed, and the stories of its runs."""
    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "job.py").write_text(JOB)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "CI"))}
    environ |= {"LINEAGEKIT_STORE": str(folder / "store"), "LINEAGEKIT_SETTLE": "off"}
    environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true", "GIT_PYTHON_REFRESH": "quiet"}
    done = subprocess.run(
        [sys.executable, "job.py", request.param], cwd=folder, env=environ, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()[-1].split(), read_stories(folder / "store")[0]


def test_a_run_of_mlflow_carries_the_id_of_ours_and_ours_knows_theirs(
    job: tuple[Path, list[str], dict[str, Story]],
) -> None:
    _, (theirs, ours, _), stories = job
    assert list(stories) == [ours]
    assert stories[ours].extra == {"mlflow.run": theirs}
    assert stories[ours].job == "job.py"


def test_what_is_logged_there_is_told_here(job: tuple[Path, list[str], dict[str, Story]]) -> None:
    folder, (_, ours, model), stories = job
    story = stories[ours]
    assert story.params == {"C": "0.3", "depth": "4"}
    assert [(one.name, one.value, one.step, one.of) for one in story.metrics] == [
        ("auc", 0.9, 7, ""),
        ("loss", 0.1, 0, model),
    ]
    assert [one.path for one in story.paths.inputs()] == [str(folder / "in.csv")]


def test_a_logged_model_is_one_output_with_its_registered_name(job: tuple[Path, list[str], dict[str, Story]]) -> None:
    folder, (_, ours, model), stories = job
    outputs = {one.path: one.model for one in stories[ours].paths.outputs()}
    assert outputs.pop(str(folder / "weights.bin")) is None
    [(path, found)] = outputs.items()
    assert path == model
    assert found == ("credit", "1")
