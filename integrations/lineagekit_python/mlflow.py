# SPDX-License-Identifier: Apache-2.0
"""MLflow: each of its runs carries the id of ours, and what its users log (or it logs for them) is ours as well.

    >>> LineagekitContext().tags()  # doctest: +SKIP
    {'lineagekit.run': '0198...'}

MLflow finds the class by its entry point `mlflow.run_context_provider` and asks it at every `start_run`; that begins
the recording where nothing else has. Whatever way something is logged, it comes down to a few methods of its store.
"""

from __future__ import annotations

import json
import sys
from glob import escape

from lineagekit.agent import note, scenery
from lineagekit.agent.border import border
from lineagekit.agent.hooks import argument, patch

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_BOOKS = ("meta.yaml", "params/*", "metrics/*", "tags/*", "inputs/*", "outputs/*", "traces/*")
"""Files below the root of a file store in which MLflow keeps its own books."""

_STORES = ("FileStore", "SqlAlchemyStore", "RestStore")

_locations: dict[str, tuple[str, str]] = {}
"""Folder and name of each logged model, by its id."""

_said: dict[str, list[str]] = {}
_tapped: set[str] = set()


class LineagekitContext:
    """What MLflow calls a run context provider."""

    def in_context(self) -> bool:
        """Whether there is a run of ours, or can be one."""
        return bool(self.tags())

    def tags(self) -> dict[str, str]:
        """The id of our run, as a tag of theirs."""
        with border("mlflow.context"):
            from lineagekit.agent.session import autolog

            run = note.run_now()
            if run is None:
                autolog()
                run = note.run_now()
            _tap_store_in_use()
            return {} if run is None else {"lineagekit.run": run.id}
        return {}


def tracking(module: ModuleType) -> None:
    """`mlflow.store.tracking.file_store`, `.sqlalchemy_store` and `.rest_store`."""
    for name in _STORES:
        if hasattr(module, name):
            patch(module, f"{name}.__init__", before=_leave_out, after=_tap_new)


def registry(module: ModuleType) -> None:
    """`mlflow.store.model_registry.file_store`, `.sqlalchemy_store` and `.rest_store`."""
    for name in _STORES:
        if hasattr(module, name):
            patch(module, f"{name}.create_model_version", after=_registered)


def tap(kind: type) -> None:
    """Patch the methods of a class of stores."""
    _tapped.add(kind.__name__)
    patch(kind, "log_batch", after=_log_batch)
    patch(kind, "log_param", after=_log_param)
    patch(kind, "log_metric", after=_log_metric)
    if hasattr(kind, "log_inputs"):
        patch(kind, "log_inputs", before=_log_inputs)
    if hasattr(kind, "create_logged_model"):
        patch(kind, "create_logged_model", after=_create_model)
        patch(kind, "finalize_logged_model", after=_finalize_model)


def _tap_store_in_use() -> None:
    module = sys.modules.get("mlflow.tracking._tracking_service.utils")
    if module is not None:
        store = module._get_store()
        if type(store).__name__ not in _tapped:
            _leave_out_books(getattr(store, "root_directory", "") or getattr(store, "db_uri", ""))
        tap(type(store))


def _tap_new(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    tap(type(args[0]))


def _leave_out(args: Any, kwargs: Any) -> None:
    _leave_out_books(argument(args, kwargs, 1, "root_directory") or kwargs.get("db_uri") or "./mlruns")


def _leave_out_books(where: Any) -> None:
    """Where MLflow keeps its books is no data of the job's."""
    where = str(where)
    if where.startswith("sqlite:///"):
        path = escape(note.absolute(where[len("sqlite:///") :]))
        scenery.leave_out(globs=[path, path + "-*"])
    elif where and not note.is_uri(where):
        scenery.leave_out(globs=[f"{escape(note.absolute(where))}/*{name}" for name in _BOOKS])


def _log_batch(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    run_id = argument(args, kwargs, 1, "run_id")
    _params(run_id, argument(args, kwargs, 3, "params") or ())
    _metrics(run_id, argument(args, kwargs, 2, "metrics") or ())


def _log_param(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    _params(argument(args, kwargs, 1, "run_id"), [argument(args, kwargs, 2, "param")])


def _log_metric(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    _metrics(argument(args, kwargs, 1, "run_id"), [argument(args, kwargs, 2, "metric")])


def _params(run_id: Any, params: Any) -> None:
    run = _run_of(run_id)
    if run is not None and params:
        run.params({param.key: param.value for param in params})


def _metrics(run_id: Any, metrics: Any) -> None:
    run = _run_of(run_id)
    for metric in metrics if run is not None else ():
        if not metric.key.startswith("system/"):
            of = _locations.get(getattr(metric, "model_id", None) or "", ("", ""))[0]
            run.metric(metric.key, metric.value, step=metric.step, of=of)


def _log_inputs(args: Any, kwargs: Any) -> None:
    if _run_of(argument(args, kwargs, 1, "run_id")) is None:
        return
    for one in argument(args, kwargs, 2, "datasets") or ():
        source = _source_of(one.dataset)
        if source:
            pins = [{"system": "mlflow", "version": str(one.dataset.digest)}]
            note.reads(source, door="mlflow.log_input", pins=pins)
    for model in argument(args, kwargs, 3, "models") or ():
        if model.model_id in _locations:
            note.reads(_locations[model.model_id][0], door="mlflow.log_input")


def _source_of(dataset: Any) -> str:
    """Where a dataset is, if MLflow was told: of frames that it logs by itself it knows only the code."""
    if dataset.source_type == "code":
        return ""
    try:
        source = json.loads(dataset.source)
    except (TypeError, ValueError):
        return ""
    found = (
        next((source[key] for key in ("uri", "url", "path") if source.get(key)), "") if isinstance(source, dict) else ""
    )
    return str(found)


def _create_model(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    _locations[result.model_id] = (result.artifact_location, result.name)


def _finalize_model(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    folder, name = result.artifact_location, result.name
    _locations[result.model_id] = (folder, name)
    if str(getattr(result.status, "value", result.status)).upper().endswith("FAILED"):
        return
    note.wrote(folder, door="mlflow.log_model", format="mlflow")
    _say_model(folder, name, "")


def _registered(token: Any, result: Any, args: Any, kwargs: Any) -> None:
    source = getattr(result, "source", None) or ""
    if source.startswith("models:/"):
        source = _locations.get(source[len("models:/") :].partition("/")[0], ("", ""))[0]
    _say_model(source, result.name, str(result.version))


def _say_model(where: str, name: str, version: str) -> None:
    run = note.run_now()
    if run is not None and where and not where.startswith(("runs:/", "mlflow-artifacts:")):
        run.model(where, name, version)


def _run_of(run_id: Any) -> Any:
    """Our run that goes on now; which runs of MLflow belong to it is kept with it."""
    run = note.run_now()
    if run is not None and isinstance(run_id, str):
        ids = _said.setdefault(run.id, [])
        if run_id not in ids:
            ids.append(run_id)
            run.say({"fact": "run", "job": "", "rank": 0, "extra": {"mlflow.run": ",".join(ids)}})
    return run
