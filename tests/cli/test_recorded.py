# SPDX-License-Identifier: Apache-2.0
"""From a job to an answer: `run`, `settle`, `log`, `show`, `doctor`, `init`, `hooks`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lineagekit.store.log import open_store
from tests.cli.conftest import PROGRAM, Run

JOB = """
import json
rows = open("raw.csv").read().splitlines()
with open("model.tmp", "w") as file:
    json.dump({"rows": len(rows)}, file)
import os
os.replace("model.tmp", "model.json")
"""
SAYING = (
    "import lineagekit\n"
    + JOB
    + """
lineagekit.model("model.json", name="churn", version="42")
lineagekit.params(rate=0.3)
lineagekit.metric("auc", 0.87, of="model.json", on="raw.csv")
"""
)


@pytest.fixture
def project(tmp_path: Path, environ: dict[str, str]) -> Path:
    environ.pop("CI", None)
    environ["LINEAGEKIT_STORE"] = str(tmp_path / ".lineagekit")
    (tmp_path / "raw.csv").write_text("id,label\n1,pos\n2,neg\n")
    (tmp_path / "train.py").write_text(JOB)
    (tmp_path / "say.py").write_text(SAYING)
    return tmp_path


def result(answer: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert answer.returncode == 0, answer.stderr
    envelope: dict[str, dict[str, object]] = json.loads(answer.stdout)
    return envelope["result"]


def shown(run: Run, job: str) -> dict[str, object]:
    return result(run("show", job, "--json"))


def test_a_run_is_in_the_log_with_its_digests_when_it_returns(project: Path, run: Run) -> None:
    assert run("run", "--", sys.executable, "train.py").returncode == 0
    (row,) = [json.loads(line) for line in run("log", "--json").stdout.splitlines()]
    assert (row["job"], row["state"], row["inputs"], row["outputs"]) == ("train.py", "COMPLETE", 1, 1)
    told = shown(run, "train.py")
    named = run("fingerprint", "--bytes", "raw.csv", "model.json").stdout.split()[::2]
    assert [one["digest"] for side in ("inputs", "outputs") for one in told[side]] == named
    assert [one["name"] for one in told["outputs"]] == [str(project / "model.json")]


def test_what_a_job_says_is_shown(project: Path, run: Run) -> None:
    run("run", "--job", "train", "--", sys.executable, "say.py")
    told = shown(run, "train")
    assert told["params"] == {"rate": "0.3"}
    assert [(m["name"], m["value"]) for m in told["metrics"]] == [("auc", 0.87)]
    (model,) = [one["model"] for one in told["outputs"]]
    assert (model["name"], model["version"]) == ("churn", "42")
    text = run("show", "train").stdout
    assert "metric  auc 0.87" in text
    assert "(model churn 42" in text


def test_a_failed_job_is_shown_as_failed(project: Path, run: Run) -> None:
    (project / "bad.py").write_text("open('raw.csv').read()\nraise ValueError('no rows')\n")
    assert run("run", "--", sys.executable, "bad.py").returncode == 1
    assert shown(run, "bad.py")["state"] == "FAIL"


def test_programs_of_a_script_are_settled_with_it(project: Path, run: Run) -> None:
    (project / "all.sh").write_text(f"{sys.executable} train.py\n{sys.executable} say.py\n")
    run("run", "--", "sh", "all.sh", LINEAGEKIT_SETTLE="")
    rows = [json.loads(line) for line in run("log", "--json").stdout.splitlines()]
    assert sorted(row["job"] for row in rows) == ["all.sh", "say.py", "train.py"]


def test_a_reader_settles_what_jobs_left(project: Path, run: Run) -> None:
    (project / "auto.py").write_text("import lineagekit; lineagekit.autolog()\n" + JOB)
    subprocess.run(
        [sys.executable, "auto.py"],
        cwd=project,
        env={**os.environ, "LINEAGEKIT_STORE": str(project / ".lineagekit"), "LINEAGEKIT_SETTLE": "off"},
        check=True,
    )
    assert len(list((project / ".lineagekit" / "journal").glob("*.journal"))) == 1
    assert "auto.py" in run("log").stdout
    assert list((project / ".lineagekit" / "journal").glob("*.journal")) == []


def test_settle_says_what_it_did(project: Path, run: Run) -> None:
    run("run", "--no-wait", "--", sys.executable, "train.py", LINEAGEKIT_SETTLE="off")
    assert run("settle").stdout == "settled 1 run: 2 datasets exact, 0 unknown\n"
    assert run("settle").stdout == "settled 0 runs: 0 datasets exact, 0 unknown\n"


def test_a_job_that_ends_settles_itself_in_the_background(project: Path, run: Run, environ: dict[str, str]) -> None:
    import time

    (project / "auto.py").write_text("import lineagekit; lineagekit.autolog()\n" + JOB)
    environ = {k: v for k, v in environ.items() if not k.startswith("CI")} | {"LINEAGEKIT_SETTLE": "detached"}
    subprocess.run([sys.executable, "auto.py"], cwd=project, env=environ, check=True)
    journals = project / ".lineagekit" / "journal"
    until = time.monotonic() + 30
    while list(journals.glob("*.journal")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(journals.glob("*.journal")) == []


def test_where_nothing_outlives_the_job_it_waits(project: Path, run: Run, environ: dict[str, str]) -> None:
    (project / "auto.py").write_text("import lineagekit; lineagekit.autolog()\n" + JOB)
    subprocess.run([sys.executable, "auto.py"], cwd=project, env=environ | {"LINEAGEKIT_SETTLE": "exit"}, check=True)
    (project / "model.json").write_text("another model")  # too late to matter
    assert [one["content"]["state"] for one in shown(run, "auto.py")["outputs"]] == ["exact"]


def test_an_overwritten_output_is_unknown_and_says_what_to_do(project: Path, run: Run) -> None:
    run("run", "--no-wait", "--", sys.executable, "train.py", LINEAGEKIT_SETTLE="off")
    (project / "model.json").write_text("another model")
    (output,) = shown(run, "train.py")["outputs"]
    assert (output["digest"], output["content"]["state"]) == ("", "unknown")
    assert "unknown: changed after it was written. Settle sooner" in run("show", "train.py").stdout
    assert "1 times: changed after it was written" in run("doctor").stdout


def test_on_a_terminal_a_run_ends_with_one_line(project: Path, environ: dict[str, str]) -> None:
    seen = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 1024)
        seen.extend(data)
        return data

    before = dict(os.environ)
    os.environ.update(environ)
    os.environ.pop("CI", None)
    here = Path.cwd()
    os.chdir(project)
    try:
        pty.spawn([str(PROGRAM), "run", "--", sys.executable, "say.py"], read)
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
    line = "lineagekit: recorded say.py: 1 input, 1 model, auc 0.87 (lineagekit log)\r\n"
    assert seen.decode().endswith(line)  # a bar may have come and gone before


def test_an_unknown_run_says_where_to_look(project: Path, run: Run) -> None:
    run("run", "--", sys.executable, "train.py")
    answer = run("show", "nosuch")
    assert answer.returncode == 6
    assert answer.stderr.startswith("error: nothing of this name: got 'nosuch', expected a path, a name")
    assert answer.stderr.endswith("Run: lineagekit log\n")


def test_the_log_of_no_store_says_how_to_get_one(project: Path, run: Run) -> None:
    answer = run("log")
    assert answer.returncode == 6
    assert "Record a run first" in answer.stderr
    assert not (project / ".lineagekit").exists()


def test_a_moment_that_is_none_is_refused(project: Path, run: Run) -> None:
    answer = run("log", "--since", "yesterday-ish")
    assert answer.returncode == 2
    assert "not a moment: got 'yesterday-ish'" in answer.stderr


def test_the_log_is_of_one_job_and_of_late(project: Path, run: Run) -> None:
    for job in ("one", "two"):
        run("run", "--job", job, "--", sys.executable, "train.py")
    assert [json.loads(line)["job"] for line in run("log", "--json").stdout.splitlines()] == ["two", "one"]
    assert [json.loads(line)["job"] for line in run("log", "one", "--json").stdout.splitlines()] == ["one"]
    assert len(run("log", "--since", "1h", "-n", "1", "--json").stdout.splitlines()) == 1
    assert run("log", "--since", "2100-01-01", "--json").stdout == ""


def test_the_events_of_a_run_are_shown_as_they_are(project: Path, run: Run) -> None:
    run("run", "--", sys.executable, "train.py")
    events = result(run("show", "train.py", "--events", "--json"))["events"]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]


def test_init_makes_a_store_that_jobs_below_it_find(tmp_path: Path, run: Run, environ: dict[str, str]) -> None:
    made = run("init")
    assert made.stdout.startswith(f"made {tmp_path}/.lineagekit\n")
    assert (tmp_path / ".lineagekit" / ".gitignore").read_text() == "*\n"
    (tmp_path / "sub").mkdir()
    (tmp_path / "raw.csv").write_text("1\n")
    (tmp_path / "train.py").write_text(JOB)
    run("run", "--", sys.executable, "train.py")
    assert "train.py" in run("log").stdout
    (tmp_path / ".lineagekit" / "config.toml").write_text('namespace = "pricing"\n')
    assert run("init").stdout.startswith(f"there is {tmp_path}/.lineagekit\nkept ")
    run("run", "--", sys.executable, "train.py")
    assert shown(run, "train.py")["namespace"] == "pricing"


def test_a_wrong_setting_is_named(project: Path, run: Run) -> None:
    run("run", "--", sys.executable, "train.py")
    (project / ".lineagekit" / "config.toml").write_text('nmespace = "pricing"\n')
    answer = run("log")
    assert answer.returncode == 2
    assert "nmespace: got an unknown key" in answer.stderr


def test_doctor_tells_of_everything_and_is_json_too(project: Path, run: Run) -> None:
    run("run", "--", sys.executable, "train.py")
    text = run("doctor").stdout
    for word in ("store ", "runs ", "journals ", "unknown      none", "captured ", "destination  none"):
        assert word in text
    told = result(run("doctor", "--json"))
    assert (told["runs"], told["unknown"], told["destinations"]) == (1, {}, [])


def test_doctor_says_which_destination_is_down(project: Path, run: Run) -> None:
    run("run", "--", sys.executable, "train.py", OPENLINEAGE_URL="http://127.0.0.1:9")
    (told,) = result(run("doctor", "--json", OPENLINEAGE_URL="http://127.0.0.1:9"))["destinations"]
    assert (told["name"], told["waiting"]) == ("http://127.0.0.1:9", 2)
    assert "refused" in told["trouble"]


def test_hooks_says_whether_children_are_recorded(run: Run) -> None:
    assert run("hooks").stdout.startswith("active: ")


@pytest.mark.slow
def test_a_run_that_goes_on_is_told_of_after_half_a_minute(project: Path, run: Run, environ: dict[str, str]) -> None:
    import time

    (project / "long.py").write_text("open('raw.csv').read()\nimport time; time.sleep(60)\n")
    with subprocess.Popen([PROGRAM, "run", "--", sys.executable, "long.py"], cwd=project, env=environ) as process:
        time.sleep(36)
        (row,) = [json.loads(line) for line in run("log", "--json").stdout.splitlines()]
        process.terminate()
    assert (row["job"], row["state"], row["inputs"]) == ("long.py", "RUNNING", 1)


def test_the_line_that_is_put_back_is_the_one_that_was_installed() -> None:
    from lineagekit.cli.hooks import LINE, NAME

    assert (Path(__file__).parent.parent.parent / "integrations" / NAME).read_text() == LINE


def test_blocks_of_a_command_are_settled_when_it_returns(project: Path, run: Run) -> None:
    lines = [
        "import lineagekit",
        "with lineagekit.run('clean'):",
        "    open('clean.csv', 'w').write(open('raw.csv').read())",
    ]
    (project / "pipeline.py").write_text("\n".join(lines))
    assert run("run", "--", sys.executable, "pipeline.py").returncode == 0
    rows = {row["job"]: row for row in map(json.loads, run("log", "--json").stdout.splitlines())}
    assert {job: row["state"] for job, row in rows.items()} == {"pipeline.py": "COMPLETE", "clean": "COMPLETE"}
    facets = shown(run, "clean")["facets"]
    assert isinstance(facets, dict)
    assert facets["parent"]["run"]["runId"] == rows["pipeline.py"]["run"]


def test_parts_of_a_feed_have_digests_and_profiles_of_what_they_say(project: Path, run: Run) -> None:
    for day in (1, 2):
        (project / "feed" / f"day={day}").mkdir(parents=True)
        (project / "feed" / f"day={day}" / "a.csv").write_text(f"id,label\n{day},pos\n")
    (project / "read.py").write_text("for day in (1, 2): open(f'feed/day={day}/a.csv').read()")
    assert run("run", "--", sys.executable, "read.py").returncode == 0
    (seen,) = shown(run, "read.py")["inputs"]
    assert isinstance(seen, dict)
    tables = [part["lkt1"] for part in seen["content"]["parts"]]
    assert len(set(tables)) == 2
    with open_store(project / ".lineagekit") as store:
        assert all(store.object("profile", table) for table in tables)
        (event,) = [row.event for row in store.events() if row.type == "COMPLETE"]
    columns = event["inputs"][0]["facets"]["schema"]["fields"]
    assert [column["name"] for column in columns] == ["id", "label"]
