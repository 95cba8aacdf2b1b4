# SPDX-License-Identifier: Apache-2.0
"""Workspaces: what is placed and removed is what a command in the cage finds, whatever it is called and wherever."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lineagekit.agent import scenery
from lineagekit.cause import cage
from lineagekit.cause.workspace import Workspace
from lineagekit.errors import NotFoundError, UsageError
from tests.cause.ground import Ground, picture

pytestmark = pytest.mark.caged

caged = pytest.mark.skipif(bool(cage.why_not()), reason=cage.why_not())
_REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = [
    "project",
    "with a space",
    "été 数据",
    "a:b",
    "a,b=c\\d",
    "new\nline",
    "'\"$(x)",
    os.fsdecode(b"latin-\xe9\xff"),
]


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground.make(tmp_path)


# What a command finds


@caged
@pytest.mark.parametrize("name", NAMES)
def test_roots_and_files_may_have_any_name(tmp_path: Path, name: str) -> None:
    ground = Ground.make(tmp_path, name=name)
    before = ground.pictures()
    ground.space.place(ground.project / name, b"new")
    ground.space.remove(ground.project / "file")
    assert (
        ground.run("sh", "-c", 'cat "$1"; test ! -e "$ROOT/file" && echo made > "$1.out"', "sh", name).returncode == 0
    )
    assert ground.output == "new"
    assert ground.space.real(ground.project / f"{name}.out").read_text() == "made\n"
    assert ground.pictures() == before


@caged
def test_modes_are_kept_and_new_files_have_the_usual_one(ground: Ground) -> None:
    (ground.project / "run.sh").write_text("#!/bin/sh\necho old\n")
    (ground.project / "run.sh").chmod(0o750)
    (ground.project / "sub").chmod(0o2711)
    for name, body in (("run.sh", b"#!/bin/sh\necho new\n"), ("sub/part", b"x"), ("sub/fresh", b"x")):
        ground.space.place(ground.project / name, body)
    ground.run("sh", "-c", "./run.sh; stat -c %a run.sh sub sub/part sub/fresh")
    assert ground.output.split() == ["new", "750", "2711", "640", "644"]


@caged
def test_a_file_can_be_placed_beneath_folders_that_do_not_exist(ground: Ground) -> None:
    ground.space.place(ground.project / "a/b/c", b"deep")
    ground.run("sh", "-c", "cat a/b/c; stat -c %a a a/b")
    assert ground.output == "deep755\n755\n"


@caged
def test_a_removed_folder_is_gone_until_something_is_placed_in_it(ground: Ground) -> None:
    ground.space.remove(ground.project / "sub")
    ground.space.remove(ground.project / "sub/part")
    ground.run("sh", "-c", "ls")
    assert ground.output == "file\nleads out\n"
    assert not ground.space.real(ground.project / "sub/part").exists()
    ground.space.place(ground.project / "sub/new", b"x")
    ground.run("sh", "-c", "ls sub")
    assert ground.output == "new\n"


@caged
def test_a_removed_file_can_be_placed_and_a_placed_one_removed(ground: Ground) -> None:
    path = ground.project / "sub/part"
    ground.space.remove(path)
    ground.space.place(path, b"back")
    ground.run("sh", "-c", "cat sub/part; stat -c %a sub/part")
    assert ground.output == "back640\n"
    ground.space.remove(path)
    ground.run("ls", "sub")
    assert ground.output == ""


@caged
def test_a_file_can_take_the_place_of_a_folder_and_a_folder_that_of_a_file(ground: Ground) -> None:
    ground.space.place(ground.project / "sub", b"flat")
    ground.space.place(ground.project / "file/part", b"deep")
    ground.run("cat", "sub", "file/part")
    assert ground.output == "flatdeep"
    ground.space.place(ground.project / "sub/part", b"deep again")
    ground.run("sh", "-c", "cat sub/part; ls sub")
    assert ground.output == "deep againpart\n"


def test_what_was_never_there_can_be_removed(ground: Ground) -> None:
    ground.space.remove(ground.project / "never/there")
    assert not ground.space.real(ground.project / "never").exists()


@caged
def test_a_large_file_is_copied_and_shares_no_name(ground: Ground) -> None:
    source = ground.outside / "large"
    with source.open("wb") as file:
        file.truncate(200 << 20)
        file.seek(150 << 20)
        file.write(b"here")
    ground.space.place(ground.project / "large", source)
    ground.run("sh", "-c", 'cmp large "$OUT/large" && echo same; echo x > large')
    assert ground.output == "same\n"
    assert (source.stat().st_size, source.stat().st_nlink) == (200 << 20, 1)


@caged
def test_links_in_a_root_are_followed_to_where_they_lead(ground: Ground) -> None:
    (ground.project / "latest").symlink_to("sub")
    ground.space.place(ground.project / "latest/part", b"new")
    ground.run("cat", "sub/part")
    assert ground.output == "new"
    with pytest.raises(UsageError, match=r"lies in no root of the workspace \(it leads to .*outside/file\)"):
        ground.space.place(ground.project / "leads out/file", b"x")


@caged
def test_a_link_itself_is_replaced_and_what_it_leads_to_is_not(ground: Ground) -> None:
    (ground.project / "link").symlink_to("file")
    ground.space.place(ground.project / "link", b"new")
    ground.run("cat", "link", "file")
    assert ground.output == "newold"


@caged
def test_links_that_a_command_makes_never_lead_to_the_users_own_files(ground: Ground) -> None:
    ground.run(
        "sh", "-c", 'ln -s "$ROOT/sub" link; echo new > "$ROOT/sub/part"; ln -s loop loop; ln -s /../.."$ROOT" up'
    )
    assert ground.space.real(ground.project / "link/part").read_text() == "new\n"
    assert ground.space.real(ground.project / "up/link/part").read_text() == "new\n"
    assert ground.space.real(ground.project / "file") == ground.project / "file"
    with pytest.raises(OSError, match="symbolic links"):
        ground.space.real(ground.project / "loop").read_text()


# Where a workspace can lie, and where not


@pytest.mark.parametrize("root", ["/", "/proc", "/dev", "/sys/kernel"])
def test_the_machine_itself_is_no_root(tmp_path: Path, root: str) -> None:
    with pytest.raises(UsageError, match=f"{root} cannot be a root of a workspace"):
        Workspace(tmp_path / "workspace", [tmp_path, Path(root)])
    assert not (tmp_path / "workspace").exists()


def test_a_root_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        Workspace(tmp_path / "workspace", [tmp_path / "nowhere"])


@pytest.mark.parametrize("path", ["outside/file", "project-2/file", "project/../outside/file"])
def test_what_lies_in_no_root_is_refused(ground: Ground, path: str) -> None:
    for change in (ground.space.remove, lambda path: ground.space.place(path, b"x")):
        with pytest.raises(UsageError, match="lies in no root of the workspace"):
            change(ground.folder / path)


@pytest.mark.parametrize("path", ["file", "/", "/tmp/.."])
def test_paths_are_absolute_and_of_files(ground: Ground, path: str) -> None:
    with pytest.raises(UsageError, match="is no absolute path of a file"):
        ground.space.place(Path(path), b"x")


def test_a_root_cannot_be_removed(ground: Ground) -> None:
    with pytest.raises(UsageError, match="is a root of the workspace"):
        ground.space.remove(ground.project)


def test_bytes_that_are_gone_are_a_clear_error(ground: Ground) -> None:
    with pytest.raises(NotFoundError, match=r"file cannot be placed in the workspace: No such file .*gone"):
        ground.space.place(ground.project / "file", ground.outside / "gone")


def test_a_root_in_another_one_is_merged_into_it(ground: Ground) -> None:
    (ground.folder / "alias").symlink_to(ground.project)
    space = Workspace(ground.folder / "w", [ground.project / "sub", ground.folder / "alias", ground.outside])
    assert space.roots == (ground.outside, ground.project)


@caged
def test_several_roots_that_lie_anywhere_are_seen_at_once(ground: Ground) -> None:
    with_shm = Path("/dev/shm", f"cage-{os.getpid()}")
    with_shm.mkdir()
    (with_shm / "file").write_text("old")
    ground.space = Workspace(ground.folder / "w", [ground.project, ground.outside, with_shm])
    for root in ground.space.roots:
        ground.space.place(root / "file", str(root).encode() + b"\n")
    before = picture(with_shm), ground.pictures()
    ground.run(
        "sh", "-c", f'cat "$ROOT/file" "$OUT/file" {with_shm}/file; echo x > {with_shm}/file; echo x > "$OUT/file"'
    )
    assert sorted(ground.output.split("\n")[:-1]) == sorted(map(str, ground.space.roots))
    assert (picture(with_shm), ground.pictures()) == before
    for path in (with_shm / "file", with_shm):
        path.unlink() if path.is_file() else path.rmdir()


@caged
def test_a_temporary_folder_can_be_a_root(tmp_path: Path) -> None:
    name = f"cage-root-{os.getpid()}"
    space = Workspace(tmp_path / "workspace", [Path("/tmp"), Path("/var/tmp")])
    space.place(Path("/var/tmp", name), b"new")
    output = tmp_path / "output"
    words = ["sh", "-c", f"cat /var/tmp/{name} && echo x > /tmp/{name}"]
    ended = cage.run(words, space, cwd="/tmp", environ=os.environ, timeout=60, output=output, is_unsafe=False)
    assert (ended.returncode, output.read_text()) == (0, "new")
    assert not Path("/tmp", name).exists()
    assert space.real(Path("/tmp", name)).read_text() == "x\n"


SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from tests.cause.ground import Ground
folder = Path(sys.argv[1])
for name in ("lower", "upper", "work", "disk", "ground"):
    (folder / name).mkdir()
def mount(*words):
    subprocess.run(["mount", *words], cwd=folder, check=True)
"""
ON_OVERLAY = """
mount("-t", "overlay", "overlay", "-o", "lowerdir=lower,upperdir=upper,workdir=work,userxattr", "ground")
ground = Ground.make(folder / "ground")
"""
WITH_DISK = """
ground = Ground.make(folder / "ground")
(ground.project / "disk").mkdir()
mount("-t", "tmpfs", "disk", str(ground.project / "disk"))
(ground.project / "disk" / "file").write_text("old")
(ground.project / "disk" / "other").write_text("other")
ground.space = type(ground.space)(ground.space.folder, [ground.project])
ground.space.place(ground.project / "disk/file", b"new")
"""
RUN = """
before = ground.pictures()
ground.space.place(ground.project / "file", b"new")
ground.space.remove(ground.project / "sub/part")
ended = ground.run("sh", "-c", 'cat file; ls sub; cat disk/* 2> /dev/null; echo x > made; echo x > file')
made = ground.space.real(ground.project / "made").read_text()
print(ended.returncode, ground.output, made, ground.pictures() == before, sep="|", end="")
ground.space.remove_all()
print(os.path.exists(ground.space.layers[0].upper), sep="|", end="")
"""


AS_ORDINARY = """
(folder / "disk" / "lies").mkdir()
mount("-t", "tmpfs", "disk", str(folder / "disk" / "lies"))
(folder / "disk/lies/here").write_text("seen")
if sys.argv[2] == "disk in the root":
    (folder / "ground/project/disk").mkdir(parents=True)
    mount("-t", "tmpfs", "disk", str(folder / "ground/project/disk"))
os.execvp("unshare", ["unshare", "-U", "--map-user=1000", "--map-group=1000", sys.executable,
    "-c", sys.argv[3], sys.argv[1]])
"""
ORDINARY = """
import os, sys
from pathlib import Path
from lineagekit.cause import cage
from lineagekit.cause.workspace import Workspace
from lineagekit.errors import LineagekitError
folder = Path(sys.argv[1])
project = folder / "ground/project"
project.mkdir(parents=True, exist_ok=True)
(project / "file").write_text("old")
space = Workspace(project / ".lineagekit/workspace", [project])
space.place(project / "file", b"new")
there = f"{folder}/disk/lies/here"
script = f"exec 2> /dev/null; id -u; cat file {there}; echo; echo x > {there}; echo x > {folder}/ground/y; "
script += "echo x > made; echo y > /tmp/private && cat made /tmp/private"
try:
    for _ in range(2):
        cage.run(["sh", "-c", script], space, cwd=str(project), environ=os.environ, timeout=60,
                 output=folder / "output", is_unsafe=False)
    print((folder / "output").read_text(), (project / "file").read_text(), os.path.exists("/tmp/private"))
    space.remove_all()
except LineagekitError as error:
    print(error)
print(sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name not in ("output", "plan.json")))
"""


def ordinary(tmp_path: Path, world: str) -> str:
    """What is printed where a disk is mounted in /tmp and the user is not root."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_REPOSITORY)])}
    words = ["unshare", "-Urm", sys.executable, "-c", SCRIPT + AS_ORDINARY, str(tmp_path), world, ORDINARY]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout


@caged
def test_disks_in_a_temporary_folder_are_seen_and_not_written(tmp_path: Path) -> None:
    assert ordinary(tmp_path, "") == "1000\nnewseen\nx\ny\n old False\n['file', 'here']\n"


@caged
def test_a_disk_in_a_root_that_only_root_can_cover_is_a_clear_error(tmp_path: Path) -> None:
    told = ordinary(tmp_path, "disk in the root")
    assert f"mount overlay on {tmp_path}/ground/project: Invalid argument. If something is mounted in that" in told


@caged
@pytest.mark.parametrize(
    ("world", "printed"),
    [(ON_OVERLAY, "0|new|x\n|True"), (WITH_DISK, "0|newnewother|x\n|True")],
    ids=["overlay", "disk"],
)
def test_projects_on_overlays_and_with_disks_in_them_work(tmp_path: Path, world: str, printed: str) -> None:
    """As in containers: their files lie on an overlay, which the kernel takes no upper layer from."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_REPOSITORY)])}
    words = ["unshare", "-Urm", sys.executable, "-c", SCRIPT + world + RUN, str(tmp_path)]
    told = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert told.stdout == printed + "False", told.stderr


# Caches


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of somebody whose cache holds features, a model, and one that lies on another disk."""
    home = tmp_path / "home"
    for name in ("home/.cache/mine", "home/.cache/huggingface", "disk"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(f"old {name}")
    (home / ".cache/torch").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(scenery, "_scenery", scenery._Scenery())  # which is looked at once a process
    return home


def run_at(home: Path, space: Workspace, script: str) -> list[str]:
    output = home.parent / "output"
    words = ["sh", "-c", script]
    cage.run(words, space, cwd=str(space.roots[0]), environ=os.environ, timeout=60, output=output, is_unsafe=False)
    return output.read_text().split("\n")[:-1]


@caged
def test_caches_are_empty_but_for_what_was_downloaded_and_nothing_that_is_written_there_stays(
    ground: Ground, home: Path
) -> None:
    before = picture(home), picture(home.parent / "disk")
    script = (
        "cd ~/.cache; ls -A; cat huggingface/file torch/file; echo; mkdir mine && echo x > mine/file && cat mine/file;"
    )
    script += "echo x > huggingface/file; rm torch; rm -r huggingface/file; ls huggingface"
    for _ in range(2):
        space = Workspace(ground.space.folder, [ground.project])
        told = run_at(home, space, script)
        assert told == ["huggingface", "torch", "old home/.cache/huggingfaceold disk", "x"]
        assert space.real(home / ".cache/mine/file").read_text() == "x\n"
        space.remove_all()
        assert (picture(home), picture(home.parent / "disk")) == before


@caged
def test_the_folder_that_the_user_names_for_caches_is_empty_too(
    ground: Ground, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".cache").rename(home.parent / "caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home.parent / "caches"))
    space = Workspace(ground.folder / "w", [ground.project])
    assert run_at(home, space, 'ls -A "$XDG_CACHE_HOME"; cat "$XDG_CACHE_HOME/huggingface/file"; echo') == [
        "huggingface",
        "torch",
        "old home/.cache/huggingface",
    ]


@caged
def test_a_cache_in_a_root_is_empty_and_one_whose_reads_are_recorded_is_not(
    ground: Ground, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ground.project / ".cache").mkdir()
    (ground.project / ".cache/file").write_text("recorded")
    monkeypatch.setenv("XDG_CACHE_HOME", str(ground.project / ".cache"))
    space = Workspace(ground.folder / "w", [home, ground.project])
    space.place(home / ".cache/huggingface/file", b"placed")
    script = f"ls ~/.cache; cat ~/.cache/huggingface/file {ground.project}/.cache/file; echo; echo x > ~/.cache/x"
    assert run_at(home, space, script) == ["huggingface", "torch", "placedrecorded"]
    assert not (home / ".cache/x").exists()


@caged
@pytest.mark.parametrize("named", ["home", "/", "/tmp"])
def test_what_is_more_than_a_cache_is_not_emptied_whoever_names_it_so(
    ground: Ground, home: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home) if named == "home" else named)
    (home / "file").write_text("seen")
    space = Workspace(ground.folder / "w", [ground.project])
    assert run_at(home, space, f"cat {home}/file; echo; ls ~/.cache") == ["seen", "huggingface", "torch"]


@caged
def test_projects_and_environments_that_lie_in_a_cache_are_there(
    ground: Ground, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("build/project", "envs/one/bin", "envs/one/lib", "pypoetry/virtualenvs/two/bin", "bin"):
        (home / ".cache" / name).mkdir(parents=True)
        (home / ".cache" / name / "file").write_text(name)
    (home / ".cache/build/other").write_text("of another build")
    paths = [str(home / ".cache" / name) for name in ("envs/one/bin", "bin")]
    monkeypatch.setenv("PATH", os.pathsep.join([*paths, os.environ["PATH"]]))
    space = Workspace(home / ".cache/build/project/.lineagekit/w", [home / ".cache/build/project"])
    script = (
        "cat file; cd ~/.cache; cat envs/one/lib/file pypoetry/virtualenvs/two/bin/file bin/file; echo; ls; ls build"
    )
    assert run_at(home, space, script) == [
        "build/projectenvs/one/libpypoetry/virtualenvs/two/binbin",
        *("bin", "build", "envs", "huggingface", "pypoetry", "torch"),
        "project",
    ]


# The end


@caged
def test_all_is_gone_whatever_the_command_left(ground: Ground) -> None:
    script = (
        "import os, socket\n"
        "for place in (os.environ['ROOT'], os.environ['TMPDIR'], '/tmp'):\n"
        "    os.chdir(place); os.mkfifo('pipe'); os.symlink(os.environ['OUT'], 'out'); os.symlink('/', 'root')\n"
        "    socket.socket(socket.AF_UNIX).bind('socket'); open(b'\\xff\\n', 'w'); os.mkdir('0')\n"
        "    os.mkdir('shut'); open('shut/file', 'w'); os.chmod('shut/file', 0); os.chmod('shut', 0)\n"
        "    for _ in range(1500): os.mkdir('deep' * 10); os.chdir('deep' * 10)\n"
    )
    before = ground.pictures()
    assert ground.run(sys.executable, "-S", "-c", script).returncode == 0, ground.output
    assert stat.S_IMODE(ground.space.real(ground.project / "shut").stat().st_mode) == 0
    ground.space.remove_all()
    assert os.listdir(ground.space.folder.parent) == []
    assert ground.pictures() == before


def test_a_workspace_is_made_new(ground: Ground) -> None:
    ground.space.place(ground.project / "file", b"new")
    (ground.space.open / "left").write_text("x")
    left = ground.space.folder.with_name("workspace.removed")
    (left / "0").mkdir(parents=True)  # of a removal that was killed
    space = Workspace(ground.space.folder, ground.space.roots)
    assert os.listdir(space.open) == ["tmp"]
    assert space.real(ground.project / "file") == ground.project / "file"
    assert not left.exists()


def test_a_workspace_can_be_removed_twice(ground: Ground) -> None:
    ground.space.remove_all()
    ground.space.remove_all()
    assert not ground.space.folder.exists()
