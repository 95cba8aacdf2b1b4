# SPDX-License-Identifier: Apache-2.0
"""Seeds that the job sets itself: of `random`, numpy and torch. A run with other seeds is not the same run.

>>> random.seed(42)  # said as {"seeds": {"random": 42}}  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit.agent.hooks import patch

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_MOST = 5
"""Seeds of one generator that are told of one run: more come from a loop."""

_MOST_RUNS = 1000
_seen: dict[tuple[str, str], list[Any]] = {}


def python(module: Any) -> None:
    """Python's own generator."""
    patch(module, "seed", after=_seeded("random", "a"))


def numpy(module: Any) -> None:
    """The global generator, and those that are made with a seed."""
    patch(module, "seed", after=_seeded("numpy", "seed"))
    patch(module, "default_rng", after=_seeded("numpy.default_rng", "seed"))


def torch(module: Any) -> None:
    """The generator of torch; it seeds those of all devices."""
    patch(module, "manual_seed", after=_seeded("torch", "seed"))


def _seeded(name: str, parameter: str) -> Any:
    def say(token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from lineagekit.agent.note import run_now
        from lineagekit.agent.values import plain
        from lineagekit_python.callers import is_project_next

        seed = args[0] if args else kwargs.get(parameter)
        run = run_now() if seed is not None and is_project_next() else None
        if run is None:
            return
        if len(_seen) > _MOST_RUNS:
            _seen.clear()
        known = _seen.setdefault((run.id, name), [])
        value = plain(seed)
        if value not in known and len(known) < _MOST:
            known.append(value)
            key = name if len(known) == 1 else f"{name}.{len(known)}"
            run.say({"fact": "environment", "seeds": {key: value}})

    return say
