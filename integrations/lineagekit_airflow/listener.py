# SPDX-License-Identifier: Apache-2.0
"""The listener: called in the process and thread of the task, around the provider's own when the body begins and ends.

What the provider writes in between is settled with the task's run. Hooks that Airflow has in some versions only are
ignored by the others.
"""

from __future__ import annotations

from pluggy import HookimplMarker

from lineagekit.agent.border import border
from lineagekit_airflow import tasks

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

hookimpl = HookimplMarker("airflow")


class Listener:
    """Around what the provider does: its events belong to the task, and the files that it opens for them do not."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        """Ask when the first task begins: where the provider is told by a connection, nobody can answer before."""
        self._is_wanted = is_wanted

    @hookimpl(wrapper=True, tryfirst=True)
    def on_task_instance_running(self, task_instance: Any) -> Any:
        """The body is about to run."""
        with border("airflow.running"):
            if self._is_wanted():
                _forget_hook_lineage()
                tasks.begin(task_instance)
        try:
            return (yield)
        finally:
            with border("airflow.body"):
                tasks.enter(task_instance)

    @hookimpl(wrapper=True, tryfirst=True)
    def on_task_instance_success(self, task_instance: Any) -> Any:
        """The body has returned."""
        return (yield from _around(task_instance, "COMPLETE"))

    @hookimpl(wrapper=True, tryfirst=True)
    def on_task_instance_skipped(self, task_instance: Any) -> Any:
        """The body has asked to be skipped, perhaps after it had read something."""
        return (yield from _around(task_instance, "COMPLETE"))

    @hookimpl(wrapper=True, tryfirst=True)
    def on_task_instance_failed(self, task_instance: Any, error: object) -> Any:
        """The body has raised, whether it is tried again or not."""
        return (yield from _around(task_instance, "FAIL", error))

    @hookimpl
    def before_stopping(self) -> None:
        """The process of a task ends; what has not ended is deferred."""
        with border("airflow.stopping"):
            tasks.pause()


def _around(instance: Any, state: str, error: object = None) -> Any:
    """Stop before all other listeners, end after them."""
    with border("airflow.stop"):
        tasks.stop(instance)
    try:
        return (yield)
    finally:
        with border("airflow.end"):
            tasks.end(instance, state, error)


def _forget_hook_lineage() -> None:
    """In `dag.test()` all tasks share a process, and Airflow's collector gives to one what another has read."""
    try:
        from airflow.sdk.lineage import get_hook_lineage_collector
    except ImportError:  # before Airflow 3.2
        from airflow.lineage import hook

        hook._hook_lineage_collector = None
    else:
        get_hook_lineage_collector.cache_clear()
