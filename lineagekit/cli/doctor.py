# SPDX-License-Identifier: Apache-2.0
"""`lineagekit doctor`: is everything recorded, hashed and delivered; and where not, why, and what to do about it.

$ lineagekit doctor
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from lineagekit.cli.asking import StoreOption
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.hooks import hook_path
from lineagekit.cli.oddities import examine_lineage
from lineagekit.cli.output import Output
from lineagekit.cli.times import ago
from lineagekit.config import VERSION, Config
from lineagekit.errors import LineagekitError, NotFoundError, UsageError
from lineagekit.events.summary import RunSummary, summarize
from lineagekit.store.log import Store

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "mlflow": "mlflow-skinny", "xgboost": "xgboost-cpu"}
"""Where a package is imported by another name than it is installed by."""

RECENT = 50
"""Runs that are looked at for gaps: the last ones."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Check store, destinations and gaps, and say what to do.

    Example: lineagekit doctor
    """

    lineage: Annotated[
        bool, typer.Option("--lineage", help="What is odd about the lineage: sources, gaps, spellings; how to mend it.")
    ] = False
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Look at everything, and say all of it."""
        if self.lineage:
            return examine_lineage(out, self.store)
        if self.store:
            raise UsageError("--store is for --lineage", advice="Set LINEAGEKIT_STORE to examine another store.")
        from lineagekit.record.spark import spark_health, spark_text

        folder = Config.from_environment().store_folder
        found: dict[str, Any] = {"store": folder, **_installation()}
        out.say(f"store        {folder}")
        try:
            with opened_store(out) as (store, where):
                found.update(_recorded(store, where, folder))
        except NotFoundError as error:
            found |= {"runs": 0, "spark": spark_health(None, folder)}  # which may be why there is none
            out.say(f"runs         none yet. {error.advice}", *spark_text(found["spark"]))
        else:
            out.say(*_recorded_text(found))
        out.say(*_installation_text(found))
        found["destinations"] = list(_destinations(folder))
        out.say(*_destination_text(found["destinations"]))
        out.show(found)
        return 0


def _recorded(store: Store, where: str, folder: str) -> dict[str, Any]:
    from lineagekit.record.spark import spark_health

    rows = store.recent_runs(RECENT)
    runs = [
        summarize(events) for row in rows if (events := [e.event for e in store.run_events(row.run) if not e.damaged])
    ]
    waiting = _files(os.path.join(folder, "journal"))
    return {
        "kept": _kept(folder),
        "spark": spark_health(store, folder),
        "events": store.last_seq(),
        "runs": len(rows),
        "newest": rows[0].began if rows else None,
        "unsettled": where.partition(" (")[2].rstrip(")"),
        "journals": waiting,
        "unknown": dict(_unknown(runs)),
        "troubles": [{"where": w, "error": e, "count": c} for (w, e), c in _troubles(runs).most_common()],
        "unwatched": dict(_unwatched(runs)),
    }


def _kept(folder: str) -> dict[str, Any]:
    from lineagekit.settings import load_settings
    from lineagekit.store.kept import Kept

    settings = load_settings(folder)
    kept = Kept(folder, most=settings.keep_bytes)
    return {"keep": settings.keep, "bytes": kept.size(), "limit": settings.keep_bytes, "refused": kept.refused()}


def _installation() -> dict[str, Any]:
    from lineagekit.agent.hooks import known_tables

    libraries = sorted({name.partition(".")[0] for name in known_tables()})
    return {
        "version": VERSION,
        "children": hook_path().exists(),
        "captured": {name: version for name in libraries if (version := _version_of(name))},
    }


def _version_of(library: str) -> str:
    """The version of a package that is installed; '' where it is not."""
    from importlib.metadata import PackageNotFoundError, version

    for name in (library, _DISTRIBUTIONS.get(library, library)):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "of Python" if library in sys.stdlib_module_names else ""


def _unknown(runs: list[RunSummary]) -> Counter[str]:
    return Counter(
        str(seen.content["reason"]) for run in runs for seen in (*run.inputs, *run.outputs) if "reason" in seen.content
    )


def _troubles(runs: list[RunSummary]) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for one in run.facets.get("lineagekit_run", {}).get("troubles", ()):
            counted[str(one.get("where")), str(one.get("error", ""))] += int(one.get("count", 1))
    return counted


def _unwatched(runs: list[RunSummary]) -> Counter[str]:
    return Counter(peer for run in runs for peer in run.facets.get("lineagekit_run", {}).get("unwatched", ()))


def _recorded_text(found: Mapping[str, Any]) -> Iterator[str]:
    from lineagekit.record.reasons import explain
    from lineagekit.record.spark import spark_text

    newest = f", the newest {ago(found['newest'])}" if found["newest"] else ""
    yield f"runs         {found['runs']} of late{newest}; {found['events']} events in the log"
    unsettled = f": {found['unsettled']}" if found["unsettled"] else ""
    yield f"journals     {found['journals']} waiting{unsettled}"
    yield from _kept_text(found["kept"])
    yield from spark_text(found["spark"])
    for reason, count in sorted(found["unknown"].items(), key=lambda item: -item[1]):
        why = explain(reason)
        yield f"unknown      {count} times: {reason}. {why.sentence if why.sentence != reason else ''}".rstrip()
        yield f"             {why.advice}".rstrip()
    if not found["unknown"]:
        yield "unknown      none"
    for trouble in found["troubles"]:
        where = str(trouble["where"])
        if where.startswith("absent:"):
            yield f"not captured {where[7:]}: this version of the library does not have it"
        else:
            yield f"failed       {where}: {trouble['error']} ({trouble['count']} times); the jobs were not affected"
    for peer, count in sorted(found["unwatched"].items()):
        yield f"unwatched    {peer} ({count} runs): say what it is with lineagekit.input or lineagekit.output"


def _kept_text(kept: Mapping[str, Any]) -> Iterator[str]:
    """What there is to build again with, and what to do where nothing more goes in."""
    from lineagekit.settings import size_text

    what = {"changed": "what jobs read", "all": "what jobs read and wrote"}.get(
        kept["keep"], 'no more, for keep = "none"'
    )
    yield f"kept bytes   {size_text(kept['bytes'])} of {size_text(kept['limit'])}: {what}"
    if kept["refused"] == "limit":
        half = size_text(kept["limit"] // 2)
        yield "             full: new ones are not kept. Raise keep_limit in config.toml, or"
        yield f'             run: lineagekit gc --keep-limit "{half}"'
    elif kept["refused"] == "disk":
        yield "             the disk is nearly full: new ones are not kept. Free some space."


def _installation_text(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"version      {found['version']}"
    line = "recorded" if found["children"] else "not recorded. Run: lineagekit hooks --install"
    yield f"children     Python programs that a run starts are {line}"
    yield "captured     " + (
        ", ".join(f"{name} {version}" for name, version in found["captured"].items()) or "files only"
    )


def _destinations(folder: str) -> Iterator[dict[str, Any]]:
    from lineagekit.exchange.backlog import backlog
    from lineagekit.exchange.destinations import find_destinations
    from lineagekit.settings import current_settings
    from lineagekit.store.log import open_store

    try:
        destinations = find_destinations(current_settings(folder), os.environ, folder)
        for one in destinations:
            with open_store(folder) as store:
                state = backlog(store, one.name)
            told = {"name": one.name, "kind": one.kind, "waiting": state.waiting, "refused": len(state.letters)}
            yield {**told, "trouble": _try(one)}
    except LineagekitError as error:
        yield {"name": "", "kind": "", "waiting": 0, "refused": 0, "trouble": str(error)}


def _try(destination: Any) -> str:
    """Whether a destination can be reached; nothing is sent."""
    try:
        sender = destination.open()
    except LineagekitError as error:
        return str(error)
    try:
        return str(sender.reach()) if hasattr(sender, "reach") else ""
    finally:
        sender.close()


def _destination_text(destinations: list[dict[str, Any]]) -> Iterator[str]:
    for one in destinations:
        state = one["trouble"] or "reachable"
        counts = f"{one['waiting']} events waiting" + (f", {one['refused']} letters" if one["refused"] else "")
        yield f"destination  {one['name']}: {state}; {counts}"
    if not destinations:
        yield "destination  none: events stay in this store. See lineagekit help push"


def _files(folder: str) -> int:
    try:
        return sum(name.endswith((".journal", ".jsonl")) for name in os.listdir(folder))
    except FileNotFoundError:
        return 0
