# SPDX-License-Identifier: Apache-2.0
"""Copies: what a command finds in one, what it cannot do outside of it, and that nothing it has started is left."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from lineagekit.cause import cage, copied, debris, landlock, ways
from lineagekit.cause import filter as filter_
from lineagekit.cause.copied import Copied
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.workspace import Workspace
from lineagekit.errors import NotFoundError, StoreError, UsageError
from tests.cause.attacks import ATTACKS
from tests.cause.ground import DAEMON, Ground, running

_ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    landlock.abi() < 3 or not filter_.is_known(), reason="this kernel's Landlock holds no truncation"
)
OPENED = "import fcntl, os; f = os.open(os.environ['OUT'] + '/file', os.O_RDONLY); "
_MORE = {
    "flags": OPENED + "fcntl.ioctl(f, 0x40086602, (0x40).to_bytes(8, 'little'))",
    "mode by descriptor": OPENED + "os.fchmod(f, 0o600)",
    "times by descriptor": OPENED + "os.utime(f)",
    "mode by /proc": OPENED + "os.chmod(f'/proc/self/fd/{f}', 0o600)",
    "mode in a folder": "import os; os.chmod('file', 0o600, dir_fd=os.open(os.environ['OUT'], os.O_RDONLY))",
    "mode through a link": "import os; os.symlink(os.environ['OUT'], 'l'); os.chmod('l/file', 0o600)",
    "times of a link's end": "import os; os.symlink(os.environ['OUT'] + '/file', 'l'); os.utime('l', (1, 1))",
    "mode where it stands": "import os; os.chdir(os.environ['OUT']); os.chmod('.', 0o700)",
    "mode by number": "import ctypes, os; l = ctypes.c_long; c = ctypes.CDLL(None); "
    "c.syscall(l(452), l(-100), os.environb[b'OUT'] + b'/file', l(0o600), l(0))",
}
MORE = {name: [sys.executable, "-S", "-c", text] for name, text in _MORE.items()}
_METADATA = {"mode", "time", "attribute", "native chmod", "native utime", *_MORE}
"""Attacks that Landlock does not hold."""
ALL = {**ATTACKS, **MORE}


def on(folder: Path) -> Ground:
    """A ground with a copy in the place of a workspace."""
    ground = Ground.make(folder)
    ground.space = cast(Workspace, Copied(ground.space.folder, ground.project))
    return ground


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Not in /tmp, which a cage would cover."""
    folder = Path(tempfile.mkdtemp(prefix=".copied-", dir=os.environ.get("CAGE_GROUND", _ROOT)))
    yield on(folder)
    debris.remove(folder)


def inside(ground: Ground, name: str) -> Path:
    return ground.space.inside(ground.project / name)


# What a command finds


def test_the_folder_is_there_with_what_was_placed_and_without_what_was_removed(ground: Ground) -> None:
    ground.space.place(ground.project / "file", b"new")
    ground.space.place(ground.project / "a/b", b"deep")
    ground.space.remove(ground.project / "sub/part")
    (ground.project / "later").write_text("made after the copy was")
    script = 'cat file a/b; stat -c %a file; ls sub; test -e later || echo none; test "$PWD" = "$(pwd -P)" && echo same'
    assert ground.run("sh", "-c", script, PWD=str(ground.project)).returncode == 0
    assert ground.output == "newdeep644\nnone\nsame\n"


def test_absolute_paths_lead_to_the_users_own_files_which_can_only_be_read(ground: Ground) -> None:
    before = ground.pictures()
    ground.space.place(ground.project / "file", b"new")
    ground.run("sh", "-c", 'cat "$ROOT/file"; echo x > "$ROOT/made"')
    assert "old" in ground.output
    assert "ermission denied" in ground.output
    assert ground.pictures() == before


def test_what_it_writes_is_found_and_goes_with_the_rest(ground: Ground) -> None:
    before = ground.pictures()
    script = "echo made > made; rm -r sub; echo t > $TMPDIR/t; mkdir shut; chmod 000 shut"
    assert ground.run("sh", "-c", script).returncode == 0
    assert ground.space.real(ground.project / "made").read_text() == "made\n"
    assert not ground.space.real(ground.project / "sub").exists()
    ground.space.remove_all()
    assert not ground.space.folder.exists()
    assert ground.pictures() == before


def test_modes_and_times_are_those_of_the_originals_and_no_file_shares_its_bytes_by_name(ground: Ground) -> None:
    script = ground.project / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o750)
    os.utime(script, ns=(10**18, 10**18))
    space = Copied(ground.space.folder, ground.project)
    found = space.real(script).stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns, found.st_nlink) == (0o750, 10**18, 1)
    assert found.st_ino != script.stat().st_ino


def test_caches_and_stores_are_left_out_and_environments_and_git_are_seen_in_their_place(ground: Ground) -> None:
    for name in ("__pycache__/x.pyc", "cache/CACHEDIR.TAG", "other/lineage.db", ".venv/pyvenv.cfg", ".git/HEAD"):
        (ground.project / name).parent.mkdir()
        (ground.project / name).write_text("x")
    os.mkfifo(ground.project / "pipe")
    before = ground.pictures()
    ground.space = cast(Workspace, Copied(ground.space.folder, ground.project))
    ground.run("sh", "-c", "ls -A; cat .venv/pyvenv.cfg .git/HEAD; echo y > .venv/pyvenv.cfg; rm -f .git/HEAD")
    assert ground.output.startswith(".git\n.venv\nfile\nleads out\nsub\nxx")
    assert ground.pictures() == before
    with pytest.raises(UsageError, match=r"cannot be put back: \.venv is not copied"):
        ground.space.place(ground.project / ".venv/pyvenv.cfg", b"y")


def test_programs_are_led_to_caches_that_are_empty_but_for_what_was_downloaded(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches = ground.folder / "home/.cache"
    for name in ("mine", "huggingface", "openml"):
        (caches / name).mkdir(parents=True)
        (caches / name / "file").write_text(f"old {name}")
    monkeypatch.setenv("HOME", str(ground.folder / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    ground.space = cast(Workspace, Copied(ground.space.folder, ground.project))
    script = (
        'cd "$XDG_CACHE_HOME"; ls; cat openml/file "$HF_HOME/file"; echo; echo x > mine && cat mine; echo x > openml/x'
    )
    ground.run("sh", "-c", script)
    assert ground.output.split("\n")[:4] == ["huggingface", "openml", "old openmlold huggingface", "x"]
    assert "ermission denied" in ground.output
    assert sorted(os.listdir(caches / "openml")) == ["file"]
    ground.run("sh", "-c", 'echo "$HF_HOME"', HF_HOME="/mine")
    assert ground.output == "/mine\n"


def test_of_a_repository_above_git_is_seen_too(ground: Ground) -> None:
    (ground.folder / ".git").mkdir()
    space = Copied(ground.space.folder, ground.project)
    assert (space.tree / ground.folder.relative_to("/") / ".git").resolve() == ground.folder / ".git"


def test_links_lead_to_copies_where_there_are_some(ground: Ground) -> None:
    (ground.project / "latest").symlink_to(ground.project / "sub")
    (ground.project / "data").symlink_to(ground.outside)
    before = ground.pictures()
    space = Copied(ground.space.folder, ground.project, [ground.outside / "sub"])
    ground.space = cast(Workspace, space)
    space.place(ground.project / "latest/part", b"new")
    space.place(ground.project / "data/sub/part", b"also new")
    ground.run(
        "sh", "-c", 'cat latest/part sub/part data/sub/part; ls data; cat "leads out/sub/part"; echo x > latest/y'
    )
    assert ground.output == "newnewalso newsub\nalso new"
    assert space.real(ground.project / "latest/y") == space.real(ground.project / "sub/y")
    assert ground.pictures() == before


@pytest.mark.parametrize("name", ["with a space", "été 数据", "new\nline", os.fsdecode(b"latin-\xe9\xff")])
def test_files_may_have_any_name(ground: Ground, name: str) -> None:
    ground.space.place(ground.project / name, b"new")
    ground.run("cat", name)
    assert ground.output == "new"


def test_a_folder_that_is_too_large_is_refused_before_anything_is_copied(ground: Ground) -> None:
    with (ground.project / "large").open("wb") as file:
        file.truncate(copied.MOST_BYTES + 1)
    with pytest.raises(UsageError, match=r"too large to be copied for each rebuild: it holds 10\.7 GB in \d files, "):
        Copied(ground.space.folder, ground.project)
    assert not ground.space.folder.exists()


def test_a_copy_that_fails_half_way_leaves_nothing(ground: Ground) -> None:
    deep = ground.project
    for _ in range((4090 - len(str(deep))) // 251):
        deep /= "n" * 250
        deep.mkdir()
    with pytest.raises(StoreError, match="cannot be copied: File name too long"):
        Copied(ground.space.folder, ground.project)
    assert not ground.space.folder.exists()


@pytest.mark.parametrize("home", ["/", "/no/such/folder"])
def test_the_machine_is_no_folder_to_copy(tmp_path: Path, home: str) -> None:
    with pytest.raises(NotFoundError, match="no folder to copy"):
        Copied(tmp_path / "workspace", Path(home))


# What it cannot do


@pytest.mark.parametrize("attack", ALL.values(), ids=ALL.keys())
def test_outside_nothing_is_changed(ground: Ground, attack: list[str]) -> None:
    before = ground.pictures(), flags(ground)
    ground.run(*attack)
    assert (ground.pictures(), flags(ground)) == before


@pytest.mark.parametrize("name", sorted({*_METADATA, "absolute path", "native unlink", "native truncate"}))
def test_each_wall_is_needed(ground: Ground, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cage, "WALLS", ["landlock" if name in _METADATA else "filter"])
    before = ground.pictures(), flags(ground)
    ground.run(*ALL[name])
    assert (ground.pictures(), flags(ground)) != before


def flags(ground: Ground) -> int:
    """Of the file outside, as chattr sets them; 0 where its file system has none."""
    try:
        with (ground.outside / "file").open("rb") as file:
            return int(struct.unpack("l", fcntl.ioctl(file, 0x80086601, bytes(8)))[0])
    except OSError:
        return 0


def test_its_own_files_get_the_modes_and_times_that_it_sets(ground: Ground) -> None:
    script = """
import os
f = os.open("file", os.O_RDONLY)
os.chmod("sub", 0o2750); os.chmod("part", 0o4711, dir_fd=os.open("sub", os.O_RDONLY))
os.fchmod(f, 0o600); os.utime(f, ns=(5, 7)); os.utime("sub/part", ns=(10**9 + 1, 2))
os.symlink("file", "link"); os.utime("link", (3, 3), follow_symlinks=False); os.chmod(f"/proc/self/fd/{f}", 0o640)
print([(oct(one.st_mode & 0o7777), one.st_mtime_ns) for one in map(os.lstat, ("file", "sub/part"))])
print(oct(os.stat("sub").st_mode & 0o7777), os.lstat("link").st_mtime)
for attempt in (lambda: os.chmod("none", 0), lambda: os.utime(os.environ["OUT"])):
    try:
        attempt()
    except OSError as error:
        print(error.strerror)
"""
    assert ground.run(sys.executable, "-S", "-c", script).returncode == 0, ground.output
    told = ["[('0o640', 7), ('0o711', 2)]", "0o2750 3.0", "No such file or directory", "Permission denied"]
    assert ground.output.splitlines() == told


def test_a_makefile_with_stamps_programs_and_archives_is_built_anew(ground: Ground) -> None:
    lines = ["out: stamp", "\t./run > out", "stamp: file", "\techo 'echo ran' > run; chmod +x run; touch stamp", ""]
    for name, text in {"Makefile": "\n".join(lines), "stamp": "", "out": "old\n"}.items():
        (ground.project / name).write_text(text)
        os.utime(ground.project / name, (1, 1))
    ground.space = cast(Workspace, Copied(ground.space.folder, ground.project))
    script = "make && cat out && cp -p file copy && tar cf a.tar sub && rm -r sub && tar xpf a.tar && cat sub/part"
    assert ground.run("sh", "-c", script).returncode == 0, ground.output
    assert ground.output.endswith("ran\nold part")


def test_many_processes_may_set_modes_at_once(ground: Ground) -> None:
    script = "for n in 1 2 3 4 5 6 7 8; do (for m in 1 2 3 4 5 6 7 8 9; do touch $n; chmod 600 $n; done) & done; wait; "
    assert ground.run("sh", "-c", script + "stat -c %a [1-8] | sort -u").returncode == 0
    assert ground.output == "600\n"


def test_the_kernel_cannot_be_asked_past_the_filter(ground: Ground) -> None:
    script = (
        "import ctypes, errno; c = ctypes.CDLL(None, use_errno=True); l = ctypes.c_long\n"
        "for number in (425, 0x40000000 | 90):\n"
        "    print(c.syscall(l(number), l(1), l(0)), errno.errorcode[ctypes.get_errno()])"
    )
    ground.run(sys.executable, "-c", script)
    assert ground.output == "-1 ENOSYS\n" * 2


ASK = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1].replace('@', chr(0)))"


@pytest.mark.parametrize("place", ["a file", "none"])
def test_services_of_the_machine_cannot_be_asked(ground: Ground, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(ground.outside / "s") if place == "a file" else f"\0copied-{os.getpid()}"
    if place == "none" and landlock.abi() >= 6:
        monkeypatch.setattr(cage, "WALLS", ["landlock"])  # which holds it alone
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        listener.settimeout(0)
        attack = [sys.executable, "-S", "-c", ASK, name.replace("\0", "@")]
        assert ground.run(*attack).returncode
        with pytest.raises(BlockingIOError):
            listener.accept()
        monkeypatch.setattr(cage, "WALLS", ["landlock"] if place == "a file" else [])
        ground.run(*attack)
        listener.accept()[0].close()


def test_processes_outside_cannot_be_ended(ground: Ground) -> None:
    with subprocess.Popen(["sleep", "600"]) as bystander:
        ground.run("sh", "-c", f"kill -9 {bystander.pid} $PPID; echo went on")
        assert "went on" in ground.output
        assert (bystander.poll() is None) == (landlock.abi() >= 6)
        bystander.kill()


PARALLEL = "import multiprocessing as m; p = m.get_context('fork').Pool(2); print(p.map(abs, [-1]))"


@pytest.mark.caged
@pytest.mark.parametrize("there", [False, True])
def test_shared_memory_can_be_written_where_there_is_none(tmp_path: Path, there: bool) -> None:
    """In a container of its own, mostly; beside that of other processes it is not touched."""
    script = (
        "import sys; from pathlib import Path; from tests.cause.test_copied import on; ground = on(Path(sys.argv[1]))\n"
        f"ground.run(sys.executable, '-c', {PARALLEL!r}); print(ground.output)"
    )
    start = 'mount -t tmpfs none /dev/shm && { test -z "$2" || touch /dev/shm/other; } && exec "$0" -c "$1" "$3"'
    words = ["unshare", "-Urm", "sh", "-c", start, sys.executable, script, "x" if there else "", str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_ROOT)])}
    told = subprocess.run(words, cwd=_ROOT, env=environ, capture_output=True, text=True)
    assert ("[1]" in told.stdout, "PermissionError" in told.stdout) == (not there, there), told.stderr


# Nothing that it has started is left


def test_daemons_do_not_outlive_the_command(ground: Ground) -> None:
    marker = f"copied-daemon-{os.getpid()}"
    assert ground.run(sys.executable, "-S", "-c", DAEMON, marker, "0", "3").returncode == 3
    assert not running(marker)


@pytest.mark.parametrize("start", [(), ("sh", "-c", "trap '' TERM HUP INT; \"$@\" & wait", "sh")])
def test_a_timeout_ends_all_of_them(ground: Ground, start: tuple[str, ...]) -> None:
    marker = f"copied-timeout-{os.getpid()}"
    for seconds in (1, 5, 25, 125):
        ended = ground.run(*start, sys.executable, "-S", "-c", DAEMON, marker, "600", timeout=seconds)
        if "started" in ground.output:
            break
    assert (ended.timed_out, ground.output) == (True, "started\n")
    assert not running(marker)


FLOOD = """
import os, time
for _ in range(100):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(600)
"""


def test_a_flood_of_daemons_ends_too(ground: Ground) -> None:
    marker = f"copied-flood-{os.getpid()}"
    assert ground.run(sys.executable, "-S", "-c", FLOOD, marker).returncode == 0
    assert not running(marker)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_parent_ends_all_of_them(tmp_path: Path, number: signal.Signals) -> None:
    marker = f"copied-orphan-{os.getpid()}-{number}"
    output = tmp_path / "output"
    parent = multiprocessing.get_context("fork").Process(
        target=lambda: on(tmp_path).run(sys.executable, "-S", "-c", DAEMON, marker, "600", timeout=None)
    )
    parent.start()
    end = time.monotonic() + 60
    while not (output.exists() and "started" in output.read_text()) and time.monotonic() < end:
        time.sleep(0.01)
    assert running(marker)
    os.kill(parent.pid or 0, number)
    while running(marker) and time.monotonic() < end:
        time.sleep(0.01)
    parent.join()
    assert not running(marker)


# Which way is taken

FILTERED = """
import ctypes, struct, sys
code = [(0x20, 0, 0, 0)]
for number in map(int, sys.argv[1].split(",")):
    code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | 38)]
code += [(0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
head = ctypes.create_string_buffer(struct.pack("HL", len(code), ctypes.addressof(program)))
assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0 and ctypes.CDLL(None).prctl(22, 2, head) == 0
from lineagekit.cause.recipe import Recipe
from lineagekit.cause.ways import choose
from lineagekit.errors import StoreError
for recipe in (Recipe(("true",), "/"), Recipe(("true",), "/", by_exit_status=True, is_unsafe=True)):
    try:
        print(choose(recipe).in_copy)
    except StoreError as error:
        print(error)
"""


NO_CAGE = "a command cannot be held in a cage here: unshare: Function not implemented. Allow user namespaces"
NO_COPY = "Nor can it be held in a copy of the folder: "


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of its calls")
@pytest.mark.parametrize(
    ("denied", "said"),
    [
        ("272", ["True", f"{NO_COPY}there an exit code may tell of a path that cannot be written"]),
        ("444,272", [f"{NO_COPY}without Landlock that holds truncation (Linux 6.2)"] * 2),
    ],
    ids=["no namespaces", "no Landlock either"],
)
def test_a_copy_is_made_where_there_are_no_namespaces_but_is_landlock(denied: str, said: list[str]) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_ROOT)])}
    words = [sys.executable, "-c", FILTERED, denied]
    told = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [word in line for word, line in zip(said, told, strict=True)] == [True, True], told
    assert [line.startswith(NO_CAGE) for line in told] == [word != "True" for word in said]


@pytest.mark.caged
def test_where_a_cage_can_be_built_there_is_no_copy() -> None:
    recipe = Recipe(("true",), "/")
    assert ways.choose(recipe) is recipe
