# SPDX-License-Identifier: Apache-2.0
"""The ways in which a job starts other programs; what is told of them: `lineagekit_python.programs`.

    >>> subprocess.run(["convert", "a.png", "b.jpg"])  # said: unwatched child convert  # doctest: +SKIP

`os` is there before everything else, so this is loaded when recording begins: it loads the rest when it is needed.
"""

from __future__ import annotations

from lineagekit.agent.hooks import argument, patch

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


def subprocess(module: Any) -> None:
    """`Popen`, which all of subprocess and asyncio comes through."""
    patch(module, "Popen.__init__", after=_opened)


def system(module: Any) -> None:
    """`os.system` and `os.posix_spawn`."""
    patch(module, "system", before=_commanded)
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(module, name):
            patch(module, name, before=_spawned)


def _opened(token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from lineagekit_python.programs import say_program

    say_program(argument(args, kwargs, 1, "args"), in_shell=bool(argument(args, kwargs, 9, "shell", False)))


def _commanded(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from lineagekit_python.programs import say_program

    say_program(argument(args, kwargs, 0, "command"), in_shell=True)


def _spawned(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from lineagekit_python.programs import say_program

    say_program(argument(args, kwargs, 0, "path"), in_shell=False)
