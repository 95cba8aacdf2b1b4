# SPDX-License-Identifier: Apache-2.0
"""Environment variables that the job's own modules read: which, and whether they were the same, never what they say.

    >>> os.environ["REGION"]  # in a project module: said as a digest that only this store can make  # doctest: +SKIP
    'eu'

The digest is keyed by a secret of the store, so that a short password cannot be guessed from it.
"""

from __future__ import annotations

import os
import sys
import threading

from lineagekit.agent.border import border, is_ours
from lineagekit.agent.process import Process
from lineagekit.agent.scope import whose

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_PLUMBING = (os.__file__, "<frozen os>", "<frozen _collections_abc>")
_ORDINARY = ("LINEAGEKIT_", "PYTHON", "LC_", "OPENLINEAGE")


class _Copying(threading.local):
    """The names of the environment that are still to come, where a thread goes through all of it."""

    def __init__(self) -> None:
        self.names: list[str] = []


_copying = _Copying()


def watch_variables(process: Process) -> None:
    """Stand beside `os.environ[...]`, through which `get` and `os.getenv` come as well."""
    kind: Any = type(os.environ)
    original = kind.__getitem__
    if hasattr(original, "__wrapped__"):
        return

    def getitem(self: Any, key: Any) -> Any:
        if not is_ours():
            with border("environ"):
                _note(process, self, key)
        return original(self, key)

    getitem.__wrapped__ = original  # type: ignore[attr-defined]
    kind.__getitem__ = getitem
    _watch_copies(kind)


def _watch_copies(kind: Any) -> None:
    """`os.environ.copy()`, `{**os.environ}`, `items()`: whoever takes all of it has asked for no variable."""
    original = kind.__iter__

    def iterate(self: Any) -> Any:
        if not is_ours():
            with border("environ"):
                _copying.names = list(original(self))[::-1]
        return original(self)

    iterate.__wrapped__ = original  # type: ignore[attr-defined]
    kind.__iter__ = iterate


def _note(process: Process, environ: Any, key: Any) -> None:
    names = _copying.names
    if names and names[-1] == key:
        names.pop()
        return
    run = whose()
    if run is None or not isinstance(key, str) or key in run.ledger.asked or key.startswith(_ORDINARY):
        return
    if not _asked_by_project():
        return
    run.ledger.asked.add(key)
    value = environ._data.get(environ.encodekey(key))
    digest = "unset" if value is None else _keyed(process, value)
    run.say({"fact": "environment", "variables": {key: digest}})


def _asked_by_project() -> bool:
    frame = sys._getframe(3)
    while frame is not None and frame.f_code.co_filename.endswith(("os.py", "_collections_abc.py", ">")):
        if frame.f_code.co_filename not in _PLUMBING and not frame.f_code.co_filename.startswith("<frozen"):
            break
        frame = frame.f_back  # type: ignore[assignment]
    from lineagekit.agent.imported import is_project_file

    return frame is not None and is_project_file(frame.f_code.co_filename)


def _keyed(process: Process, value: bytes) -> str:
    import hashlib

    return "blake2b:" + hashlib.blake2b(value, key=_key(process), digest_size=16).hexdigest()


def _key(process: Process) -> bytes:
    """The secret of the store. It appears as a whole: half of it, or nothing, would be no secret."""
    path = os.path.join(process.config.store_folder, "key")
    try:
        with open(path, "rb") as file:
            key = file.read(32)
    except FileNotFoundError:
        key = b""
    return key if len(key) == 32 else _make_key(process, path)


def _make_key(process: Process, path: str) -> bytes:
    process.prepare_store()
    own = f"{path}.{os.getpid()}-{threading.get_ident()}"
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(os.urandom(32))
    try:
        os.link(own, path)
    except FileExistsError:  # somebody was quicker; or was killed over it, which left less than a key
        if os.path.getsize(path) != 32:
            os.replace(own, path)
            own = ""
    finally:
        if own:
            os.unlink(own)
    with open(path, "rb") as file:
        return file.read(32)
