# SPDX-License-Identifier: Apache-2.0
"""Keeping: a small input that somebody else replaces while the job runs is still known by the bytes that were read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lineagekit.identity.files import hash_file
from lineagekit.record import reasons
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle
from lineagekit.store.log import open_store
from tests.agent.conftest import Job
from tests.record.jobs import contents

OLD = "a,b\n1,2\n"
ANOTHER = "import subprocess\ndef another(command): subprocess.run(['sh', '-c', command], check=True)\n"


def replaced(job: Job, code: str, old: bytes = OLD.encode(), **environ: str) -> list[dict[str, object]]:
    """What is told of `in` after a job has read it; `other` waits to take its place."""
    (job.folder / "in").write_bytes(old)
    os.utime(job.folder / "in", (1, 1))
    (job.folder / "other").write_text("a,b\n9,9\n")
    job.run(ANOTHER + code, **environ)
    settle(str(job.store), plan=Plan(cache_folder=str(job.folder / ".cache")))
    with open_store(job.store) as store:
        ends = [row.event for row in store.events(limit=100) if row.type == "COMPLETE"]
    return [found["in"] for found in ({Path(k).name: v for k, v in contents(end, "input").items()} for end in ends)]


@pytest.mark.parametrize(
    "reads",
    [
        "open('in').read()",
        "import os; fd = os.open('in', os.O_RDONLY); os.read(fd, 3); os.close(fd)",
        "import pathlib; pathlib.Path('in').read_bytes()",
    ],
)
@pytest.mark.parametrize("change", ["mv other in", "cat other > in", "rm in"])
def test_a_small_input_that_somebody_replaces_is_known_by_what_was_read(reads: str, change: str, job: Job) -> None:
    old = job.folder / "old"
    old.write_text(OLD)
    [content] = replaced(job, f"{reads}\nanother({change!r})")
    assert (content["state"], content["digest"]) == ("exact", str(hash_file(old).digest))


def test_a_table_that_a_library_opens_by_itself_is_known_too(job: Job) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = job.folder / "old"
    pq.write_table(pa.table({"x": [1]}), old)
    code = "import pyarrow.parquet as pq; pq.read_table('in'); another('mv other in')"
    [content] = replaced(job, code, old.read_bytes())
    assert (content["state"], content["digest"]) == ("exact", str(hash_file(old).digest))


def test_a_large_input_that_somebody_replaces_is_unknown(job: Job) -> None:
    [content] = replaced(job, "open('in').read(); another('mv other in')", b"x" * ((1 << 20) + 1))
    assert (content["state"], content["reason"]) == ("unknown", reasons.CHANGED_AFTER_READ)


def test_no_more_is_remembered_than_there_is_room_for(job: Job) -> None:
    job.run(
        ANOTHER
        + """
for n in range(12):
    with open(f'{n}', 'wb') as file: file.write(bytes(1 << 20))
import lineagekit
with lineagekit.run('reader'):
    for n in range(12): open(f'{n}', 'rb').read()
    another('for n in 0 1 2 3 4 5 6 7 8 9 10 11; do echo > $n; done')
"""
    )
    assert job.paths("kept") == [str(n) for n in range(4)]


def test_an_input_that_stays_is_not_copied(job: Job) -> None:
    (job.folder / "in").write_text(OLD)
    job.run("open('in').read()")
    assert not job.facts("kept")
    assert not (job.store / "journal" / "kept").exists()


def test_what_the_job_replaces_itself_is_kept_once_and_as_it_was_read(job: Job) -> None:
    (job.folder / "in").write_text(OLD)
    job.run("open('in').read(); open('in', 'w').write('1'); open('in', 'w').write('2')")
    [kept] = job.facts("kept")
    assert (job.store / "journal" / "kept" / kept["copy"]).read_text() == OLD


def test_the_jobs_own_file_reads_on_from_where_it_was(job: Job) -> None:
    (job.folder / "in").write_text("abc")
    job.run("import os; fd = os.open('in', os.O_RDONLY); assert os.read(fd, 2) == b'ab'; assert os.read(fd, 2) == b'c'")


def test_no_descriptor_and_no_lock_of_the_job_is_touched(job: Job) -> None:
    (job.folder / "in").write_text(OLD)
    before = "import fcntl, os\nheld = len(os.listdir('/proc/self/fd'))\n"
    other = "import fcntl; fcntl.lockf(open('in', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    job.run(
        before
        + f"""
import subprocess, sys, lineagekit
file = open('in', 'r+'); fcntl.lockf(file, fcntl.LOCK_EX)
with lineagekit.run('reader'):
    open_ = os.open('in', os.O_RDONLY)
assert len(os.listdir('/proc/self/fd')) == held + 3, os.listdir('/proc/self/fd')
tried = subprocess.run([sys.executable, '-c', {other!r}], stderr=subprocess.PIPE)
assert b'BlockingIOError' in tried.stderr, tried.stderr
"""
    )


def test_a_worker_keeps_what_it_has_read(job: Job) -> None:
    [content] = replaced(
        job,
        """
import multiprocessing
def work(): open('in').read(); another('mv other in')
if __name__ == '__main__':
    worker = multiprocessing.get_context('fork').Process(target=work); worker.start(); worker.join()
""",
    )
    assert content["state"] == "exact"


def test_what_is_remembered_is_let_go_when_the_run_ends(tmp_path: Path, job: Job) -> None:
    (job.folder / "in").write_text(OLD)
    job.run(
        """
import lineagekit
with lineagekit.run('a') as run: open('in').read()
assert run.ledger._keeper._held == {}
"""
    )


def test_a_file_that_cannot_be_read_so_is_no_trouble(job: Job) -> None:
    subprocess.run(["mkfifo", job.folder / "pipe"], check=True)
    job.run("import os; os.close(os.open('pipe', os.O_RDONLY | os.O_NONBLOCK)); open('/dev/null').close()")
    assert not job.facts("trouble")
