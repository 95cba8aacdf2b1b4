# SPDX-License-Identifier: Apache-2.0
"""The public calls: what a pipeline's author types. All of them are thin, and none can hurt the job.

import lineagekit; lineagekit.autolog()            # everything that can be seen is recorded from here on

@lineagekit.job                                    # a function is a job, each call of it a run
def features(raw="raw.csv", out="features.parquet"): ...

with lineagekit.run("train", owner="risk"):        # or a block
    lineagekit.metric("auc", 0.87, on="eval.parquet")
"""

from __future__ import annotations

from lineagekit.agent.border import border
from lineagekit.agent.process import is_disabled, known_process, open_process, switch_off
from lineagekit.agent.run import SAID, Run
from lineagekit.agent.scope import whose
from lineagekit.agent.session import autolog, flush, watch

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "autolog",
    "current",
    "disable",
    "emit",
    "flush",
    "input",
    "job",
    "metric",
    "model",
    "output",
    "params",
    "run",
]


class _Nothing:
    """A run that records nothing, where lineagekit is disabled or cannot work: every call answers as a run's does."""

    id = job = namespace = ""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def _same(self, target: Any = None, *_: Any, **__: Any) -> Any:
        return target

    input = output = model = _same

    def params(self, *given: Any, **params: Any) -> Any:
        return given[0] if given else params

    def metric(self, name: str, value: Any = None, **_: Any) -> Any:
        return value

    def __repr__(self) -> str:
        return "<lineagekit run: nothing is recorded>"


def run(job: str = "", *, namespace: str = "", parent: str = "", **extra: Any) -> Any:
    """A run of a job, for `with`: what the block reads and writes is recorded, and how it ends.

    Keywords such as `owner="risk"` are kept with the run.
    """
    process = open_process()
    if process is None:
        return _Nothing()
    opened: Any = _Nothing()
    with border("run"):
        from lineagekit.agent.values import params_of

        watch(process)
        opened = Run(process, str(job), how="with", rank=SAID if job else 1)
        opened.namespace = namespace or opened.namespace
        opened.parent = parent
        opened.extra = params_of((), extra)
    return opened


def job(function: Callable[..., Any] | str | None = None, **extra: Any) -> Any:
    """Make a function a job: each call is a run, named after the function, with its plain arguments as parameters.

    `@job`, `@job("name")` and `@job(owner="risk")`; coroutines and generators as well.
    """
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(_as_job(function.__func__, "", extra))
    if callable(function):
        return _as_job(function, "", extra)
    name = function or ""
    return lambda decorated: _as_job(decorated, name, extra)


def _as_job(function: Callable[..., Any], name: str, extra: dict[str, Any]) -> Callable[..., Any]:
    from lineagekit.agent.decorate import decorate

    name = name or getattr(getattr(function, "func", function), "__qualname__", type(function).__qualname__)
    return decorate(function, lambda: run(name.replace(".<locals>", ""), **extra))


def current() -> Any:
    """The run that what happens now belongs to; one that records nothing outside of any."""
    return whose() or _Nothing()


def input(target: Any, **facts: Any) -> Any:
    """Say that the current run reads this, and return it: `pd.read_sql(query, lineagekit.input(url))`."""
    return _of_current().input(target, **facts)


def output(target: Any, **facts: Any) -> Any:
    """Say that the current run writes this, and return it."""
    return _of_current().output(target, **facts)


def params(*given: Any, **params: Any) -> Any:
    """Say what the current run was set to: keywords, a mapping, or argparse's namespace."""
    return _of_current().params(*given, **params)


def metric(name: str, value: Any, **about: Any) -> Any:
    """Say how good it is: `metric("auc", 0.87, of="model.joblib", on="eval.parquet", higher_is_better=True)`."""
    return _of_current().metric(name, value, **about)


def model(target: Any, name: str = "", version: str = "") -> Any:
    """Say that an output is a model; without a name it is called after the job and the file."""
    return _of_current().model(target, name, version)


def emit(event: Any) -> None:
    """Send an OpenLineage event of your own: a mapping, or an object of openlineage-python. It is never lost."""
    process = open_process()
    if process is not None:
        with border("emit"):
            from lineagekit.agent.foreign import as_mapping

            process.say({"fact": "event", "event": as_mapping(event)})
            watch(process)


def disable() -> None:
    """Record nothing more in this process."""
    process = known_process()
    if process is not None and not is_disabled():
        with border("disable"):
            from lineagekit.agent import doors, hooks

            doors.close_doors()
            hooks.unwatch_imports()
    switch_off()


def _of_current() -> Any:
    """The current run; where there is none, the process becomes one: something was said, and is to be kept."""
    found = whose()
    if found is None and not is_disabled():
        process = known_process()
        if process is None or not process.opened:
            autolog()
            found = whose()
    return found or _Nothing()
