# SPDX-License-Identifier: Apache-2.0
"""Hooks: functions of libraries that we stand beside, put there when the library is imported.

A table names modules and, for each, a function that patches it once it is loaded:

    >>> TABLE = {"pandas.io.parquet": patch_parquet}  # doctest: +SKIP
    >>> def patch_parquet(module):  # doctest: +SKIP
    ...     patch(module, "PyArrowImpl.read", before=lambda call: reads(call["path"], door="pandas.read_parquet"))

Only the innermost function that is looked up when it is called is patched, so that `from pandas import read_parquet`
made earlier is seen as well. What an installed version no longer has is counted (`absent:...`), never an error.
"""

from __future__ import annotations

import sys
from functools import wraps

from lineagekit.agent.border import border, is_ours, troubles

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

_HOOKS = "lineagekit_python"
"""The package of hook tables, beside this one: `TABLES` maps the name of a module to where its patch is."""

_Module = type(sys)
_tables: dict[str, Any] = {}  # a text "module:function", or the function
_busy: set[str] = set()
_last_words: list[Any] = []


def watch_imports() -> None:
    """Patch what is loaded already, and all else when it comes; twice is once."""
    if any(isinstance(finder, Watcher) for finder in sys.meta_path):
        return
    _tables.update(_load_tables())
    sys.meta_path.insert(0, Watcher())
    for name in list(_tables):
        module = sys.modules.get(name)
        if module is not None:
            _patch_module(name, module)


def when_imported(name: str, function: Callable[[Any], None]) -> None:
    """Call a function of ours with a module as soon as that is loaded, or now."""
    if name in sys.modules:
        with border(f"patch:{name}"):
            function(sys.modules[name])
    else:
        _tables[name] = function


def at_end(function: Callable[[Any], None]) -> None:
    """Call a function of ours with each run that is about to end, and before a member process leaves one."""
    if function not in _last_words:
        _last_words.append(function)


def say_last_words(run: Any) -> None:
    """Have each hook that waited say what it still has to say of a run."""
    for function in _last_words:
        with border("last words"):
            function(run)


def unwatch_imports() -> None:
    """Patch nothing more; what is patched stays, and says nothing."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Watcher)]


class Watcher:
    """A finder that finds nothing itself: it lets the others find, and waits until the module is executed."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Called by Python for each import of something new; costs one look into a dictionary."""
        if name not in _tables or name in _busy:
            return None
        _busy.add(name)
        try:
            spec = _find(name, path, target)
        finally:
            _busy.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            with border("import"):
                _after_exec(spec.loader, name)
        return spec


def patch(
    owner: Any,
    path: str,
    *,
    before: Callable[[Any, Any], Any] | None = None,
    after: Callable[[Any, Any, Any, Any], Any] | None = None,
    failed: Callable[[Any], Any] | None = None,
) -> bool:
    """Stand beside `owner.path`, a function or a method.

    `before(args, kwargs)` runs first and what it returns is the token; `after(token, result, args, kwargs)` runs when
    the original has returned, `failed(token)` when it has raised. What any of them raises stays here. What we call
    ourselves on our side of the border goes straight to the original.
    """
    *steps, name = path.split(".")
    where = f"{getattr(owner, '__name__', owner)}.{path}"
    for step in steps:
        owner = getattr(owner, step, None)
    found = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)
    if found is None and isinstance(owner, type):
        found = getattr(owner, name, None)  # inherited: the patch stays with this class
    if found is None or found is object.__init__:  # of which nothing can be asked: it would refuse its arguments
        troubles.count(f"absent:{where}", "")
        return False
    kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
    original = found.__func__ if kind else found
    if getattr(original, "_lineagekit", False):
        return True
    wrapped = _beside(original, where, before, after, failed)
    if isinstance(owner, _Module):  # pickled by the name under which it stands here
        wrapped.__module__, wrapped.__qualname__ = owner.__name__, name
    try:
        setattr(owner, name, kind(wrapped) if kind else wrapped)
    except (AttributeError, TypeError):  # a class of C
        troubles.count(f"absent:{where}", "cannot be patched")
        return False
    return True


def _beside(original: Any, where: str, before: Any, after: Any, failed: Any) -> Any:
    @wraps(original)
    def beside(*args: Any, **kwargs: Any) -> Any:
        if is_ours():
            return original(*args, **kwargs)
        token = None
        if before is not None:
            with border(where):
                token = before(args, kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException:  # job border: it goes on to the caller
            if failed is not None:
                with border(where):
                    failed(token)
            raise
        if after is not None:
            with border(where):
                after(token, result, args, kwargs)
        return result

    beside._lineagekit = True  # type: ignore[attr-defined]
    return beside


def argument(args: Sequence[Any], kwargs: dict[str, Any], place: int, name: str, default: Any = None) -> Any:
    """An argument that may come by place or by name."""
    return kwargs[name] if name in kwargs else args[place] if len(args) > place else default


def known_tables() -> dict[str, str]:
    """Every module that there is a table for."""
    return _load_tables()


def _load_tables() -> dict[str, str]:
    from importlib import import_module

    try:
        return dict(import_module(_HOOKS).TABLES)
    except ImportError as error:
        troubles.count(f"absent:{_HOOKS}", str(error))
        return {}


def _find(name: str, path: Sequence[str] | None, target: ModuleType | None) -> Any:
    for finder in sys.meta_path:
        find = None if isinstance(finder, Watcher) else getattr(finder, "find_spec", None)
        spec = find(name, path, target) if find is not None else None
        if spec is not None:
            return spec
    return None


def _after_exec(loader: Any, name: str) -> None:
    """Have the patch follow the module's own code; the loader is what it was as soon as that has run."""
    original = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        if module.__name__ == name:
            loader.__dict__.pop("exec_module", None)
        original(module)
        if module.__name__ == name:
            _patch_module(name, module)

    loader.exec_module = exec_module


def _patch_module(name: str, module: ModuleType) -> None:
    with border(f"patch:{name}"):
        function = _tables.pop(name)
        if isinstance(function, str):
            from importlib import import_module

            where, _, function = function.partition(":")
            function = getattr(import_module(where), function)
        function(module)
