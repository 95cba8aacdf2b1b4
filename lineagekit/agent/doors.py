# SPDX-License-Identifier: Apache-2.0
"""The doors: the few functions of Python itself through which files are opened, moved and removed.

    >>> open_doors()  # doctest: +SKIP
    >>> open("orders.csv").close()  # recorded as an input of the current run  # doctest: +SKIP

Each door asks first whose the access is (nobody's: the original is called, and that is all), and says what happened
only when the original has returned. Whatever the original raises goes to the caller untouched; whatever goes wrong on
our side stays here. An audit hook would see the same files, cost `copy.deepcopy` twice its time, and never go away.
"""

from __future__ import annotations

import builtins
import io
import os
from functools import partial
from weakref import ref

from lineagekit.agent.border import border, is_ours
from lineagekit.agent.copies import replace_copies
from lineagekit.agent.naming import absolute
from lineagekit.agent.scenery import is_scenery
from lineagekit.agent.scope import book as book_now

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_open, _os_open, _os_close = io.open, os.open, os.close
_FileIO = io.FileIO
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_descriptors: dict[int, tuple[Any, str, tuple[int, int]]] = {}
"""Files that `os.open` opened for writing and that nobody has closed yet, with inode and device."""


class Door:
    """A function in the place of one that is built in: like that, it stays itself as an attribute of a class."""

    def __init__(self, original: Any, module: str) -> None:
        """Look like the original, to `help`, `inspect.signature` and `pickle`."""
        self.__wrapped__ = original
        self.__name__ = self.__qualname__ = original.__name__
        self.__module__, self.__doc__ = module, original.__doc__

    def __reduce__(self) -> str:
        """Pickled by name, so that it arrives as whatever stands in that place there."""
        return str(self.__name__)

    def __repr__(self) -> str:
        """As the original."""
        return repr(self.__wrapped__)


def _door(original: Any, function: Any, module: str) -> Any:
    """A door of a class of its own, whose call is the function itself: a method in between would cost each open."""
    return type("Door", (Door,), {"__call__": staticmethod(function)})(original, module)


def open_doors() -> None:
    """Stand in every door; twice is once."""
    if _are_open():
        return
    builtins.open = io.open = _door(_open, open_file, "io")
    doors = {"open": open_descriptor, "close": close_descriptor}
    doors.update((name, make(getattr(os, name))) for name, make in _MAKERS.items() if hasattr(os, name))
    pairs: list[tuple[Any, Any]] = [(_open, builtins.open)]
    for name, function in doors.items():
        original = getattr(os, name)
        door = _door(original, function, "os")
        setattr(os, name, door)
        pairs.append((original, door))
        for capable in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in capable:  # shutil asks, and removes trees less safely where the answer is no
                capable.add(door)
    replace_copies(pairs)


def _are_open() -> bool:
    stands: Any = builtins.open
    return isinstance(stands, Door)


def close_doors() -> None:
    """Put every original back."""
    if _are_open():
        pairs: list[tuple[Any, Any]] = [(builtins.open, _open)]
        builtins.open = io.open = _open
        for name in ("open", "close", *_MAKERS):
            door = getattr(os, name, None)
            if isinstance(door, Door):
                setattr(os, name, door.__wrapped__)
                pairs.append((door, door.__wrapped__))
        replace_copies(pairs)


def open_file(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
    """The `open` of builtins and io."""
    if (type(file) is str and file[:1] == "/" and is_scenery(file)) or is_ours():
        return _open(file, mode, *args, **more)
    if type(file) is int:
        opened = _open(file, mode, *args, **more)
        return _watch_descriptor(file, opened) if more.get("closefd", True) else opened
    book = None
    with border("open"):
        path = _interesting(file)
        book = book_now() if path else None
        if book is not None:
            way, was = _way_of(mode), None
            if way != "r":
                was = _before_writing(book, path, way)
            elif book.knows(path):
                book = None
    opened = _open(file, mode, *args, **more)
    if book is not None:
        with border("open"):
            found = os.fstat(opened.fileno())
            if "opener" in more and not _is_named(path, found):  # `tempfile` names the folder
                _watch_descriptor(opened.fileno(), opened)
            elif way == "r":
                book.read(path, found, "open", descriptor=opened.fileno())
            else:
                book.writing(path, was, way, "open")
                _watch_close(book, path, opened)
    return opened


def open_descriptor(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    """The `open` of os."""
    if is_ours():
        return _os_open(path, flags, mode, dir_fd=dir_fd)
    book = None
    with border("os.open"):
        name = "" if flags & _DIRECTORY else _interesting(path, dir_fd)
        book = book_now() if name else None
        way = _way_of_flags(flags)
        was = _before_writing(book, name, way) if book is not None and way != "r" else None
    descriptor = _os_open(path, flags, mode, dir_fd=dir_fd)
    if book is not None:
        with border("os.open"):
            if way == "r":
                book.read(name, os.fstat(descriptor), "os.open", descriptor=descriptor)
            else:
                book.writing(name, was, way, "os.open")
                found = os.fstat(descriptor)
                _descriptors[descriptor] = (book, name, (found.st_ino, found.st_dev))
    return descriptor


def close_descriptor(fd: int) -> None:
    """The `close` of os: the last moment to see what was written."""
    if fd in _descriptors and not is_ours():
        with border("os.close"):
            book, path, which = _descriptors.pop(fd)
            found = os.fstat(fd)
            if (found.st_ino, found.st_dev) == which:  # the number may have been closed behind us, and used again
                book.written(path, found, "os.open")
    _os_close(fd)


def _watch_descriptor(descriptor: int, opened: Any) -> Any:
    """`open(3, "w")` of what `os.open` opened: it is closed by the file object."""
    if descriptor in _descriptors:
        with border("open"):
            book, path, which = _descriptors.pop(descriptor)
            found = os.fstat(descriptor)
            if (found.st_ino, found.st_dev) == which:
                _watch_close(book, path, opened)
    return opened


def _watch_close(book: Any, path: str, opened: Any) -> None:
    """See the file once more when it is closed: by `close`, by `with`, or when it is thrown away.

    The innermost object of `open` is asked last, after all buffers are flushed. It refers to us, and we to it only
    weakly: a file that is simply dropped is still closed at once.
    """
    raw = getattr(opened, "buffer", opened)
    raw = getattr(raw, "raw", raw)
    if isinstance(raw, _FileIO):
        raw.close = partial(_close, ref(raw), raw.fileno(), book, path)  # type: ignore[method-assign]
    else:
        book.doubt(path)


def _close(raw_ref: Any, descriptor: int, book: Any, path: str) -> None:
    raw = raw_ref()
    if raw is None:  # part of a cycle that is collected: its weak references went first
        _os_close(descriptor)
    elif raw.closed:
        _FileIO.close(raw)
    else:
        found = None
        with border("close"):
            found = os.fstat(descriptor)
        try:
            _FileIO.close(raw)
        finally:
            with border("close"):
                book.written(path, found, "open")


def _before_writing(book: Any, path: str, way: str) -> os.stat_result | None:
    """What stands there now, after its bytes were put aside where they are an input."""
    try:
        was = os.stat(path)
    except (OSError, ValueError):
        return None
    book.before_writing(path, was, way)
    return was


def _is_named(path: str, found: os.stat_result) -> bool:
    """Whether an open file is what lies at this path."""
    try:
        return os.path.samestat(os.stat(path), found)
    except OSError:
        return False


def _interesting(file: Any, dir_fd: int | None = None) -> str:
    """The absolute path of what may be data; '' for all else."""
    if isinstance(file, int):
        return ""
    try:
        path = os.fsdecode(file)
    except TypeError:  # the job's mistake: it will be told so by the original
        return ""
    if dir_fd is not None and not os.path.isabs(path):
        path = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path)
    path = absolute(path if path[:1] != "~" else f"./{path}")  # to Python's own functions that is a name like any
    return "" if is_scenery(path) else path


def _way_of(mode: str) -> str:
    if "a" in mode:
        return "a"
    if "w" in mode:
        return "w"
    if "x" in mode:
        return "x"
    return "r+" if "+" in mode else "r"


def _way_of_flags(flags: int) -> str:
    if not flags & (os.O_WRONLY | os.O_RDWR):
        return "r"
    if flags & os.O_APPEND:
        return "a"
    if flags & os.O_EXCL and flags & os.O_CREAT:
        return "x"
    return "w" if flags & os.O_TRUNC else "r+"


def _rename(original: Callable[..., None], *, link: bool = False) -> Callable[..., None]:
    """A door that gives a file another name."""

    def rename(src: Any, dst: Any, *args: Any, **more: Any) -> None:
        if is_ours():
            return original(src, dst, *args, **more)
        book = was = None
        with border(original.__name__):
            book, new = book_now(), _interesting(dst, more.get("dst_dir_fd", more.get("dir_fd")))
            if book is not None:
                old = _old_name(original, src, new, more.get("src_dir_fd"))
                was = book.was(old)
                if new and not link:
                    book.replacing(new)
                elif not new and (link or not book.knows(old)):
                    book = None
        original(src, dst, *args, **more)
        if book is not None:
            with border(original.__name__):
                if new:
                    book.moved(old, new, link=link, was=was)
                else:  # to where no data is
                    book.removed(old)

    return rename


def _old_name(original: Any, src: Any, new: str, src_dir_fd: int | None) -> str:
    """The absolute path of what is renamed or linked; a symbolic link is relative to where it lies."""
    old = os.fsdecode(src)
    if src_dir_fd is not None and not os.path.isabs(old):
        old = os.path.join(os.readlink(f"/proc/self/fd/{src_dir_fd}"), old)
    elif original.__name__ == "symlink":
        old = os.path.join(os.path.dirname(new), old)
    return absolute(old)


def _remove(original: Callable[..., None]) -> Callable[..., None]:
    """A door that removes a file."""

    def remove(path: Any, *args: Any, **more: Any) -> None:
        if is_ours():
            return original(path, *args, **more)
        book = None
        with border("remove"):
            name = _interesting(path, more.get("dir_fd"))
            book = book_now() if name else None
            if book is not None:
                book.replacing(name)
        original(path, *args, **more)
        if book is not None:
            with border("remove"):
                book.removed(name)

    return remove


def _touch(original: Callable[..., None]) -> Callable[..., None]:
    """A door that moves a file's stat, and not its bytes."""

    def touch(path: Any, *args: Any, **more: Any) -> None:
        if is_ours():
            return original(path, *args, **more)
        book = was = None
        with border("touch"):
            name = _interesting(path, more.get("dir_fd"))
            book = book_now() if name else None
            if book is not None:
                was = book.was(name)
        original(path, *args, **more)
        if book is not None:
            with border("touch"):
                book.changed(name, was)

    return touch


def _truncate(original: Callable[..., None]) -> Callable[..., None]:
    """A door that cuts a file off."""

    def truncate(path: Any, length: int) -> None:
        if is_ours():
            return original(path, length)
        book = was = None
        with border("truncate"):
            name = _interesting(path)
            book = book_now() if name else None
            if book is not None:
                was = _before_writing(book, name, "r+")
        original(path, length)
        if book is not None:
            with border("truncate"):
                book.writing(name, was, "r+", "os.truncate")
                book.written(name, os.stat(name), "os.truncate")

    return truncate


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "rename": _rename,
    "replace": _rename,
    "link": partial(_rename, link=True),
    "symlink": partial(_rename, link=True),
    "remove": _remove,
    "unlink": _remove,
    "chmod": _touch,
    "chown": _touch,
    "setxattr": _touch,
    "utime": _touch,
    "truncate": _truncate,
}
