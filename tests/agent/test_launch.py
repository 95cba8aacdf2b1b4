# SPDX-License-Identifier: Apache-2.0
"""`lineagekit run`: the command is what it would be without, and what it reads and writes is recorded."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys

import pytest

from tests.agent.conftest import Job

PROGRAM = (sys.executable, "-m", "lineagekit", "run")
EXECUTE = "import sys; os.execv(sys.executable, [sys.executable, '-m', 'lineagekit', 'run', '-q', '--', *sys.argv[1:]])"
COPY = "open('out.csv', 'w').write(open('in.csv').read())\n"


@pytest.fixture
def copying(job: Job) -> Job:
    job.write("in.csv", "1\n")
    job.write("copy_it.py", COPY)
    return job


def test_a_script_without_a_change_is_recorded(copying: Job) -> None:
    done = copying.execute(*PROGRAM, "--", sys.executable, "copy_it.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (copying.paths("read"), copying.paths("written")) == (["in.csv"], ["out.csv"])
    first, second = copying.facts("run")
    assert first["run"] == second["run"]
    assert (first["rank"], second["rank"], second["job"]) == (0, 1, "copy_it.py")
    assert [(end["state"], end["exit"]) for end in copying.facts("end")] == [("COMPLETE", 0)]


def test_a_name_that_a_person_gave_outranks_the_script(copying: Job) -> None:
    copying.execute(*PROGRAM, "--job", "load", "--namespace", "risk", "--", sys.executable, "copy_it.py")
    best = max(copying.facts("run"), key=lambda run: run["rank"])
    assert (best["job"], best["namespace"], best["rank"]) == ("load", "risk", 2)


def test_a_command_that_is_no_python_has_what_is_declared(copying: Job) -> None:
    done = copying.execute(*PROGRAM, "--input", "in.csv", "--output", "copy.csv", "--", "cp", "in.csv", "copy.csv")
    assert done.returncode == 0
    assert (copying.paths("read"), copying.paths("written")) == (["in.csv"], ["copy.csv"])
    assert [run["job"] for run in copying.facts("run")] == ["cp"]


def test_programs_of_a_shell_script_are_runs_below_it(copying: Job) -> None:
    copying.write("both.sh", f"{sys.executable} copy_it.py\n{sys.executable} copy_it.py\n")
    copying.execute(*PROGRAM, "--", "sh", "both.sh")
    parent, *children = copying.facts("run")
    assert [child["parent"] for child in children] == [parent["run"]] * 2
    assert parent["job"] == "both.sh"


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_that_of_the_command(job: Job, code: int) -> None:
    assert job.execute(*PROGRAM, "--", sys.executable, "-c", f"raise SystemExit({code})").returncode == code
    assert [end["exit"] for end in job.facts("end")] == [code]


@pytest.mark.parametrize("number", [9, 15, 11, 2])
def test_a_command_that_dies_of_a_signal_is_seen_to_do_so(job: Job, number: int) -> None:
    done = job.execute(*PROGRAM, "--", "sh", "-c", f"kill -{number} $$")
    assert done.returncode == -number
    assert [end["exit"] for end in job.facts("end")] == [128 + number]


def test_streams_pass_through(job: Job) -> None:
    done = subprocess.run(
        [*PROGRAM, "--", "sh", "-c", "cat; echo err >&2"],
        cwd=job.folder,
        env=job.environ,
        input="hello",
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("hello", "err\n")


def test_the_command_has_the_terminal(job: Job) -> None:
    seen = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 1024)
        seen.extend(data)
        return data

    before = dict(os.environ)
    os.environ.update(job.environ)
    try:
        pty.spawn(
            [*PROGRAM, "--", sys.executable, "-c", "import sys; print(sys.stdin.isatty(), sys.stdout.isatty())"], read
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert b"True True" in seen


@pytest.mark.parametrize(("command", "code"), [("no-such-program", 127), ("./in.csv", 126)])
def test_a_command_that_cannot_be_started_says_why(copying: Job, command: str, code: int) -> None:
    done = copying.execute(*PROGRAM, "--", command)
    assert done.returncode == code
    assert done.stderr.startswith(f"lineagekit run: cannot start '{command}': ")
    assert [end["state"] for end in copying.facts("end")] == ["FAIL"]


def test_without_a_command_the_usage_is_shown(job: Job) -> None:
    done = job.execute(*PROGRAM)
    assert done.returncode == 2
    assert 'no command: expected one after "--"' in done.stderr


def test_disabled_the_command_simply_runs(copying: Job) -> None:
    done = copying.execute(*PROGRAM, "--", sys.executable, "copy_it.py", LINEAGEKIT_DISABLED="1")
    assert (done.returncode, copying.facts()) == (0, [])
    assert (copying.folder / "out.csv").exists()


def test_secrets_of_a_command_line_are_not_recorded(job: Job) -> None:
    job.execute(*PROGRAM, "--", "true", "--password", "hunter2", "postgres://u:hunter2@db/x")
    (run,) = job.facts("run")
    assert run["argv"] == ["true", "--password", "***", "postgres://***@db/x"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_trace_prints_what_was_opened_and_not_recorded(copying: Job) -> None:
    copying.write("half.py", COPY + "import subprocess; subprocess.run(['cp', 'out.csv', 'hidden.csv'])\n")
    done = copying.execute(*PROGRAM, "--trace", "--", sys.executable, "half.py")
    assert done.returncode == 0
    assert "lineagekit: 2 of 3 files that were opened are recorded\n" in done.stderr
    assert f"lineagekit: not recorded: write '{copying.folder}/hidden.csv'\n" in done.stderr
    assert [fact["peer"] for fact in copying.facts("unwatched") if fact["what"] == "write"] == [
        f"{copying.folder}/hidden.csv"
    ]


def test_a_launcher_that_inherits_children_as_ignored_still_sees_the_end(job: Job) -> None:
    job.write("start.py", f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); {EXECUTE}")
    assert job.execute(sys.executable, "start.py", "sh", "-c", "exit 3").returncode == 3


def test_a_launcher_that_cannot_die_of_the_signal_does_not_say_that_all_is_well(job: Job) -> None:
    job.write("start.py", f"import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, [15]); {EXECUTE}")
    job.write("die.py", "import os, signal; signal.pthread_sigmask(signal.SIG_UNBLOCK, [15]); os.kill(os.getpid(), 15)")
    assert job.execute(sys.executable, "start.py", sys.executable, "die.py").returncode == 128 + 15
    assert [end["state"] for end in job.facts("end")] == ["ABORT"]


def test_a_signal_without_a_name_is_told_by_its_number(job: Job) -> None:
    assert job.execute(*PROGRAM, "-q", "--", "sh", "-c", "kill -40 $$").returncode == -40
    assert [end["error"] for end in job.facts("end")] == ["killed by signal 40"]
