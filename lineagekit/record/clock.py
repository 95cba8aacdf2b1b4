# SPDX-License-Identifier: Apache-2.0
r"""The clock: where a module asks what day it is, found in its source. Such a run is another one tomorrow.

>>> list(clock_reads(b"from datetime import date as d\nfirst = d.today().replace(day=1)"))
[(2, 'date.today')]

Readings of the calendar alone: a clock that is read for a duration, or to be shown, is no cause of anything.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

_CALENDARS = frozenset(
    (
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
        *("pandas.Timestamp.now", "pandas.Timestamp.utcnow", "pandas.Timestamp.today", "django.utils.timezone.now"),
        *("arrow.now", "arrow.utcnow", "pendulum.now", "pendulum.today"),
    )
)
_WITHOUT_TIME = {"time.localtime": 0, "time.gmtime": 0, "time.ctime": 0, "time.asctime": 0, "time.strftime": 1}
"""What reads the clock unless it is given a time, as one argument more than these."""

_SPELLED = {"numpy.datetime64": ("now", "today"), "pandas.Timestamp": ("now", "today"), "pandas.to_datetime": ("now",)}
_SHOWN = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log", "print"})


def clock_reads(source: bytes) -> Iterator[tuple[int, str]]:
    """Line and name of each reading, in the order of the text; nothing where the source does not parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    names = _imported(tree)
    found = {(call.lineno, name) for call in _calls(tree) if (name := _reading(call, names))}
    yield from sorted(found)


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each name that was imported stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({one.asname: one.name for one in node.names if one.asname})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """All calls but those whose value is only shown."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            if _spell(node.func).rpartition(".")[2] in _SHOWN:
                continue
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def _reading(call: ast.Call, names: dict[str, str]) -> str:
    """The short name of what reads the clock; '' for any other call."""
    first, dot, rest = _spell(call.func).partition(".")
    name = names.get(first, first) + dot + rest
    if name in _CALENDARS or len(call.args) <= _WITHOUT_TIME.get(name, -1):
        return ".".join(name.split(".")[-2:])
    word = call.args[0] if call.args else None
    if isinstance(word, ast.Constant) and word.value in _SPELLED.get(name, ()):
        return f"{name.rpartition('.')[2]}({word.value!r})"
    return ""


def _spell(node: ast.AST) -> str:
    """`a.b.c` as text; '' for what is no chain of names."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else f"?.{parts[0]}" if parts else ""
