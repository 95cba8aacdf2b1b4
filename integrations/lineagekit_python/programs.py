# SPDX-License-Identifier: Apache-2.0
"""Programs that the job starts and that record nothing: named, so that it is known that they took part.

    >>> say_program(["convert", "a.png", "b.jpg"], in_shell=False)  # said: unwatched child convert  # doctest: +SKIP

A Python program records itself, as a run of its own. What libraries ask the system (`uname`, `ldconfig`) is no part
of the job.
"""

from __future__ import annotations

import os
import sys

from lineagekit.agent.redact import redact
from lineagekit_python.around import is_told
from lineagekit_python.callers import is_asked_by_project, is_project_next
from lineagekit_python.sockets import say_peer

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_PROBES = frozenset(
    {
        *("cc", "clang", "gcc", "ld", "ldconfig", "ldd", "objdump", "which"),
        *("hostname", "locale", "lsb_release", "lscpu", "nproc", "nvidia-smi", "stty", "sysctl", "tput", "uname"),
        *("file", "git"),
    }
)
"""Programs by which libraries look at the machine."""


def say_program(command: Any, *, in_shell: bool) -> None:
    """Name the program of a command, a list of words or a line for a shell, if it is one to be named."""
    program = _first_word(command) if in_shell else _program(command)
    name = os.path.basename(program)
    if not name or is_told() or not is_asked_by_project() or _is_python(program, name):
        return
    if name not in _PROBES or is_project_next():
        say_peer("child", redact(program)[:200])


def _program(command: Any) -> str:
    """The program, whatever the arguments are: they may hold secrets, and are not looked at."""
    first = command if isinstance(command, (str, bytes, os.PathLike)) else next(iter(command), "")
    return os.fsdecode(first)


def _first_word(command: Any) -> str:
    """The first program of a shell's command line, after variables that are set for it."""
    words = _program(command).replace("(", " ").replace(";", " ").split()
    return next((word for word in words if "=" not in word), "sh").strip("\"'")


def _is_python(program: str, name: str) -> bool:
    """Whether it is a Python program, which records itself: an interpreter, or a script of this environment's."""
    if name.rstrip("0123456789.") == "python" or os.path.realpath(program) == os.path.realpath(sys.executable):
        return True
    script = program if os.sep in program else os.path.join(os.path.dirname(sys.executable), name)
    if os.path.dirname(script) != os.path.dirname(sys.executable):
        return False
    try:
        with open(script, "rb") as file:
            start = file.read(200)
    except OSError:
        return False
    return start[:2] == b"#!" and b"python" in start
