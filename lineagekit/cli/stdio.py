# SPDX-License-Identifier: Apache-2.0
r"""The three standard streams, whatever state the program is started in: closed, dead, or of a narrow encoding.

>>> "caf\udce9 · ".encode("ascii", RAW)
b'caf\xe9 \xc2\xb7 '
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

RAW = "lineagekit.raw"
"""How stdout writes what its encoding lacks: a foreign byte of a file name as that byte, all else as UTF-8."""


def prepare() -> None:
    """Make every stream one that can be used, or that says in the system's words why it cannot."""
    _open_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=RAW)


def discard(stream: TextIO) -> None:
    """Let what is still to come vanish: Python flushes a stream once more at its end, and would fail once more."""
    _point_nowhere(stream.fileno(), os.O_WRONLY)


def _open_closed() -> None:
    """Where a stream is closed, open one that refuses: else the next file opened gets its number, and its output."""
    wrong_way = {"stdin": os.O_WRONLY, "stdout": os.O_RDONLY, "stderr": os.O_RDONLY}
    for number, (name, flags) in enumerate(wrong_way.items()):
        if getattr(sys, name) is None:
            _point_nowhere(number, flags)
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))


def _point_nowhere(number: int, flags: int) -> None:
    nowhere = os.open(os.devnull, flags)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


def _raw(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end].encode("utf-8", "surrogateescape"), error.end


codecs.register_error(RAW, _raw)
