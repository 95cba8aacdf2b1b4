# SPDX-License-Identifier: Apache-2.0
"""Runs of a made-up company as accounts, and their events as text, many thousands a second.

`build_events` takes 0.5 ms for a run. So it is asked once for each job, about a run whose every number, digest and time
occurs nowhere else; where these stand in the text, those of any other run can be put.

    >>> [json.loads(told.text)["eventType"] for told in teller.events(run)]  # doctest: +SKIP
    ['START', 'COMPLETE']
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from company import Company
from runs import Bytes, Codes, Part, Run, part_path

from lineagekit.agent.evidence import Evidence
from lineagekit.events import account as told
from lineagekit.events.build import build_events
from lineagekit.events.values import exact_moment, moment
from lineagekit.identity.digest import Digest
from lineagekit.identity.snapshot import Snapshot

_PACKAGES = """
pandas 2.2.3, numpy 2.1.2, pyarrow 17.0.0, scikit-learn 1.5.2, scipy 1.14.1, joblib 1.4.2, lightgbm 4.5.0, six 1.16.0,
requests 2.32.3, urllib3 2.2.3, certifi 2024.8.30, idna 3.10, charset-normalizer 3.4.0, python-dateutil 2.9.0,
pytz 2024.2, tzdata 2024.2, threadpoolctl 3.5.0, fsspec 2024.9.0, s3fs 2024.9.0, boto3 1.35.36, botocore 1.35.36,
aiohttp 3.10.9, attrs 24.2.0, multidict 6.1.0, yarl 1.14.0, frozenlist 1.4.1, pydantic 2.9.2, PyYAML 6.0.2,
typing-extensions 4.12.2, tqdm 4.66.5
"""
_ENVIRONMENT = {
    "python": "3.11.9",
    "platform": "Linux-6.1.0-26-amd64-x86_64-with-glibc2.36",
    "hardware": {"cpus": 8, "memory": 33_567_375_360},
    "packages": dict(package.split() for package in _PACKAGES.split(",")),
}
_TYPES = ("int64", "float64", "utf8", "date32", "bool")
_COLUMNS = 20
_BETWEEN_READS = 1_300_000_137


class Told(NamedTuple):
    """An event."""

    time: int
    """In microseconds."""
    text: str
    brief: dict[str, Any]
    """As much of the event as `entry_of` and the row of a run need: nothing has to be parsed for the store."""


class _Form(NamedTuple):
    """Text of an event with gaps, and which of a run's spelled values go there."""

    text: str
    pick: Callable[[list[str]], tuple[str, ...]]


class Teller:
    """Tells of runs."""

    def __init__(self, company: Company) -> None:
        """Nothing is built before it is asked for."""
        self._company = company
        self._forms: dict[tuple[int, bool], list[_Form]] = {}

    def account(self, run: Run) -> told.Account:
        """A run, told in full."""
        job = run.job
        entry = f"/srv/{job.domain}/{job.name}"
        return told.Account(
            run=run.run,
            job=job.name,
            namespace=job.domain,
            journal=run.journal,
            began=run.began,
            ended=run.ended,
            state="FAIL" if run.failed else "COMPLETE",
            error="Traceback (most recent call last):\nValueError: no rows for this day" if run.failed else "",
            how="process",
            host=f"{job.domain}-worker-{job.index % 4}",
            cwd=f"/srv/{job.domain}",
            entry=entry,
            argv=(job.name, "--date", run.date),
            exit=int(run.failed),
            extra={"owner": job.owner} if job.owner else {},
            inputs=tuple(self._use(run, *numbered) for numbered in enumerate(job.reads)),
            outputs=() if run.failed else (self._written(run),),
            params=_params(run),
            metrics=() if run.failed else self._metrics(run),
            code=_code(run, entry),
            environment=_ENVIRONMENT,
        )

    def events(self, run: Run) -> list[Told]:
        """START, if it was heard, and COMPLETE or FAIL."""
        forms = self._forms.get((run.job.index, run.failed))
        if forms is None:
            forms = self._forms[run.job.index, run.failed] = self._make_forms(run)
        values = _spell(run)
        whole = [
            Told(time // 1000, form.text % form.pick(values), _brief(run, sequence, type_, moment(time)))
            for sequence, (form, type_, time) in enumerate(
                zip(forms, ("START", "FAIL" if run.failed else "COMPLETE"), (run.began, run.ended), strict=True)
            )
        ]
        return whole if run.heard else whole[1:]

    def _make_forms(self, run: Run) -> list[_Form]:
        unlike = _unlike_any(run)
        places = {value: place for place, value in enumerate(_spell(unlike))}
        gap = re.compile("|".join(map(re.escape, places)))
        forms = []
        for event in build_events(self.account(unlike)):
            text = json.dumps(event, separators=(",", ":")).replace("%", "%%")
            forms.append(_Form(gap.sub("%s", text), _picker([places[found] for found in gap.findall(text)])))
        return forms

    def _use(self, run: Run, place: int, dataset: int) -> told.Use:
        at, writer = run.began + (place + 1) * _BETWEEN_READS, self._company.writer(dataset)
        if writer is not None and writer.layer == "train":
            return _file(self._company.names[dataset], run.inputs[place], at=at, door="joblib.load")
        return self._table(dataset, run.inputs[place], at=at, door="pandas.read_parquet")

    def _written(self, run: Run) -> told.Use:
        job, name = run.job, self._company.names[run.job.writes]
        at = _written_at(run)
        if job.layer == "train":
            model = told.ModelName(job.model, str(run.version))
            return _file(name, run.output, at=at, door="joblib.dump", model=model)
        if job.layer == "evaluate":
            return _file(name, run.output, at=at, door="open")
        return self._table(job.writes, run.output, at=at, door="pandas.DataFrame.to_parquet")

    def _table(self, dataset: int, seen: Bytes, *, at: int, door: str) -> told.Use:
        """One table of three has columns."""
        name = self._company.names[dataset]
        columns = _columns(dataset) if dataset % 3 == 0 else ()
        if seen.parts:
            return _folder(name, seen, at=at, door=door, columns=columns)
        snapshot = Snapshot(
            name, "table", (Digest("blake3", seen.hex),), bytes=seen.size, rows=seen.rows, columns=columns
        )
        evidence = _evidence(name, seen.size, seen.mtime)
        return told.Use(
            "file", name, path=name, snapshot=snapshot, evidence=evidence, format="parquet", at=at, door=door
        )

    def _metrics(self, run: Run) -> tuple[told.Metric, ...]:
        """Models that no job evaluates are measured by the job that trains them."""
        job, names = run.job, self._company.names
        evaluated = job.layer == "train" and self._company.readers.get(job.writes)
        if not job.model or evaluated:
            return ()
        model = names[job.writes if job.layer == "train" else job.reads[0]]
        return (told.Metric("auc", run.auc, of=model, on=names[job.reads[-1]], higher_is_better=True),)


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    return itemgetter(*places)


def _brief(run: Run, sequence: int, type_: str, time: str) -> dict[str, Any]:
    return {
        "eventType": type_,
        "eventTime": time,
        "run": {"runId": run.run, "facets": {"lineagekit_event": {"journal": run.journal, "sequence": sequence}}},
        "job": {"namespace": run.job.domain, "name": run.job.name},
        "inputs": run.inputs,
        "outputs": () if run.failed else (run.output,),
    }


def _written_at(run: Run) -> int:
    """A moment after the file was."""
    return run.output.mtime + 40_211


def _evidence(name: str, size: int, mtime: int) -> Evidence:
    return Evidence(size, mtime, mtime, 1_000_000 + sum(name.encode()) * len(name), 2049)


def _file(name: str, seen: Bytes, *, at: int, door: str, model: told.ModelName | None = None) -> told.Use:
    snapshot = Snapshot(name, "file", (Digest("blake3", seen.hex),), bytes=seen.size)
    return told.Use(
        "file",
        name,
        path=name,
        snapshot=snapshot,
        evidence=_evidence(name, seen.size, seen.mtime),
        format=name.rpartition(".")[2],
        at=at,
        door=door,
        model=model,
    )


def _folder(name: str, seen: Bytes, *, at: int, door: str, columns: told.Columns) -> told.Use:
    parts = tuple(
        told.Part(
            part_path(part.date),
            part.size,
            f"blake3:{part.hex}",
            _evidence(f"{name}/{part_path('2026-01-01')}", part.size, part.mtime),
        )
        for part in seen.parts
    )
    snapshot = Snapshot(
        name, "directory", (Digest("lkd1", seen.hex),), bytes=seen.size, files=len(parts), rows=seen.rows
    )
    return told.Use(
        "file",
        name,
        path=name,
        snapshot=snapshot,
        format="parquet",
        at=at,
        door=door,
        columns=columns,
        bytes=seen.size,
        files=parts,
    )


def _columns(dataset: int) -> told.Columns:
    return tuple((f"c{dataset}_{place}", _TYPES[(dataset + place) % len(_TYPES)]) for place in range(_COLUMNS))


def _params(run: Run) -> dict[str, object]:
    if run.job.layer == "train":
        return {"learning_rate": 0.05, "max_depth": 4 + run.job.index % 5, "seed": 7, "date": run.date}
    return {"date": run.date, "days": 7}


def _code(run: Run, entry: str) -> told.Code:
    domain, digests = run.job.domain, run.codes.digests
    modules = (
        ("__main__", entry),
        (f"{domain}.tables", f"/srv/{domain}/{domain}/tables.py"),
        ("acme.io", "/srv/acme/io.py"),
    )
    return told.Code(
        repository=f"git@github.com:acme/{domain}.git",
        commit=run.codes.commit,
        dirty=False,
        entry=run.job.name,
        modules=tuple(
            (*module, (f"ast1;python=3.11:{digests[2 * place]}", f"sha256:{digests[2 * place + 1]}"))
            for place, module in enumerate(modules)
        ),
    )


def _spell(run: Run) -> list[str]:
    """All that differs from run to run, as it stands in the text of an event."""
    codes, began = run.codes, run.began
    values = [run.run, run.journal, run.date, moment(began), moment(run.ended), repr(run.auc), f'"{run.version}"']
    values += (codes.commit, *codes.digests)
    for place, seen in enumerate(run.inputs):
        values.append(exact_moment(began + (place + 1) * _BETWEEN_READS))
        _spell_bytes(seen, values)
    values.append(exact_moment(_written_at(run)))
    _spell_bytes(run.output, values)
    return values


def _spell_bytes(seen: Bytes, values: list[str]) -> None:
    values += (seen.hex, str(seen.size), str(seen.rows), str(seen.mtime))
    for part in seen.parts:
        values += (part.date, part.hex, str(part.size), str(part.mtime))


def _unlike_any(run: Run) -> Run:
    """A run of the same job with values that stand for themselves wherever they are found."""
    count = iter(range(100, 1000))

    def bytes_like(seen: Bytes) -> Bytes:
        parts = tuple(
            Part(f"3{next(count)}-09-09", _hex(next(count)), 7 * 10**17 + next(count), 5 * 10**18 + next(count))
            for _ in seen.parts
        )
        return Bytes(
            _hex(next(count)), 7 * 10**17 + next(count), 8 * 10**17 + next(count), 5 * 10**18 + next(count), parts
        )

    return run._replace(
        date="3999-09-09",
        run="eeeeeeee-eeee-7eee-8eee-eeeeeeeeeeee",
        journal="dddddddd-dddd-7ddd-8ddd-dddddddddddd",
        began=6 * 10**18,
        ended=6 * 10**18 + 4 * 10**12,
        codes=Codes("c" * 40, tuple(_hex(next(count)) for _ in run.codes.digests)),
        auc=0.13571357,
        version=987_654_321,
        inputs=tuple(map(bytes_like, run.inputs)),
        output=bytes_like(run.output),
    )


def _hex(number: int) -> str:
    return f"fa{number:04}ce" * 8
