# SPDX-License-Identifier: Apache-2.0
"""What a person may point at as an input or output: a path, URI, OpenLineage dataset, name in a database, data frame.

>>> lineagekit.input("data/orders.csv")  # doctest: +SKIP
'data/orders.csv'
>>> lineagekit.input("postgres://crm:5432/crm.public.customers")  # doctest: +SKIP
>>> lineagekit.output(frame, name="features")  # doctest: +SKIP
"""

from __future__ import annotations

import os
import stat as stat_module

from lineagekit.agent.naming import absolute, dataset_name, is_uri
from lineagekit.agent.redact import redact

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


_SAID = "said"  # the door of what a person says


def say_input(run: Any, target: Any, facts: dict[str, Any]) -> None:
    """One input, or each of several."""
    for one in _each(target):
        path = _local(one)
        if path:
            read_path(run.ledger, path, _SAID, **facts)
        else:
            _say_dataset(run, "input", one, facts)


def say_output(run: Any, target: Any, facts: dict[str, Any]) -> None:
    """One output, or each of several."""
    for one in _each(target):
        path = _local(one)
        if path:
            written_path(run.ledger, path, _SAID, **facts)
        else:
            _say_dataset(run, "output", one, facts)


def say_model(run: Any, target: Any, name: str, version: str) -> None:
    """A model: a path or URI, which is an output as well; or anything with a name."""
    fact = {"fact": "model", "name": name, "version": version, "path": "", "namespace": "", "name_of": ""}
    path = _local(target)
    if path:
        fact["path"] = path
        if not run.ledger.knows(path) and os.path.exists(path):
            written_path(run.ledger, path, _SAID)
    else:
        fact["namespace"], fact["name_of"] = _named(target, {})
    run.say(fact)


def read_path(ledger: Any, path: str, door: str, **facts: Any) -> None:
    """A local path as an input: a file, a folder as one dataset, a glob as the files that it finds."""
    try:
        found = os.stat(path)
    except OSError:
        _read_glob(ledger, path, door, facts)
        return
    if stat_module.S_ISDIR(found.st_mode):
        ledger.read_folder(path, door, **facts)
    else:
        ledger.read(path, found, door, **facts)


def written_path(ledger: Any, path: str, door: str, **facts: Any) -> None:
    """A local path as an output that stands there now."""
    try:
        found = os.stat(path)
    except OSError:
        found = None
    if found is not None and stat_module.S_ISDIR(found.st_mode):
        ledger.written_folder(path, door, **facts)
    else:
        ledger.written(path, found, door, **facts)


def spell(target: Any) -> str:
    """One text for a target that a metric is about; '' where there is none."""
    if target is None or (isinstance(target, str) and not target):
        return ""
    path = _local(target)
    return path or (redact(target) if isinstance(target, str) else "/".join(_named(target, {})))


def text_of(target: Any) -> str:
    """The path or URI that an object stands for; '' where it stands for none."""
    if isinstance(target, (str, bytes, os.PathLike)):
        return os.fsdecode(target)
    name = getattr(target, "name", None)  # an open file
    return os.fsdecode(name) if isinstance(name, (str, bytes)) and hasattr(target, "read") else ""


def _local(target: Any) -> str:
    text = text_of(target)
    return absolute(text) if text and not is_uri(text) else ""


def _each(target: Any) -> list[Any]:
    return list(target) if isinstance(target, (list, tuple, set, frozenset)) else [target]


def _read_glob(ledger: Any, pattern: str, door: str, facts: dict[str, Any]) -> None:
    import glob

    found = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []
    for path in found:
        read_path(ledger, path, door, glob=pattern, **facts)
    if not found and door == _SAID:  # said, and not there: an input all the same, and unknown
        ledger.read(pattern, None, door, **facts)


def _say_dataset(run: Any, role: str, target: Any, facts: dict[str, Any]) -> None:
    namespace, name = _named(target, facts)
    fact: dict[str, Any] = {"fact": "dataset", "role": role, "namespace": namespace, "name": name, "door": _SAID}
    fact.update(_shape(target))
    if facts.pop("content", False):
        fact["digests"] = _digests(target)
    fact.update({k: v for k, v in facts.items() if k not in ("name", "namespace")})
    run.say(fact)


def _digests(frame: Any) -> list[str]:
    """Digests of what a data frame says: asked for by `content=True`, since they cost the job time."""
    from importlib import import_module

    # By its name: the agent alone does without, and then counts that it is absent.
    return [str(digest) for digest in import_module("lineagekit.identity.fingerprint").fingerprint(frame).digests]


def _named(target: Any, facts: dict[str, Any]) -> tuple[str, str]:
    """A dataset's namespace and name: OpenLineage's own object, a URI, a name in a database, a frame that was named."""
    text = text_of(target)
    if text:
        return dataset_name(redact(text))
    namespace, name = getattr(target, "namespace", None), getattr(target, "name", None)
    if isinstance(namespace, str) and isinstance(name, str):
        return namespace, name
    if isinstance(target, dict) and isinstance(target.get("namespace"), str):
        return target["namespace"], str(target.get("name", ""))
    return str(facts.get("namespace", "inmemory://")), str(facts.get("name") or type(target).__name__)


def _shape(target: Any) -> dict[str, Any]:
    """Rows and columns of a data frame: its content costs the job time, and is taken only on request."""
    columns = getattr(target, "columns", None)
    shape = getattr(target, "shape", None)
    if columns is None or not (isinstance(shape, tuple) and len(shape) == 2):
        return {}
    types = getattr(target, "dtypes", None)
    kinds = [str(one) for one in (types if types is not None else [""] * shape[1])]
    return {"rows": int(shape[0]), "columns": [[str(c), k] for c, k in zip(list(columns)[:1000], kinds)]}
