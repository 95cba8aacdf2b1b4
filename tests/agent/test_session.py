# SPDX-License-Identifier: Apache-2.0
"""A whole process as a run: how it begins, how it ends, and what its children are."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from lineagekit.agent import handover
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle
from tests.agent.conftest import Job


def test_a_job_without_data_leaves_no_trace(job: Job) -> None:
    assert job.run("print('hello')") == []
    assert list(job.store.iterdir()) == []


def test_a_run_is_named_by_its_script_and_ends(job: Job) -> None:
    job.run("open('a.csv', 'w').write('1')")
    (run,), (end,) = job.facts("run"), job.facts("end")
    assert (run["job"], run["how"], run["rank"], run["namespace"]) == ("job.py", "process", 1, "default")
    assert (end["run"], end["state"], end["exit"]) == (run["run"], "COMPLETE", None)


def test_in_a_repository_a_job_is_its_path_and_the_namespace_the_repository(job: Job) -> None:
    (job.folder / ".git").mkdir()
    (job.folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (job.folder / ".git" / "packed-refs").write_text("# pack-refs\n" + "ab" * 20 + " refs/heads/main\n")
    (job.folder / "pipelines").mkdir()
    job.run("open('a.csv', 'w').write('1')", name="pipelines/train.py")
    (run,), (code,) = job.facts("run"), job.facts("code")
    assert (run["job"], run["namespace"]) == ("pipelines/train.py", job.folder.name)
    assert (code["repository"], code["commit"]) == (str(job.folder), "ab" * 20)


def test_a_module_run_with_m_is_named_as_it_was_typed(job: Job) -> None:
    job.write("package/__init__.py", "")
    job.write("package/train.py", "import lineagekit; lineagekit.autolog(); open('a', 'w').close()")
    job.execute(sys.executable, "-m", "package.train")
    assert [run["job"] for run in job.facts("run")] == ["package.train"]


def test_a_script_of_an_installed_package_is_named_by_its_place_in_it(job: Job) -> None:
    (job.folder / ".git").mkdir()
    job.run("open('a', 'w').close()", name="env/lib/python3/site-packages/tool/serve.py")
    assert [run["job"] for run in job.facts("run")] == ["tool/serve.py"]


@pytest.mark.parametrize(
    ("code", "state", "error", "exit_code"),
    [
        ("raise ValueError('no rows')", "FAIL", "ValueError: no rows", 1),
        ("raise KeyboardInterrupt", "ABORT", "KeyboardInterrupt: ", 130),
        ("sys.exit(3)", "FAIL", "sys.exit(3)", 3),
        ("sys.exit('no rows')", "FAIL", "sys.exit('no rows')", 1),
        ("sys.exit()", "COMPLETE", "", 0),
    ],
)
def test_the_end_says_how_the_process_ended(job: Job, code: str, state: str, error: str, exit_code: int) -> None:
    job.write("job.py", f"import lineagekit, sys; lineagekit.autolog(); open('a', 'w').close()\n{code}")
    job.execute(sys.executable, "job.py")
    (end,) = job.facts("end")
    assert (end["state"], end["error"], end["exit"]) == (state, error, exit_code)


def test_the_error_that_ends_a_job_is_shown_as_without_us(job: Job) -> None:
    job.write("job.py", "import lineagekit; lineagekit.autolog(); open('a', 'w').close()\nraise ValueError('no rows')")
    done = job.execute(sys.executable, "job.py")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n  File")
    assert done.stderr.endswith("ValueError: no rows\n")


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 15)", "os.abort()"])
def test_a_process_that_dies_at_once_has_said_all_but_its_end(job: Job, how: str) -> None:
    job.write("job.py", f"import lineagekit, os; lineagekit.autolog()\nopen('a', 'w').write('1')\n{how}")
    job.execute(sys.executable, "job.py")
    assert job.paths("written") == ["a"]
    assert job.facts("end") == []


def test_an_exec_in_the_same_process_is_a_child_run(job: Job) -> None:
    job.write("next.py", "open('b', 'w').write('1')")
    job.write(
        "job.py",
        "import lineagekit, os, sys; lineagekit.autolog(); open('a', 'w').write('1')\n"
        "os.execv(sys.executable, [sys.executable, 'next.py'])",
    )
    job.execute(sys.executable, "job.py")
    first, second = job.facts("run")
    assert (first["job"], second["job"], second["parent"]) == ("job.py", "next.py", first["run"])


def test_what_an_exit_handler_writes_after_ours_is_not_lost(job: Job) -> None:
    job.run(
        """
        import atexit
        open('a', 'w').write('1')
        """,
        autolog=True,
    )
    job.write(
        "late.py",
        """
        import atexit
        def late(): open('late', 'w').write('1')
        atexit.register(late)
        import lineagekit; lineagekit.autolog(); open('b', 'w').write('1')
        """,
    )
    job.execute(sys.executable, "late.py")
    assert "late" in job.paths("written")


def test_disabled_means_nothing_is_recorded_and_every_call_still_answers(job: Job) -> None:
    code = """
        path = lineagekit.input('x.csv')
        with lineagekit.run('train') as run:
            run.metric('auc', 0.9)
            assert lineagekit.params(C=1) == {'C': 1}
            open('a', 'w').write(path)
        assert lineagekit.current().output('y') == 'y'
        """
    assert job.run(code, LINEAGEKIT_DISABLED="1") == []


def test_disable_stops_in_the_middle(job: Job) -> None:
    job.run("open('a', 'w').write('1')\nlineagekit.disable()\nopen('b', 'w').write('1')\n")
    assert job.paths("written") == ["a"]


def test_autolog_twice_is_once(job: Job) -> None:
    job.run("lineagekit.autolog()\nopen('a', 'w').write('1')\n")
    assert job.paths("written") == ["a"]


def test_flush_ends_a_run_and_begins_another(job: Job) -> None:
    job.run("open('a', 'w').write('1')\nlineagekit.flush()\nopen('b', 'w').write('1')\n")
    runs = [run["run"] for run in job.facts("run")]
    assert len(set(runs)) == 2
    assert [fact["run"] for fact in job.facts("written")] == runs
    assert [fact["run"] for fact in job.facts("end")] == runs


def test_a_read_only_store_costs_the_job_one_line_in_its_log_and_nothing_else(job: Job) -> None:
    job.store.rmdir()
    job.store.write_text("a file, where a folder should be")
    code = "import lineagekit; lineagekit.autolog()\nopen('a', 'w').write('1')\nopen('b', 'w').write('1')\n"
    job.write("job.py", code)
    done = job.execute(sys.executable, "job.py", LINEAGEKIT_STORE=str(job.store))
    assert (done.returncode, (job.folder / "b").read_text()) == (0, "1")
    assert done.stderr.count("lineagekit: ") == 1
    assert "The job is not affected" in done.stderr


def test_an_object_whose_repr_raises_is_a_parameter_all_the_same(job: Job) -> None:
    job.run(
        """
        class Odd:
            def __repr__(self): raise RuntimeError("no")
        lineagekit.params(odd=Odd(), C=float("nan"), big=10**5000, password="hunter2", deep=[[[[[[[[1]]]]]]]])
        lineagekit.metric(Odd, Odd())
        """
    )
    (params,) = job.facts("params")
    assert params["params"]["odd"] == "<Odd: its repr raises RuntimeError>"
    assert (params["params"]["C"], params["params"]["password"]) == ("nan", "***")
    assert job.facts("end")[0]["state"] == "COMPLETE"


def test_secrets_of_the_command_line_do_not_reach_the_disk(job: Job) -> None:
    job.write(
        "job.py",
        "import lineagekit; lineagekit.autolog(); open('a', 'w').close()\n"
        "lineagekit.input('postgres://ann:hunter2@db/crm?password=hunter2')\n"
        "lineagekit.params(url='https://u:hunter2@x/?token=hunter2')\nraise ValueError('token=hunter2')",
    )
    job.execute(sys.executable, "job.py", "--api-key", "hunter2", "PASSWORD=hunter2")
    assert len(job.facts()) > 5
    assert b"hunter2" not in b"".join(p.read_bytes() for p in (job.store / "journal").glob("*.journal"))


def test_environment_variables_read_by_the_job_are_named_and_their_values_are_not(job: Job) -> None:
    code = "import os\nos.environ['REGION']; os.getenv('STAGE'); os.environ.get('MISSING')\n"
    job.run(code, REGION="europe-secret", STAGE="europe-secret", UNREAD="x")
    variables = {k: v for fact in job.facts("environment") for k, v in fact.get("variables", {}).items()}
    assert set(variables) == {"REGION", "STAGE", "MISSING"}
    assert variables["REGION"] == variables["STAGE"] != variables["MISSING"]
    assert variables["MISSING"] == "unset"
    assert b"europe-secret" not in b"".join(p.read_bytes() for p in (job.store / "journal").glob("*.journal"))


def test_the_modules_that_ran_are_told_with_their_digests(job: Job) -> None:
    job.write("features.py", "X = 1\n")
    job.run("import features, json\nopen('a', 'w').close()\n")
    (code,) = job.facts("code")
    assert [name for name, _, _ in code["modules"]] == ["__main__", "features"]
    assert all(digests[0].startswith("sha256:") for _, _, digests in code["modules"])


def test_a_module_that_was_changed_after_the_job_began_has_no_digest(job: Job) -> None:
    job.write("features.py", "X = 1\n")
    job.run(
        "import features, time\ntime.sleep(0.05)\nwith open('features.py', 'a') as f: f.write('X = 2')\n"
        "open('a', 'w').close()\n"
    )
    (code,) = job.facts("code")
    assert {name: digests for name, _, digests in code["modules"]}["features"] == []


def test_a_terminated_launcher_passes_the_signal_on(job: Job) -> None:
    import subprocess

    job.write("job.py", "import time; open('a', 'w').write('1'); print('ready', flush=True); time.sleep(30)")
    program = [sys.executable, "-m", "lineagekit", "run", "--", sys.executable, "job.py"]
    with subprocess.Popen(program, cwd=job.folder, env=job.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
        assert time.monotonic() - began < 10
    (end,) = job.facts("end")
    assert (end["state"], end["error"]) == ("ABORT", "killed by SIGTERM")


def test_a_job_on_a_terminal_ends_with_one_line(job: Job) -> None:
    import os
    import pty

    job.write("in.csv", "1")
    job.write("job.py", "import lineagekit; lineagekit.autolog()\nopen('a', 'w').write(open('in.csv').read())\n")
    code = f"import os, sys; os.chdir({str(job.folder)!r}); os.execv(sys.executable, [sys.executable, 'job.py'])"
    seen = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 1024)
        seen.extend(data)
        return data

    before = dict(os.environ)
    os.environ.update(job.environ)
    try:
        pty.spawn([sys.executable, "-c", code], read)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert seen.decode() == "lineagekit: recorded job.py: 1 input, 1 output (lineagekit log)\r\n"


@pytest.mark.parametrize(
    "code",
    [
        "try: sys.exit(3)\nexcept SystemExit: pass",
        "thread = threading.Thread(target=sys.exit, args=(3,)); thread.start(); thread.join()",
    ],
    ids=["caught", "thread"],
)
def test_an_exit_that_does_not_end_the_process_is_no_failure(code: str, job: Job) -> None:
    job.run("import sys, threading; open('a', 'w').write('1')\n" + code)
    assert [end["state"] for end in job.facts("end")] == ["COMPLETE"]


def test_whoever_copies_the_environment_has_read_no_variable(job: Job) -> None:
    job.run(
        """
import os
copies = {**os.environ}, dict(os.environ), os.environ.copy(), dict(os.environ.items())
assert copies[0] == copies[1] == copies[2] == copies[3] and copies[0]['REGION'] == 'eu'
[os.environ[name] for name in os.environ if name == 'ZONE']
""",
        REGION="eu",
        ZONE="a",
    )
    assert [list(fact["variables"]) for fact in job.facts("environment") if "variables" in fact] == [["ZONE"]]


def test_a_variable_is_told_where_it_is_the_first_thing_to_tell(job: Job) -> None:
    job.run("import os; os.environ['REGION']", REGION="eu", LINEAGEKIT_STORE=str(job.folder / "new" / "store"))
    job.store = job.folder / "new" / "store"
    assert [list(fact["variables"]) for fact in job.facts("environment") if "variables" in fact] == [["REGION"]]
    assert (job.store / "key").stat().st_size == 32
    assert not list(job.store.glob("key.*"))


def test_a_key_that_was_never_finished_is_made_anew(job: Job) -> None:
    (job.store / "key").touch()
    job.run("import os; os.environ['REGION']", REGION="eu")
    assert (job.store / "key").stat().st_size == 32


def test_a_timeout_of_the_job_is_never_swallowed(job: Job) -> None:
    job.run(
        """
import os
import signal
from lineagekit.agent.border import border
class Late(Exception): pass
class Handler:
    def __call__(self, *_): raise Late
    def method(self, *_): raise Late
def function(*_): raise Late
came = 0
for handler in (function, Handler(), Handler().method):
    signal.signal(signal.SIGALRM, handler)
    try:
        with border('test'):
            signal.raise_signal(signal.SIGALRM)
    except Late:
        came += 1
assert came == 3
with border('test'):
    raise Late
"""
    )


def test_a_handler_of_the_log_that_raises_harms_no_job(job: Job) -> None:
    job.run(
        """
import logging
from lineagekit.agent.border import border
class Strict(logging.Handler):
    def emit(self, record): raise RuntimeError('a warning')
logging.getLogger().addHandler(Strict())
with border('test'):
    raise ValueError
"""
    )


def test_without_a_home_the_store_is_in_the_working_folder(job: Job) -> None:
    job.store.rmdir()
    job.environ.pop("HOME", None)
    job.environ.pop("XDG_DATA_HOME", None)
    job.write(
        "job.py",
        """
        import pwd
        def getpwuid(number): raise KeyError(number)
        pwd.getpwuid = getpwuid
        import lineagekit; lineagekit.autolog()
        open('a', 'w').write('1')
        """,
    )
    assert job.execute(sys.executable, "job.py").returncode == 0
    assert job.paths("written") == ["a"]
    assert not (job.folder / "~").exists()


def test_settlers_that_a_service_starts_are_not_left_as_zombies() -> None:
    handover._started.append((os.getpid(), os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})))
    os.waitid(os.P_PID, handover._started[-1][1], os.WEXITED | os.WNOWAIT)
    handover._reap()
    assert not handover._started


def test_a_panic_of_a_library_that_we_asked_harms_no_job(job: Job) -> None:
    job.run(
        """
from lineagekit.agent.border import border
class PanicException(BaseException): pass
with border('test'):
    raise PanicException('a column of what?')
"""
    )


CROWDED = """
import lineagekit
for n in range(100): lineagekit.metric("loss", 1 / (n + 1), step=n)
for n in range({files}): open(f"in{{n}}", "w").close()
with lineagekit.run("reader"):
    for n in range({files}): open(f"in{{n}}").read()
"""


@pytest.mark.parametrize(("files", "is_all"), [(2, True), (100, False)])
def test_evidence_is_the_last_to_go_where_a_journal_is_full_and_doctor_says_what_went(
    files: int, is_all: bool, job: Job
) -> None:
    (job.store / "agent.json").write_text('{"journal_limit": 10000}')
    job.run(CROWDED.format(files=files))
    assert len(job.facts("metric")) < 100
    assert (len(job.paths("read")) == files) is is_all
    assert [fact["state"] for fact in job.facts("end")] == ["COMPLETE"] * 2
    settle(str(job.store), plan=Plan(cache_folder=str(job.folder / ".cache")))
    told = job.execute(sys.executable, "-m", "lineagekit", "doctor", LINEAGEKIT_STORE=str(job.store)).stdout
    assert "journal: near its cap: settings, metrics, code or environment were dropped, files were not" in told
    assert ("journal: over its cap: what was read or written was dropped too" in told) is not is_all
