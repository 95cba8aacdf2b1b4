# SPDX-License-Identifier: Apache-2.0
"""The doors: whatever a program does with files through Python, each is told once and with its right role."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from lineagekit.agent.evidence import Evidence
from lineagekit.agent.listing import take_listing
from lineagekit.record import reasons
from tests.agent.conftest import Job
from tests.integrations.batch import Batch, Case, Told

BATCH = Batch(
    prelude="""
import bz2, copy, gc, inspect, io, mmap, os, pathlib, pickle, shutil, tarfile, tempfile, threading
pathlib.Path("in.csv").write_text("a,b\\n1,2\\n")
os.mkdir("folder")
pathlib.Path("folder/a.csv").write_text("a\\n1\\n")
os.symlink("in.csv", "link.csv")
""",
    cases=[
        Case("temporary_then_replace", "open('x', 'w').write('1'); os.replace('x', 'out')", "", "out"),
        Case(
            "mkstemp_then_rename",
            "fd, name = tempfile.mkstemp(dir='.'); os.write(fd, b'1'); os.close(fd); os.rename(name, 'out')",
            "",
            "out",
        ),
        Case("path_rename", "p = pathlib.Path('x'); p.write_text('1'); p.rename('out')", "", "out"),
        Case("move", "open('x', 'w').write('1'); shutil.move('x', 'out')", "", "out"),
        Case("renamed_while_open", "f = open('x', 'w'); os.rename('x', 'out'); f.write('1'); f.close()", "", "out"),
        Case(
            "folder_staged_then_renamed",
            "os.mkdir('x'); open('x/a', 'w').write('1'); open('x/b', 'w').write('2'); os.rename('x', 'out')",
            "",
            "out/a out/b",
        ),
        Case("written_then_read_back", "open('out', 'w').write('1'); open('out').read()", "", "out"),
        Case("read_then_overwritten", "open('in.csv').read(); open('in.csv', 'w').write('1')", "in.csv", "in.csv"),
        Case(
            "read_then_replaced",
            "open('in.csv').read(); open('x', 'w').write('1'); os.replace('x', 'in.csv')",
            "in.csv",
            "in.csv",
        ),
        Case("appended_to_existing", "open('in.csv', 'a').write('1')", "in.csv", "in.csv"),
        Case("appended_to_new", "open('out', 'a').write('1')", "", "out"),
        Case("changed_in_place", "f = open('in.csv', 'r+'); f.write('9'); f.close()", "in.csv", "in.csv"),
        Case("opened_to_change_and_left", "open('in.csv', 'r+').close()", "in.csv", ""),
        Case("written_with_equal_bytes", "open('in.csv', 'w').write('a,b\\n1,2\\n')", "", "in.csv"),
        Case("failed_read", "try:\n    open('none')\nexcept OSError:\n    pass"),
        Case("failed_write", "try:\n    open('none/out', 'w')\nexcept OSError:\n    pass"),
        Case("failed_exclusive", "try:\n    open('in.csv', 'x')\nexcept OSError:\n    pass"),
        Case("only_asked_for", "os.path.exists('in.csv'); os.stat('in.csv'); os.listdir('.')"),
        Case("temporary_removed", "open('x', 'w').write('1'); os.remove('x')"),
        Case("temporary_folder", "with tempfile.TemporaryDirectory(dir='.') as t:\n    open(t + '/x', 'w').write('1')"),
        Case("named_temporary", "with tempfile.NamedTemporaryFile('w', dir='.') as f:\n    f.write('1')"),
        Case(
            "named_temporary_kept",
            """
            with tempfile.NamedTemporaryFile('w', dir='.', delete=False) as file:
                file.write('1')
            os.rename(file.name, 'out')
            """,
            "",
            "out",
        ),
        Case("spooled", "f = tempfile.SpooledTemporaryFile(2); f.write(b'12345'); f.close()"),
        Case("read_then_removed", "open('in.csv').read(); os.remove('in.csv')", "in.csv"),
        Case("read_then_moved", "open('in.csv').read(); os.rename('in.csv', 'done.csv')", "in.csv", "done.csv"),
        Case("read_then_touched", "open('in.csv').read(); os.utime('in.csv'); os.chmod('in.csv', 0o640)", "in.csv"),
        Case(
            "published_by_symlink",
            "open('folder/x', 'w').write('1'); os.symlink('folder/x', 'out')",
            "",
            "folder/x out",
        ),
        Case("symlink", "open('link.csv').read()", "link.csv"),
        Case("published_by_link", "open('x', 'w').write('1'); os.link('x', 'out')", "", "out x"),
        Case("published_by_link_once", "open('x', 'w').write('1'); os.link('x', 'out'); os.unlink('x')", "", "out"),
        Case("truncated", "os.truncate('in.csv', 3)", "in.csv", "in.csv"),
        Case(
            "relative_to_descriptor",
            "d = os.open('folder', os.O_RDONLY); os.close(os.open('a.csv', os.O_RDONLY, dir_fd=d)); os.close(d)",
            "folder/a.csv",
        ),
        Case(
            "mapped_and_changed",
            "f = open('in.csv', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0] = 65; m.flush(); m.close(); f.close()",
            "in.csv",
            "in.csv",
        ),
        Case("opened_and_not_read", "open('in.csv').close()", "in.csv"),
        Case("never_closed", "f = open('out', 'w'); f.write('1'); f.flush(); keep = [f]", "", "out"),
        Case("in_a_cycle", "f = open('out', 'w'); f.write('1'); f.me = f; del f; gc.collect()", "", "out"),
        Case(
            "by_descriptor",
            "fd = os.open('out', os.O_WRONLY | os.O_CREAT); f = open(fd, 'w'); f.write('1'); f.close()",
            "",
            "out",
        ),
        Case("by_opener", "open('out', 'w', opener=lambda path, flags: os.open(path, flags)).write('1')", "", "out"),
        Case(
            "by_opener_of_another",
            "open('x', 'w', opener=lambda path, flags: os.open('out', flags)).write('1')",
            "",
            "out",
        ),
        Case("binary_unbuffered", "open('out', 'wb', buffering=0).write(b'1')", "", "out"),
        Case("bytes_path", "open(b'out', 'w').write(open(b'in.csv').read())", "in.csv", "out"),
        Case("other_working_folder", "os.chdir('folder'); open('a.csv').read(); os.chdir('..')", "folder/a.csv"),
        Case(
            "stamp_put_back", "open('out', 'w').write('1'); os.utime('out', (1, 1)); os.chmod('out', 0o600)", "", "out"
        ),
        Case("copied_with_stamp", "shutil.copy2('in.csv', 'out')", "in.csv", "out"),
        Case("copied_tree", "shutil.copytree('folder', 'out')", "folder/a.csv", "out/a.csv"),
        Case("tar", "with tarfile.open('out.tar', 'w') as f:\n    f.add('in.csv')", "in.csv", "out.tar"),
        Case("bz2", "bz2.open('out.bz2', 'w').write(b'1')", "", "out.bz2"),
        Case(
            "thread", "t = threading.Thread(target=lambda: open('out', 'w').write('1')); t.start(); t.join()", "", "out"
        ),
        Case(
            "swapped",
            """
            open('a', 'w').write('1')
            open('b', 'w').write('2')
            os.rename('a', 'c'); os.rename('b', 'a'); os.rename('c', 'b')
            """,
            "",
            "a b",
        ),
        Case("moved_to_scenery", "open('x', 'w').write('1'); os.rename('x', 'x.lock')"),
        Case("written_twice", "open('out', 'w').write('1'); open('out', 'w').write('2')", "", "out"),
        Case("device", "open(os.devnull, 'w').write('1'); open('/dev/zero', 'rb').read(1)"),
        Case(
            "looks_like_itself",
            """
            assert inspect.signature(open) and open is io.open
            assert pickle.loads(pickle.dumps(open)) is open and copy.deepcopy(open) is open
            assert pickle.loads(pickle.dumps(os.replace)) is os.replace
            assert os.open in os.supports_dir_fd and shutil.rmtree.avoids_symlink_attacks
            class Holder:
                opener = open
            assert Holder().opener('in.csv').read()
            """,
            "in.csv",
        ),
    ],
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("doors") / "batch"
    return BATCH.finish(BATCH.start(folder), folder)


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_a_file_is_told_with_its_role(case: Case, told: dict[str, Told]) -> None:
    one = told[case.name]
    assert not one.error
    assert (one.reads, one.writes) == (case.reads, case.writes)


@pytest.mark.parametrize(
    "name", ["read_then_overwritten", "read_then_replaced", "appended_to_existing", "changed_in_place", "truncated"]
)
def test_the_old_bytes_of_a_small_input_are_kept(name: str, told: dict[str, Told]) -> None:
    [read] = told[name].story.paths.inputs()
    store = Path(told[name].folder).parent / "store"
    assert read.lost == reasons.OVERWRITTEN
    assert (store / "journal" / "kept" / read.copy).read_text() == "a,b\n1,2\n"


def test_an_input_that_is_gone_is_told_as_gone(told: dict[str, Told]) -> None:
    [read] = told["read_then_removed"].story.paths.inputs()
    assert read.lost == reasons.GONE


@pytest.mark.parametrize("name", ["read_then_moved", "read_then_touched"])
def test_an_input_that_the_run_moves_or_touches_is_still_known(name: str, told: dict[str, Told]) -> None:
    [read] = told[name].story.paths.inputs()
    assert not read.lost
    assert not read.doubt
    assert read.seen == Evidence.of(os.stat(read.place))


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_an_output_has_the_evidence_of_what_stands_there(case: Case, told: dict[str, Told]) -> None:
    for written in told[case.name].story.paths.outputs():
        if written.evidence is not None:
            assert written.evidence == Evidence.of(os.stat(written.path))


@pytest.mark.parametrize(
    ("last_line", "code_is"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("os.execv('/bin/true', ['true'])", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError", 1),
    ],
)
def test_what_was_done_before_a_sudden_end_is_told(last_line: str, code_is: int, job: Job) -> None:
    (job.folder / "in.csv").write_text("a\n1\n")
    facts = job.run(
        f"import os, sys\nopen('in.csv').read()\nopen('out', 'w').write('1')\n{last_line}\n", code_is=code_is
    )
    kinds = [(fact["fact"], fact.get("path", "").rpartition("/")[2]) for fact in facts]
    assert ("read", "in.csv") in kinds
    assert ("written", "out") in kinds


def test_a_copy_for_which_there_is_no_room_is_not_kept(job: Job) -> None:
    (job.folder / "in.csv").write_bytes(b"x" * 60_000)
    job.run(
        """
import resource
open('in.csv', 'rb').read()
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
with open('in.csv', 'r+b') as file: file.write(b'1')
"""
    )
    assert job.paths("read") == job.paths("written") == ["in.csv"]
    assert not job.facts("kept")
    assert not list((job.store / "journal" / "kept").iterdir())


def test_a_descriptor_that_a_file_only_borrowed_stays_open(job: Job) -> None:
    job.run(
        """
import gc, os
fd = os.open('out', os.O_WRONLY | os.O_CREAT)
file = open(fd, 'w', closefd=False); file.write('1'); file.flush(); file.me = file
del file; gc.collect()
os.write(fd, b'2'); os.close(fd)
assert open('out').read() == '12'
"""
    )
    assert set(job.paths("written")) == {"out"}


def test_a_pipe_is_no_output(job: Job) -> None:
    job.run("import os; os.mkfifo('pipe'); r = os.open('pipe', os.O_RDONLY | os.O_NONBLOCK); open('pipe', 'w').close()")
    assert not job.facts("writing")
    assert not job.facts("written")


def test_a_number_that_was_closed_behind_us_is_of_another_file(job: Job) -> None:
    (job.folder / "in.csv").write_text("a")
    job.run(
        """
import os
fd = os.open('out', os.O_WRONLY | os.O_CREAT)
os.closerange(fd, fd + 1)
assert os.open('in.csv', os.O_RDONLY) == fd
with open(fd) as file: file.read()
"""
    )
    assert not job.facts("written")


def test_a_mistake_of_the_job_is_no_trouble_of_ours(job: Job) -> None:
    (job.folder / "in.csv").write_text("a")
    job.run(
        """
import os
open('in.csv').read()
for call in (lambda: open(None), lambda: open('a\\0b', 'w'), lambda: os.unlink(1.5), lambda: os.open(None, 0)):
    try: call()
    except (TypeError, ValueError): continue
    raise AssertionError(call)
"""
    )
    assert not [fact for fact in job.facts("trouble") if not fact["where"].startswith("absent:")]


def test_a_folder_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    assert take_listing(str(tmp_path), patience=-1) is None
    assert (take_listing(str(tmp_path)) or {})["files"] == 1
