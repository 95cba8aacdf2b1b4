# SPDX-License-Identifier: Apache-2.0
"""A query as Spark ran it: whether it writes, where to, and exactly which files it read after partitions were pruned.

    >>> files_read(execution, runtime)  # doctest: +SKIP
    Files(paths=['/data/orders/dt=2026-11-01/part-0.parquet'], more=0, all=True)

The plan lies in the JVM, and each question to it takes 0.3 ms: so only leaves are looked at, and a list of files comes
as one text. Private classes of Spark, as they are in 3.5 to 4.0; what one does not have is left out.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

MOST_FILES = 1000
"""Of one query; of more only the number is told."""

_MOST_TASKS = 200
"""Lists of files that are asked for: one for each task that reads."""

_FILE = re.compile(r"path: (.*?), range: \d+-\d+, partition values: ")
_LOG = "/_delta_log"


def _path(plan: Any) -> str:
    return str(plan.outputPath())


def _option(plan: Any) -> str:
    found = plan.options().get("path")
    return str(found.get()) if found.isDefined() else ""


def _table(plan: Any) -> str:
    return str(plan.table().name())


def _nowhere(plan: Any) -> str:
    return ""


_WRITES: dict[str, Callable[[Any], str]] = {
    "InsertIntoHadoopFsRelationCommand": _path,
    "SaveIntoDataSourceCommand": _option,
    "AppendData": _table,
    "OverwriteByExpression": _table,
    "OverwritePartitionsDynamic": _table,
    "ReplaceData": _table,
    "WriteDelta": _table,
    "DeleteCommand": _nowhere,
    "DeleteFromTable": _nowhere,
    "InsertIntoDataSourceCommand": _nowhere,
    "InsertIntoDataSourceDirCommand": _nowhere,
    "InsertIntoHiveDirCommand": _nowhere,
    "InsertIntoHiveTable": _nowhere,
    "MergeIntoCommand": _nowhere,
    "MergeIntoTable": _nowhere,
    "UpdateCommand": _nowhere,
    "UpdateTable": _nowhere,
    "WriteToDataSourceV2": _nowhere,
}
"""Commands that write, and how each says where to. `CREATE TABLE AS SELECT` runs one of these inside itself."""


_WITHOUT_FILES = ("RangeExec", "OneRowRelationExec")
"""Leaves that read none."""


class Files(NamedTuple):
    """Files that a query has read, sorted."""

    paths: list[str]
    more: int
    """How many there were beyond these."""
    all: bool
    """Whether the query has read nothing else."""


class Query(NamedTuple):
    """What a query is, by its logical plan."""

    command: str
    writes: bool
    output: str
    """Where to, as Spark calls it: a path, a table's name, or '' where the command does not say."""

    @property
    def encloses(self) -> bool:
        """Whether it runs the query that writes inside itself."""
        return "AsSelect" in self.command

    def fits(self, event: Mapping[str, Any], files: Sequence[str]) -> bool:
        """Whether an event of the agent can be of this query: it names the output, the command, or where files lie."""
        if self.output:
            return any(_last_part(one["name"]) == _last_part(self.output) for one in event.get("outputs", ()))
        if self.writes or self.encloses:
            return _snake(self.command) in event["job"]["name"]
        folders = [one["name"] for one in event.get("inputs", ())]
        return bool(files) and all(any(_is_in(file, folder) for folder in folders) for file in files)


def query_of(execution: Any) -> Query:
    """Ask the logical plan."""
    logical = execution.logical()
    command = class_of(logical)
    where = _WRITES.get(command)
    return Query(command, where is not None, plain_path(where(logical)) if where else "")


def files_read(execution: Any, runtime: Any) -> Files:
    """Files that the query has read. Of a query that failed never ask. `runtime` is Scala's ScalaRunTime in the JVM."""
    files: dict[str, None] = {}
    tasks, scans = 0, Scans()
    for scan in scans.below(execution.executedPlan()):
        partitions = scan.inputRDD().filePartitions()
        for number in range(partitions.size()):
            if tasks >= _MOST_TASKS:
                return Files(sorted(files)[:MOST_FILES], max(len(files) - MOST_FILES, 1), False)
            tasks += 1
            text = str(runtime.stringOf(partitions.apply(number).files()))
            files.update((plain_path(unquote(path)), None) for path in _FILE.findall(text) if _LOG not in path)
    more = max(len(files) - MOST_FILES, 0)
    return Files(sorted(files)[:MOST_FILES], more, not (more or scans.others))


def class_of(thing: Any) -> str:
    """The name of its class, without the package."""
    return str(thing.getClass().getName()).rpartition(".")[2]


def plain_path(uri: str) -> str:
    """A local file by its path, as everybody else calls it."""
    return "/" + uri[5:].lstrip("/") if uri.startswith("file:") else uri


class Scans:
    """Scans of files below a plan, also in its subqueries and in what adaptive execution has put into its stages."""

    def __init__(self) -> None:
        """Nothing is seen yet."""
        self.others = False
        """Whether there is a leaf that may stand for files as well: a cached frame, a table of another source, rows
        that adaptive execution has put in the place of a plan that it ran."""

    def below(self, plan: Any) -> Iterator[Any]:
        """Each scan, in no order."""
        waiting = [plan]
        while waiting:
            plan = waiting.pop()
            leaves, inner = plan.collectLeaves(), plan.subqueriesAll()
            waiting += [inner.apply(number) for number in range(inner.size())]
            for number in range(leaves.size()):
                leaf = leaves.apply(number)
                name = class_of(leaf)
                if name == "FileSourceScanExec":
                    yield leaf
                elif name == "AdaptiveSparkPlanExec":
                    waiting.append(leaf.executedPlan())
                elif name.endswith("QueryStageExec"):
                    waiting.append(leaf.plan())
                elif name.startswith("Reused"):  # adaptive execution may have dropped where it was used first
                    waiting.append(leaf.child())
                elif name not in _WITHOUT_FILES:
                    self.others = True


def _last_part(name: str) -> str:
    return re.split(r"[/.]", name.rstrip("/"))[-1]


def _snake(command: str) -> str:
    """`MergeIntoCommand` as the agent writes it: `merge_into_command`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", command).lower()


def _is_in(file: str, folder: str) -> bool:
    return file == folder or file.startswith(folder.rstrip("/") + "/")
