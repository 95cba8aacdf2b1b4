# SPDX-License-Identifier: Apache-2.0
"""Cages: the command sees what was placed, and can change nothing outside, however hostile; what guards is shown to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineagekit.cause import cage, debris, landlock
from lineagekit.errors import LineagekitError
from tests.cause.attacks import ATTACKS
from tests.cause.ground import DAEMON, Ground, running

pytestmark = pytest.mark.caged
_NOBODY = 65534
_HERE = Path(__file__).resolve()

_AS_ROOT = {"owner": ["sh", "-c", 'chown 1234 "$OUT/file"'], "node": ["sh", "-c", 'mknod "$OUT/new" c 1 3']}
if os.geteuid() == 0:
    ATTACKS.update(_AS_ROOT)
each_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())


def _on_a_disk() -> Path:
    """Not in /tmp, where a cage has an overlay and all is safe without walls, though the checkout may lie there."""
    places = (_HERE.parents[2], Path.home(), Path("/opt"), Path("/var/lib"))
    is_safe = lambda place: place.is_relative_to("/tmp") or place.is_relative_to("/var/tmp")  # noqa: E731
    return next((one for one in places if not is_safe(one) and os.access(one, os.W_OK)), _HERE.parents[2])


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Where what is outside is guarded by the walls alone."""
    folder = Path(tempfile.mkdtemp(prefix=".cage-", dir=os.environ.get("CAGE_GROUND", _on_a_disk())))
    yield Ground.make(folder)
    debris.remove(folder)


@pytest.fixture(params=["on a disk", "in /tmp"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    return request.getfixturevalue("ground") if request.param == "on a disk" else Ground.make(tmp_path)


def uncaged(ground: Ground, command: list[str]) -> None:
    subprocess.run(command, cwd=ground.project, env={**ground.environ}, stderr=subprocess.DEVNULL, timeout=60)


# What a command sees


def test_placed_bytes_lie_at_their_own_path_and_removed_ones_nowhere(anywhere: Ground) -> None:
    before = anywhere.pictures()
    anywhere.space.place(anywhere.project / "file", b"new")
    anywhere.space.remove(anywhere.project / "sub/part")
    assert anywhere.run("sh", "-c", 'cat "$ROOT/file" file; ls sub').returncode == 0
    assert anywhere.output == "newnew"
    assert anywhere.pictures() == before


def test_what_a_command_writes_is_found_outside_and_touches_nothing(anywhere: Ground) -> None:
    before = anywhere.pictures()
    script = 'echo made > "$ROOT/made"; echo x >> file; rm -r sub; mkdir sub; echo q > sub/q; mv "leads out" moved'
    assert anywhere.run("sh", "-c", script).returncode == 0
    real = {name: anywhere.space.real(anywhere.project / name) for name in ("made", "file", "sub/q", "sub/part")}
    assert (real["made"].read_text(), real["file"].read_text(), real["sub/q"].read_text()) == (
        "made\n",
        "oldx\n",
        "q\n",
    )
    assert not real["sub/part"].exists()
    assert anywhere.pictures() == before


def test_the_workspace_is_empty_inside_but_for_the_open_folder(anywhere: Ground) -> None:
    anywhere.space.place(anywhere.project / "file", b"new")
    anywhere.run("sh", "-c", 'find "$ROOT" -name file; find "$ROOT/.lineagekit"')
    place = f"{anywhere.project}/.lineagekit/bisect"
    lines = [f"{anywhere.project}/file", *(f"{place}{end}" for end in ("", "/s", "/s/workspace"))]
    lines += [f"{place.removesuffix('/bisect')}", f"{place}/s/workspace/open", f"{place}/s/workspace/open/tmp"]
    assert sorted(anywhere.output.split("\n")[:-1]) == sorted(lines)


def test_the_open_folder_is_the_same_inside_and_outside(anywhere: Ground) -> None:
    (anywhere.space.open / "given").write_text("given")
    anywhere.run(
        "sh", "-c", 'cat "$1/given"; echo made > "$1/made"; echo t > "$TMPDIR/t"', "sh", str(anywhere.space.open)
    )
    assert anywhere.output == "given"
    assert (anywhere.space.open / "made").read_text() == "made\n"
    assert (anywhere.space.open / "tmp/t").read_text() == "t\n"
    assert anywhere.space.real(anywhere.space.open / "made") == anywhere.space.open / "made"


def test_temporary_folders_can_be_read_and_what_is_written_there_is_gone_afterwards(ground: Ground) -> None:
    with tempfile.NamedTemporaryFile("w", dir="/tmp") as given:
        given.write("given")
        given.flush()
        before = set(os.listdir("/tmp")), set(os.listdir("/var/tmp"))
        name = f"cage-{os.getpid()}"
        ended = ground.run(
            "sh", "-c", f"cat {given.name}; echo x > /tmp/{name} && echo x > /var/tmp/{name} && echo y > {given.name}"
        )
        assert (ended.returncode, ground.output) == (0, "given")
        assert not Path("/tmp", name).exists()
        assert not Path("/var/tmp", name).exists()
        assert Path(given.name).read_text() == "given"
        assert before[0] & {name} == before[1] & {name} == set()


def test_shared_memory_and_semaphores_work(ground: Ground) -> None:
    script = (
        "import multiprocessing as m; p = m.get_context('spawn').Pool(2); print(p.map(abs, [-1])); p.close(); p.join()"
    )
    assert ground.run(sys.executable, "-c", script).returncode == 0, ground.output
    assert ground.output == "[1]\n"


def test_the_exit_code_is_the_commands_own(ground: Ground) -> None:
    codes = [ground.run("sh", "-c", text).returncode for text in ("exit 3", "exit 125", "kill -9 $$", "true")]
    assert codes == [3, 125, 137, 0]
    assert ground.run("no-such-command", PATH="/usr/bin:/bin").returncode == 127
    assert "no-such-command: No such file" in ground.output
    assert ground.run(str(ground.project / "file")).returncode == 126


def test_the_user_is_who_he_is(ground: Ground) -> None:
    ground.run("id", "-u")
    assert ground.output == f"{os.geteuid()}\n"


def test_no_descriptor_is_inherited(ground: Ground) -> None:
    ground.run(sys.executable, "-S", "-c", "import os; print(sorted(set(os.listdir('/proc/self/fd')) - {'3'}))")
    assert ground.output == "['0', '1', '2']\n"


def test_it_works_from_a_process_with_threads(ground: Ground) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(4)]
    codes: list[int] = []
    threads.append(threading.Thread(target=lambda: codes.append(ground.run("true").returncode)))
    for one in threads:
        one.start()
    threads[-1].join()
    stop.set()
    assert codes == [0]


def test_a_folder_that_is_not_there_is_a_clear_error(ground: Ground) -> None:
    with pytest.raises(LineagekitError, match=r"cannot be started: enter .*/nowhere: No such file"):
        cage.run(
            ["true"], ground.space, cwd=str(ground.project / "nowhere"), environ={}, timeout=9,
            output=ground.folder / "output", is_unsafe=False,
        )  # fmt: skip


def test_where_user_namespaces_are_switched_off_it_says_so(ground: Ground) -> None:
    script = (
        'echo 0 > /proc/sys/user/max_user_namespaces && exec "$PYTHON" -c '
        "'from lineagekit.cause import cage; print(cage.why_not())'"
    )
    environ = {**ground.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith(
        "a command cannot be held in a cage here: unshare: No space left on device. Allow user"
    )


WITHOUT_LANDLOCK = """
import ctypes, struct, sys
from pathlib import Path
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
head = ctypes.create_string_buffer(struct.pack("HL", len(code), ctypes.addressof(program)))
assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0 and ctypes.CDLL(None).prctl(22, 2, head) == 0
from lineagekit.cause import cage
from lineagekit.cause.workspace import Workspace
print(cage.why_not())
folder = Path(sys.argv[1])
space = Workspace(folder / "workspace", [])
words = ["sh", "-c", "echo ran; echo x > $0", str(folder / "file")]
cage.run(words, space, cwd="/", environ={}, timeout=60, output=folder / "output", is_unsafe=True)
print((folder / "output").read_text().split()[0], (folder / "file").exists())
space.remove_all()
"""


def test_without_landlock_a_cage_is_built_for_those_alone_who_insist(ground: Ground) -> None:
    """A filter lets this kernel look as if it had none."""
    environ = {**ground.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", WITHOUT_LANDLOCK, str(ground.folder)]
    told = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert told.stdout.startswith("a command cannot be held in a cage here: Landlock: not there. Boot with"), (
        told.stderr
    )
    assert told.stdout.endswith("\nran False\n")


# What a command cannot do


@each_attack
def test_outside_a_cage_this_changes_something(ground: Ground, attack: list[str]) -> None:
    if attack == ATTACKS["/proc/1/root"] and os.geteuid():
        pytest.skip("only root may")
    before = ground.pictures()
    uncaged(ground, attack)
    assert ground.pictures() != before


@each_attack
def test_in_a_cage_it_changes_nothing(anywhere: Ground, attack: list[str]) -> None:
    before = anywhere.pictures()
    anywhere.run(*attack)
    assert anywhere.pictures() == before


_NAMES = [
    "absolute path",
    "rename",
    "rename out of the root",
    "native unlink",
    "open with O_TRUNC",
    "nested namespaces that remount",
]


@pytest.mark.parametrize("walls", [["readonly"], ["landlock"]])
@pytest.mark.parametrize("attack", _NAMES)
def test_each_wall_alone_holds(ground: Ground, walls: list[str], attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ground.pictures()
    monkeypatch.setattr(cage, "WALLS", walls)
    ground.run(*ATTACKS[attack])
    assert ground.pictures() == before
    monkeypatch.setattr(cage, "WALLS", [])
    ground.run(*ATTACKS[attack])
    assert ground.pictures() != before


@pytest.mark.parametrize(
    "attack",
    [
        'rm -rf "$ROOT"/file "$ROOT"/sub',
        'chmod 000 "$ROOT/sub" "$ROOT/file"',
        'find "$ROOT" -type f -exec sh -c \'echo x > "$1"\' sh {} ";"',
        'mv "$ROOT/sub" "$ROOT/other"; mv "$ROOT/file" "$ROOT/sub"',
        'touch -d 2001-01-01 "$ROOT" "$ROOT/file"; ln "$ROOT/file" "$ROOT/link"; echo x > "$ROOT/link"',
        'rm -rf "$ROOT/.lineagekit"; mv "$ROOT" "$ROOT-gone"',
        'truncate -s 1 "/proc/self/root$ROOT/file"; truncate -s 1 "$ROOT/.lineagekit/../sub/part"',
    ],
)
def test_what_is_the_users_beneath_a_root_stays_as_it_was(anywhere: Ground, attack: str) -> None:
    before = anywhere.pictures()
    anywhere.run("sh", "-c", attack)
    assert anywhere.pictures() == before
    anywhere.space.remove_all()
    assert not anywhere.space.folder.exists()
    assert anywhere.pictures() == before


def test_a_descriptor_that_is_open_in_the_parent_does_not_reach_the_command(ground: Ground) -> None:
    with (ground.outside / "file").open("r+") as file:
        os.set_inheritable(file.fileno(), True)
        attack = [sys.executable, "-S", "-c", f"import os; os.write({file.fileno()}, b'x')"]
        before = ground.pictures()
        ground.run(*attack)
        assert ground.pictures() == before
        subprocess.run(attack, close_fds=False, check=True)
        assert ground.pictures() != before


MOUNTS = """
import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
if sys.argv[1:]: c.unshare(0x10020000)
root, out = os.environb[b"ROOT"], os.environb[b"OUT"]
done = [
    c.mount(b"tmpfs", root, b"tmpfs", 0, None),
    c.mount(b"/", root, None, 4096 | 16384, None),
    c.mount(None, b"/", None, 32 | 4096, None),
    c.umount2(root, 2),
    c.umount2(b"/tmp", 2),
    c.umount2(b"/proc", 2),
    c.pivot_root(root, root),
    c.chroot(out),
]
print([n for n, result in enumerate(done) if result == 0])
"""


def test_nothing_can_be_mounted_and_nothing_unmounted(ground: Ground) -> None:
    attack = [sys.executable, "-S", "-c", MOUNTS]
    ground.run(*attack)
    assert ground.output == "[]\n"
    ground.run(*attack, "nested")
    assert ground.output in ("[]\n", "[7]\n")  # where all namespaces are one's own, chroot harms nobody
    control = subprocess.run(["unshare", "-Urm", *attack], env={**ground.environ}, capture_output=True, text=True)
    assert control.stdout.startswith("[0, 1, 2, 3")


@pytest.mark.skipif(os.geteuid() != 0, reason="others may not write to disks anyway")
def test_disks_and_memory_cannot_be_written(ground: Ground) -> None:
    disks = [
        f"/dev/{name}" for name in os.listdir("/dev") if name.startswith(("vd", "sd", "nvme0n", "loop0", "mem", "kmsg"))
    ]
    attack = [sys.executable, "-S", "-c", "import os, sys; os.close(os.open(sys.argv[1], os.O_WRONLY))"]
    for disk in disks:
        assert ground.run(*attack, disk).returncode
    assert any(subprocess.run([*attack, disk], stderr=subprocess.DEVNULL).returncode == 0 for disk in disks)


def test_processes_outside_cannot_be_killed_or_seen(ground: Ground) -> None:
    with subprocess.Popen(["sleep", "600"]) as bystander:
        ground.run("sh", "-c", f"kill -9 {bystander.pid} $OUTER; ls /proc")
        assert str(bystander.pid) not in ground.output.split()
        assert bystander.poll() is None
        subprocess.run(["kill", "-9", str(bystander.pid)], check=True)
        assert bystander.wait() == -signal.SIGKILL


class Service:
    """Somebody who writes for whoever asks."""

    def __init__(self, address: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen()
        self.listener.settimeout(0)

    def was_asked(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


ASK = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1].replace('@', chr(0)))"


def test_services_of_the_machine_cannot_be_asked(anywhere: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(anywhere.outside / "s")
    service = Service(address)
    attack = [sys.executable, "-S", "-c", ASK, address]
    assert anywhere.run(*attack).returncode
    assert not service.was_asked()
    uncaged(anywhere, attack)
    assert service.was_asked()
    if not address.startswith("/tmp/"):
        monkeypatch.setattr(cage, "WALLS", ["readonly", "landlock"])
        anywhere.run(*attack)
        assert service.was_asked()
    service.listener.close()


@pytest.mark.skipif(landlock.abi() < 6, reason="this kernel's Landlock knows no sockets")
def test_services_without_a_file_cannot_be_asked(ground: Ground) -> None:
    name = f"cage-{os.getpid()}"
    service = Service(f"\0{name}")
    attack = [sys.executable, "-S", "-c", ASK, f"@{name}"]
    assert ground.run(*attack).returncode
    assert not service.was_asked()
    uncaged(ground, attack)
    assert service.was_asked()
    service.listener.close()


# Nothing that it has started is left


def test_daemons_do_not_outlive_the_command(ground: Ground) -> None:
    marker = f"daemon-{os.getpid()}"
    attack = [sys.executable, "-S", "-c", DAEMON, marker, "0"]
    assert ground.run(*attack).returncode == 0
    assert not running(marker)
    uncaged(ground, attack)
    left = running(marker)
    assert left
    for one in left:
        os.kill(one, signal.SIGKILL)


@pytest.mark.parametrize("start", [(), ("sh", "-c", "trap '' TERM HUP INT; \"$@\" & wait", "sh")])
def test_a_timeout_ends_all_of_them(ground: Ground, start: tuple[str, ...]) -> None:
    marker = f"timeout-{os.getpid()}"
    for seconds in (1, 5, 25, 125):
        ended = ground.run(*start, sys.executable, "-S", "-c", DAEMON, marker, "600", timeout=seconds)
        if "started" in ground.output:
            break
    assert (ended.timed_out, ground.output) == (True, "started\n")
    assert not running(marker)


def start_parent(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.cause.ground", str(folder), *command]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(words, cwd=_HERE.parents[2], env=environ, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_parent_ends_all_of_them(ground: Ground, number: signal.Signals) -> None:
    marker = f"orphan-{os.getpid()}-{number}"
    output = ground.folder / "other" / "output"
    with start_parent(output.parent, sys.executable, "-S", "-c", DAEMON, marker, "600") as parent:
        end = time.monotonic() + 60
        while not (output.exists() and "started" in output.read_text()) and time.monotonic() < end:
            time.sleep(0.01)
        assert running(marker)
        parent.send_signal(number)
    while running(marker) and time.monotonic() < end:
        time.sleep(0.01)
    assert not running(marker)


def test_a_parent_killed_while_the_cage_is_built_leaves_nothing(ground: Ground) -> None:
    for step in range(12):
        folder = ground.folder / str(step)
        plan = folder / "project/.lineagekit/bisect/s/workspace/plan.json"
        with start_parent(folder, "sleep", "600", f"0.{os.getpid()}{step}") as parent:
            end = time.monotonic() + 60
            while not plan.exists() and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(step * 0.01)
            parent.kill()
        while (running(f"0.{os.getpid()}{step}") or running(str(plan))) and time.monotonic() < end:
            time.sleep(0.01)
        assert not running(f"0.{os.getpid()}{step}")
        assert not running(str(plan))


# The point of it all


def test_a_recorded_run_settles_inside_and_its_store_opens_outside(anywhere: Ground) -> None:
    anywhere.space.place(anywhere.project / "file", b"id,label\n1,0\n")
    script = f"import lineagekit; rows = open({str(anywhere.project / 'file')!r}).read(); open('made', 'w').write(rows)"
    store = str(anywhere.space.open / "store")
    environ = {"LINEAGEKIT_STORE": store, "LINEAGEKIT_SETTLE": "exit", "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-m", "lineagekit"]
    ended = anywhere.run(*words, "run", "--", sys.executable, "-c", script, **environ)
    assert ended.returncode == 0, anywhere.output
    assert anywhere.output == ""
    told = subprocess.run([*words, "log"], env={**anywhere.environ, **environ}, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert (
        str(anywhere.project / "made")
        in subprocess.run(
            [*words, "trace", str(anywhere.project / "made"), "--json"],
            env={**anywhere.environ, **environ},
            capture_output=True,
            text=True,
        ).stdout
    )


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="runs as an ordinary user")
def test_all_of_this_holds_for_an_ordinary_user_too() -> None:
    python = next((one for one in (sys.executable, "/usr/bin/python3") if _can_run(one)), None)
    if python is None:
        pytest.skip("no such interpreter that nobody can run")
    grounds = [Path(tempfile.mkdtemp(prefix=".cage-", dir=place)) for place in (_on_a_disk(), "/tmp")]
    for one in grounds:
        os.chown(one, _NOBODY, _NOBODY)
    environ = {"CAGE_GROUND": str(grounds[0]), "HOME": str(grounds[0]), "PATH": os.environ["PATH"]}
    environ |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    files = [str(_HERE.with_name(name)) for name in (_HERE.name, "test_workspace.py", "test_copied.py")]
    words = ["-m", "pytest", "-qx", "-n0", "-p", "no:cacheprovider", "--basetemp", str(grounds[1] / "base"), *files]
    told = subprocess.run(
        [*_AS_NOBODY, python, *words], env=environ, cwd=_HERE.parents[2], capture_output=True, text=True
    )
    for one in grounds:
        debris.remove(one)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-1000:]
    assert int(re.findall(r"(\d+) passed", told.stdout)[0]) > len(ATTACKS), told.stdout


_AS_NOBODY = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


def _can_run(python: str) -> bool:
    script = "import subprocess as s, sys; s.run([sys.executable, '-c', 'import sys; print(sys.version_info[:2])'])"
    command = [*_AS_NOBODY, python, "-c", script]
    try:
        told = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return False
    return told.stdout.strip() == str(sys.version_info[:2])
