# SPDX-License-Identifier: Apache-2.0
"""Callbacks of a task (`on_success_callback` and its like) are none of its body: it is done before they run.

    >>> watch_callbacks(stop)  # doctest: +SKIP

Airflow runs them between the body and its listeners, and nothing public stands in between: so we stand beside the
function that runs them. What a later Airflow may no longer have is counted (`absent:...`); the body then ends with the
listener, and what its callbacks touch is its lineage.
"""

from __future__ import annotations

from lineagekit.agent.hooks import argument, patch, when_imported

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_AFTER = ("on_success_callback", "on_skipped_callback", "on_retry_callback", "on_failure_callback")
"""Not `on_execute_callback`: that comes before the body."""


def watch_callbacks(stop: Callable[[Any], None]) -> None:
    """Have `stop` called with a task instance before its first callback, where there are any or not."""

    def before_callbacks(args: Any, kwargs: Any) -> None:  # task, kind, context, log
        if argument(args, kwargs, 1, "kind") in _AFTER:
            stop(argument(args, kwargs, 2, "context")["ti"])

    def before_callbacks_of_2(args: Any, kwargs: Any) -> None:  # callbacks, context
        stop(argument(args, kwargs, 1, "context")["ti"])

    def of_3(module: Any) -> None:
        patch(module, "_run_task_state_change_callbacks", before=before_callbacks)

    def of_2(module: Any) -> None:
        if hasattr(module, "_run_finished_callback"):  # Airflow 3 has a module of this name, too
            patch(module, "_run_finished_callback", before=before_callbacks_of_2)

    when_imported("airflow.sdk.execution_time.task_runner", of_3)
    when_imported("airflow.models.taskinstance", of_2)
