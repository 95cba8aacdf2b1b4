# SPDX-License-Identifier: Apache-2.0
"""Children of a recorded process: workers are part of its run, programs are runs below it."""

from __future__ import annotations

import pytest

from tests.agent.conftest import Job

WORK = "def work(name):\n    with open(name, 'w') as file:\n        file.write(name)\n    return name\n"


def member_runs(job: Job) -> set[str]:
    return {fact["run"] for fact in job.facts("written")}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_are_part_of_the_run(job: Job, method: str) -> None:
    job.write("tasks.py", WORK)
    job.run(
        f"""
        import multiprocessing, tasks
        if __name__ == '__main__':
            tasks.work('main')
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                pool.map(tasks.work, ['a', 'b', 'c'])
                pool.close(); pool.join()
        """
    )
    removed = set(job.paths("removed"))  # Python looks for a folder for its sockets by writing into some
    assert sorted(set(job.paths("written")) - removed) == ["a", "b", "c", "main"]
    (run,) = job.facts("run")
    assert member_runs(job) == {run["run"]}
    assert len(job.facts("end")) == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_that_only_starts_workers_says_that_its_run_began_and_ended(job: Job, method: str) -> None:
    job.write("tasks.py", WORK)
    job.run(
        f"""
        import multiprocessing, tasks
        if __name__ == '__main__':
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                pool.map(tasks.work, ['a', 'b'])
                pool.close(); pool.join()
        """
    )
    (run,), (end,) = job.facts("run"), job.facts("end")
    assert member_runs(job) == {run["run"]} == {end["run"]}
    assert run["job"] == "job.py"


def test_a_process_of_multiprocessing_says_its_last_words(job: Job) -> None:
    job.write("tasks.py", WORK)
    job.run(
        """
        import multiprocessing, tasks
        if __name__ == '__main__':
            process = multiprocessing.get_context('fork').Process(target=tasks.work, args=('a',))
            process.start(); process.join()
            tasks.work('main')
        """
    )
    codes = job.facts("code")
    assert len(codes) == 2  # the worker told what it had imported, too


def test_a_forked_child_is_part_of_the_run_and_never_ends_it(job: Job) -> None:
    job.run(
        WORK
        + """
import os
work('before')
if os.fork() == 0:
    work('child')
    os._exit(0)
os.wait()
if os.fork() == 0:
    work('second')
    raise SystemExit(0)
os.wait()
work('after')
"""
    )
    assert sorted(job.paths("written")) == ["after", "before", "child", "second"]
    assert len(member_runs(job)) == len(job.facts("run")) == len(job.facts("end")) == 1
    assert len(job.facts("journal")) == 3


def test_a_program_started_by_a_run_is_a_run_below_it(job: Job) -> None:
    job.write("below.py", WORK + "work('below')\n")
    job.run(
        "import subprocess, sys\nsubprocess.run([sys.executable, 'below.py'], check=True)\nopen('a', 'w').close()\n"
    )
    runs = {run["job"]: run for run in job.facts("run")}
    assert runs["below.py"]["parent"] == runs["job.py"]["run"]
    assert len(job.facts("end")) == 2


def test_a_program_started_in_a_block_is_below_that_block(job: Job) -> None:
    job.write("below.py", WORK + "work('below')\n")
    job.run(
        """
        import subprocess, sys
        with lineagekit.run('train'):
            subprocess.run([sys.executable, 'below.py'], check=True)
        subprocess.run([sys.executable, 'below.py'], check=True)
        """
    )
    train, first, second = job.facts("run")
    assert (train["job"], first["parent"]) == ("train", train["run"])
    assert second["parent"] not in ("", train["run"])


def test_workers_of_loky_are_part_of_the_run(job: Job) -> None:
    pytest.importorskip("joblib")
    job.write("tasks.py", WORK)
    job.run(
        """
        import joblib, tasks
        if __name__ == '__main__':
            joblib.Parallel(2)(joblib.delayed(tasks.work)(name) for name in 'abcd')
        """
    )
    assert sorted(job.paths("written")) == ["a", "b", "c", "d"]
    assert len(member_runs(job)) == 1


def test_a_worker_of_several_open_runs_is_of_none_of_them(job: Job) -> None:
    job.write("tasks.py", WORK)
    job.run(
        """
        import multiprocessing, tasks
        if __name__ == '__main__':
            one, two = lineagekit.run('one').__enter__(), lineagekit.run('two').__enter__()
            process = multiprocessing.get_context('spawn').Process(target=tasks.work, args=('a',))
            process.start(); process.join()
        """
    )
    assert "a" not in job.paths("written")
    (fact,) = job.facts("ambiguous")
    assert fact["among"] == [run["run"] for run in job.facts("run")]


def test_a_child_with_an_environment_of_its_own_is_left_alone(job: Job) -> None:
    job.write("below.py", WORK + "work('below')\n")
    job.run("import subprocess, sys\nsubprocess.run([sys.executable, 'below.py'], env={}, check=True)\n")
    assert job.facts() == []


def test_two_hundred_processes_at_once_lose_nothing(job: Job) -> None:
    job.run(
        WORK
        + """
import os
pids = []
for i in range(200):
    pid = os.fork()
    if pid == 0:
        work(f'f{i}')
        os._exit(0)
    pids.append(pid)
for pid in pids: os.waitpid(pid, 0)
"""
    )
    assert sorted(job.paths("written")) == sorted(f"f{i}" for i in range(200))
