# SPDX-License-Identifier: Apache-2.0
"""The task that this process runs, as a run that is recorded: begun before its body, ended after the provider.

    >>> begin(task); ...; enter(task); ...; stop(task); ...; end(task, "COMPLETE")  # doctest: +SKIP

It has the run id that Airflow's provider of OpenLineage gives to it, so what is recorded and what the provider says of
it are one run. Programs that the body starts are told of it by the environment, and hang below it.
"""

from __future__ import annotations

import os
import sys
import time

from lineagekit.agent.border import describe
from lineagekit.agent.handover import hand_over, has_full_package, is_somebody_settling, start_settler
from lineagekit.agent.origin import working_folder
from lineagekit.agent.process import open_process
from lineagekit.agent.run import SAID, Run
from lineagekit_airflow.callbacks import watch_callbacks
from lineagekit_airflow.outputs import say_digests

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_PARENT, _ROOT = "OPENLINEAGE_PARENT_ID", "OPENLINEAGE_ROOT_PARENT_ID"

_LOADED = frozenset(sys.modules) - {"__main__"}
"""What a process had imported before it knew of any task: of that, the file may be newer than what runs."""


class Task:
    """One attempt of a task instance."""

    __slots__ = ("began", "dag_file", "ended", "environ", "key", "process", "run", "told")

    def __init__(self, process: Any, run: Run, instance: Any) -> None:
        """Nothing is recorded yet."""
        self.process, self.run, self.key = process, run, _key(instance)
        self.dag_file, self.began = _dag_file(instance), _began(instance)
        self.ended = 0
        self.told = "", ""
        self.environ: dict[str, str | None] = {}


_task: Task | None = None


def recorded(run_id: object) -> Task | None:
    """The task of this process if it has this run id; None for any other run, and outside of a task."""
    return _task if _task is not None and _task.run.id == run_id else None


def begin(instance: Any) -> None:
    """The run of this task exists: events of the provider belong to it."""
    global _task
    process = open_process()
    if process is None:
        return
    if _of(instance) is not None:  # deferred, and resumed in one process
        return
    pause()
    told = _Told(instance)
    names = _names(told)
    from lineagekit.agent.session import watch

    if not process.watching:
        watch(process)
        _leave_out_airflow()
        watch_callbacks(stop)
    task = _task = Task(process, _run_of(process, instance, names), instance)
    task.told = names["parent"], names["root"]
    task.run.begin()
    if params := _params(told):
        task.run.params(params)


def enter(instance: Any) -> None:
    """From here on what this process does is this task's, and its children's."""
    task = _of(instance)
    if task is None or task.run in task.process.opened:
        return
    task.environ = {name: os.environ.get(name) for name in (_PARENT, _ROOT)}
    os.environ[_PARENT], os.environ[_ROOT] = task.told
    task.run.open()


def stop(instance: Any) -> None:
    """The body is done: what comes after it (the provider, the next task) is not its lineage."""
    task = _of(instance)
    if task is None or task.ended:
        return
    task.ended = _nanoseconds(getattr(instance, "end_date", None)) or time.time_ns()
    task.run.close()
    _restore(task)
    from lineagekit.agent import modules

    modules.say_all(task.run, entry=task.dag_file, loaded=_LOADED, began=task.began)
    say_digests(task.run)


def end(instance: Any, state: str, error: object = None) -> None:
    """The provider has told of it, too: the run is over, and somebody else may settle it."""
    global _task
    task = _of(instance)
    if task is None:
        return
    _task = None
    said = describe(error) if isinstance(error, BaseException) else str(error or "")
    task.run.end(state, said)
    how, store = task.process.settle_how(), task.process.config.store_folder
    if how == "exit":
        hand_over(task.process)
    elif how != "off" and has_full_package() and not is_somebody_settling(store):
        start_settler(store, "--now")


def pause() -> None:
    """The process leaves a task that has not ended: it is deferred, and goes on in another process later."""
    global _task
    task, _task = _task, None
    if task is not None:
        task.run.close()
        _restore(task)
        task.run.say({"fact": "pause"})


def _leave_out_airflow() -> None:
    """Its own files are no data of a task: in `dag.test()` the scheduler's database is open in this process."""
    from lineagekit.agent import scenery

    home = os.path.abspath(os.path.expanduser(os.environ.get("AIRFLOW_HOME", "~/airflow")))
    files = ("airflow.db*", "airflow.cfg", "webserver_config.py", "simple_auth_manager_*", "logs/*")
    scenery.leave_out(globs=[os.path.join(home, name) for name in files])


def _of(instance: Any) -> Task | None:
    """The task of this process, if it is this instance: states are also changed by hand, in other processes."""
    return _task if _task is not None and _task.key == _key(instance) else None


def _key(instance: Any) -> tuple[object, ...]:
    return tuple(getattr(instance, name, None) for name in ("dag_id", "task_id", "run_id", "map_index", "try_number"))


class _Told:
    """A task instance with the context that Airflow 3 keeps in it: asked for, it is made anew in 0.2 ms, six times."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance
        self._context = getattr(instance, "_cached_template_context", None) or instance.get_template_context()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def get_template_context(self) -> Any:
        return self._context


def _names(told: _Told) -> dict[str, str]:
    from airflow.providers.openlineage.plugins import macros

    id, job, namespace = macros.lineage_run_id(told), macros.lineage_job_name(told), macros.lineage_job_namespace()
    parent, root = f"{namespace}/{job}/{id}", macros.lineage_root_parent_id(told)
    return {"id": str(id), "job": job, "namespace": namespace, "parent": parent, "root": root}


def _run_of(process: Any, instance: Any, names: dict[str, str]) -> Run:
    run = Run(process, names["job"], id=names["id"], how="airflow", rank=SAID)
    run.namespace = names["namespace"]
    run.place = {
        "job": names["job"],
        "namespace": names["namespace"],
        "cwd": working_folder(),
        "entry": _dag_file(instance),
        "argv": [],
    }
    return run


def _dag_file(instance: Any) -> str:
    return str(getattr(getattr(instance.task, "dag", None), "fileloc", "") or "")


def _began(instance: Any) -> int:
    """When the attempt began, which is before its DAG was parsed."""
    return _nanoseconds(getattr(instance, "start_date", None)) or time.time_ns()


def _nanoseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1e9) if moment is not None else 0


def _params(told: _Told) -> dict[str, Any]:
    """What the run was set to: the DAG's params, and the plain ones among what the body is called with."""
    task = told.task
    given: dict[str, Any] = dict(getattr(task, "op_kwargs", None) or {})
    body, words = getattr(task, "python_callable", None), getattr(task, "op_args", None)
    if body is not None and words:
        from inspect import signature

        given = {**signature(body).bind_partial(*words).arguments, **given}
    plain = {name: value for name, value in given.items() if isinstance(value, (str, int, float, bool))}
    return {**dict(told.get_template_context().get("params") or {}), **plain}


def _restore(task: Task) -> None:
    for name, value in task.environ.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
