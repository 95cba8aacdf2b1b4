# SPDX-License-Identifier: Apache-2.0
"""What a command in a cage sees: overlays over the roots and temporary folders, and everything else read-only.

Runs in a mount namespace of its own. Folders are opened before anything covers them, and named as /proc/self/fd/N:
so paths may hold every byte that the kernel allows, and it does not matter what is mounted over what.

>>> mounts.build(plan)  # doctest: +SKIP
[b'/home/ann/churn', b'/home/ann/.cache/lineagekit/probe/open']
"""

from __future__ import annotations

import ctypes
import os
import re
from itertools import chain

from lineagekit.cause.kernel import call, syscall

_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
_SET_ATTRIBUTES, _WHOLE_TREE, _HERE = 442, 0x8000, -100
_LISTENS = b"00010000"
_SERVICES = (
    *(b"/run/docker.sock", b"/run/containerd/containerd.sock", b"/run/podman/podman.sock", b"/run/crio/crio.sock"),
    *(b"/run/systemd/private", b"/run/dbus/system_bus_socket"),
)
"""Services that write for whoever asks; of those in other network namespaces the table of sockets does not tell."""
TEMPORARY = (b"/tmp", b"/var/tmp")
_OPAQUE = "user.overlay.opaque"
"""What marks a folder of an upper layer where nothing is seen of what lies below it."""
_ESCAPED = re.compile(rb"\\([0-7]{3})")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users"))


def build(roots: Sequence[Sequence[bytes]], open_folder: bytes, *, walls: Sequence[str]) -> list[bytes]:
    """Mount it all; returns the folders that can be written. Each root comes as (folder, upper, work), outer first.

    Without a work folder there is no overlay: `upper` is seen, and in it, to be read alone, what was there, unless
    `upper` is opaque.

    Walls that can be left out: "readonly" (of what is no root) and "sockets" (of services on this machine).
    """
    mount(None, b"/", flags=_RECURSIVE | _PRIVATE)
    layers = [[os.open(path, os.O_PATH) for path in root if path] for root in roots]
    shared = os.open(open_folder, os.O_PATH)
    writable = list(_private_devices())
    for root, (lower, upper, *work) in zip(roots, layers, strict=True):
        os.makedirs(root[0], exist_ok=True)  # of one in /dev/shm nothing is left
        writable.append(root[0])
        if not root[2]:
            _cover(root[0], lower, upper)
            continue
        options = b"lowerdir=%s,upperdir=%s,workdir=%s,userxattr" % (_named(lower), _named(upper), _named(*work))
        mount(b"overlay", root[0], kind=b"overlay", flags=_NO_SETUID | _NO_DEVICES, options=options)
    os.makedirs(open_folder, exist_ok=True)
    mount(_named(shared), open_folder, flags=_BIND)
    writable.append(open_folder)
    if "sockets" in walls:
        _cover_services()
    if "readonly" in walls:
        _set_attributes(b"/", set_=_READ_ONLY, flags=_WHOLE_TREE)
        for path in writable:
            _set_attributes(path, clear=_READ_ONLY)
    for one in (*chain.from_iterable(layers), shared):
        os.close(one)
    return writable


def table() -> list[tuple[bytes, bytes]]:
    """What is mounted where: folders and kinds of file systems, the last one on a folder last."""
    with open("/proc/self/mountinfo", "rb") as file:
        lines = [line.split() for line in file]
    return [(_ESCAPED.sub(_character, line[4]), line[line.index(b"-") + 1]) for line in lines]


def kind_of(path: bytes) -> bytes:
    """The kind of file system on which a path lies."""
    above = [(len(place), kind) for place, kind in table() if os.path.commonpath((place, path)) == place]
    longest = max(length for length, _ in above)
    return [kind for length, kind in above if length == longest][-1]


def _character(escaped: re.Match[bytes]) -> bytes:
    return bytes([int(escaped[1], 8)])


def mount(source: bytes | None, target: bytes, *, kind: bytes = b"", flags: int, options: bytes = b"") -> None:
    """Mount it, or raise an OSError that names the target."""
    doing = f"mount {kind.decode() or 'a folder'} on {os.fsdecode(target)}"
    call("mount", source, target, kind or None, flags, options or None, doing=doing)


def _named(folder: int) -> bytes:
    return b"/proc/self/fd/%d" % folder


def _private_devices() -> Iterator[bytes]:
    """Shared memory and terminals of its own; without them those of the machine can only be read."""
    kinds = ((b"/dev/shm", b"tmpfs", b"mode=1777"), (b"/dev/pts", b"devpts", b"newinstance,ptmxmode=0666,mode=0600"))
    for path, kind, options in kinds:
        if os.path.isdir(path):
            mount(kind, path, kind=kind, flags=_NO_SETUID | _NO_PROGRAMS, options=options)
            yield path


def show_own_processes() -> None:
    """Show only the cage's own processes; in containers that mask parts of /proc the kernel does not allow it."""
    try:
        mount(b"proc", b"/proc", kind=b"proc", flags=_READ_ONLY | _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    except PermissionError:  # Landlock alone keeps the command from the processes that it then sees
        return


def _cover(folder: bytes, lower: int, upper: int) -> None:
    """Cover a folder that has mounts in it with a private one in which these are seen too."""
    names = [] if _is_opaque(_named(upper)) else os.listdir(_named(lower))
    for name in names:
        source, place = (b"%s/%s" % (_named(layer), name) for layer in (lower, upper))
        if os.path.islink(source) and not os.path.lexists(place):
            os.symlink(os.readlink(source), place)
        elif os.path.isdir(source):
            os.makedirs(place, exist_ok=True)
        elif not os.path.lexists(place):
            os.close(os.open(place, os.O_CREAT))
    mount(_named(upper), folder, flags=_BIND)
    for name in names:
        try:
            mount(b"%s/%s" % (_named(lower), name), b"%s/%s" % (folder, name), flags=_BIND | _RECURSIVE)
        except OSError:  # it has gone meanwhile, or this user may not see it
            continue


def _is_opaque(folder: bytes) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:
        return False


def _cover_services() -> None:
    """A socket can be connected to on a read-only mount, and whoever listens may write anywhere."""
    for path in sorted({os.path.realpath(path) for path in services()}):
        if os.path.exists(path):
            try:
                mount(b"/dev/null", path, flags=_BIND)
            except OSError:  # a place where this user cannot reach it either
                continue


def services() -> Iterator[bytes]:
    """Sockets by which somebody may be asked to write."""
    yield from (*listening(), *_SERVICES)


def listening(start: bytes = b"/") -> Iterator[bytes]:
    """Local sockets at which somebody listens: paths, or names without a file, which start with @."""
    with open("/proc/net/unix", "rb") as table:
        for line in table:
            fields = line.split(None, 7)
            if len(fields) == 8 and fields[3] == _LISTENS and fields[7].startswith(start):
                yield fields[7].rstrip(b"\n")


def _set_attributes(path: bytes, *, set_: int = 0, clear: int = 0, flags: int = 0) -> None:
    wanted = _Attributes(set_, clear, 0, 0)
    doing = f"make {os.fsdecode(path)} {'read-only' if set_ else 'writable'}"
    syscall(_SET_ATTRIBUTES, _HERE, path, flags, ctypes.byref(wanted), ctypes.sizeof(wanted), doing=doing)
