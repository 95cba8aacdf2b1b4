# SPDX-License-Identifier: Apache-2.0
"""What the jobs of a company do, day by day: which bytes each run read, and which it wrote.

    >>> [run.job.name for run in simulate(Company.of(6, days=1))][0]  # doctest: +SKIP
    'pipelines/clean/payments_0.py'

A run reads the newest bytes that its upstream had written by then. What a job writes is a function of its code and of
what it read: unchanged inputs give the same bytes again, in a file that was written again. Training alone never
repeats itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import blake2b
from typing import NamedTuple

from company import LAYERS, WINDOW, Company, Job

from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest

DAY = 86_400_000_000_000  # nanoseconds, as all times here
AFTER = date(2026, 11, 1)
"""The day after the last one, of every history."""

_SECOND = 1_000_000_000
_HOUR = dict(zip(LAYERS, (1, 4, 7, 10, 15), strict=True))
_FIRST_PART = date(1970, 1, 1)
_STAY = 20  # of 256 changes of the input that leave an output as it was


class Bytes(NamedTuple):
    """A dataset as it was at some time. Equal `hex` is equal content, equal `mtime` too is the same file."""

    hex: str
    size: int
    rows: int
    mtime: int
    parts: tuple[Part, ...] = ()


class Part(NamedTuple):
    """One day of a partitioned set."""

    date: str
    hex: str
    size: int
    mtime: int


class Codes(NamedTuple):
    """A commit, and for each of three modules its two digests."""

    commit: str
    digests: tuple[str, ...]


class Run(NamedTuple):
    """One run: all that differs from one day to the next."""

    job: Job
    day: int
    date: str
    run: str
    journal: str
    began: int
    ended: int
    failed: bool
    heard: bool
    """Its START was."""
    codes: Codes
    auc: float
    version: int
    """Of the model, if it trains one."""
    inputs: tuple[Bytes, ...]
    output: Bytes


def day_time(company: Company, day: int) -> int:
    """When a day begins."""
    return ((AFTER - _FIRST_PART).days - company.days + day) * DAY


def date_of(company: Company, day: int) -> str:
    """A day as people write it."""
    return (AFTER - timedelta(days=company.days - day)).isoformat()


def run_id(company: Company, job: Job, day: int) -> str:
    """The id of the run of a job on a day."""
    return _ids(company, job, day)[0]


def simulate(company: Company) -> Iterator[Run]:
    """All runs, day by day, upstream first."""
    state = _State(company)
    for day in range(company.days):
        state.receive(day)
        yield from (state.run(job, day) for job in company.jobs)


class _State:
    """The newest bytes of each dataset."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._bytes: list[Bytes] = [Bytes("", 0, 0, 0)] * len(company.names)
        self._parts = {job.writes: self._early_parts(job) for job in company.jobs if job.parts}
        self._versions = [0] * len(company.jobs)
        self._commits: dict[tuple[str, int], str] = {}
        self._modules: dict[str, tuple[str, str]] = {}

    def receive(self, day: int) -> None:
        """Whatever feeds bring on this day; what lay there already on the first."""
        for number, feed in enumerate(self._company.feeds):
            if day == 0 or feed.arrived[day] == day:
                hex_ = self._company.feed_digest(number, day)
                came = day_time(self._company, feed.arrived[day]) + int(hex_[:9], 16) * 25
                self._bytes[number] = _as_file(hex_, came)

    def run(self, job: Job, day: int) -> Run:
        """The run of a job on this day, which may change what its readers read."""
        company = self._company
        run, journal, drawn = _ids(company, job, day)
        began = day_time(company, day) + _HOUR[job.layer] * 3600 * _SECOND + job.minute * 60 * _SECOND
        began += drawn % (30 * _SECOND)
        ended = began + (60 + drawn % 1100) * _SECOND + drawn % _SECOND
        inputs = tuple([self._bytes[source] for source in job.reads])
        failed = day in job.fails
        codes = self._code(job, day)
        output = self._bytes[job.writes]
        if not failed:
            self._versions[job.index] += 1
            output = self._write(job, day, codes, ended - 2 * _SECOND - drawn % _SECOND)
        return Run(
            job,
            day,
            date_of(company, day),
            run,
            journal,
            began,
            ended,
            failed,
            day not in job.unstarted,
            codes,
            0.75 + drawn % 2000 / 10_000,
            self._versions[job.index],
            inputs,
            output,
        )

    def _write(self, job: Job, day: int, codes: Codes, at: int) -> Bytes:
        if job.layer == "train":
            hex_ = self._company.model_digest(job, day)
        else:
            read = "".join([self._bytes[source].hex for source in job.reads])
            hex_ = blake2b(f"{job.index}{codes.digests}{read}".encode(), digest_size=32).hexdigest()
            before = self._bytes[job.writes].hex
            if before and not job.parts and int(hex_[:2], 16) < _STAY:
                hex_ = before
        written = _as_file(hex_, at)
        if not job.parts:
            self._bytes[job.writes] = written
            return written
        parts = self._parts[job.writes]
        parts.append(Part(date_of(self._company, day), *written[:2], at))
        self._bytes[job.writes] = _as_folder(tuple(parts))
        return _as_folder((parts[-1],))

    def _early_parts(self, job: Job) -> deque[Part]:
        """Written before anybody recorded anything."""
        company, parts = self._company, deque[Part](maxlen=WINDOW)
        for day in range(-WINDOW, 0):
            written = _as_file(company.draw("part", job.index, day).hex(), day_time(company, day) + 7200 * _SECOND)
            parts.append(Part(date_of(company, day), *written[:2], written.mtime))
        return parts

    def _code(self, job: Job, day: int) -> Codes:
        """A commit every third day; a change of the script, its domain's module or the company's every month or so."""
        ages = (
            f"{job.index}/{(day + job.minute) // 60}",
            f"{job.domain}/{(day + len(job.domain) * 7) // 90}",
            f"{(day + 40) // 180}",
        )
        return Codes(self._commit(job.domain, day // 3), tuple([hex_ for age in ages for hex_ in self._digests(age)]))

    def _commit(self, domain: str, number: int) -> str:
        if (domain, number) not in self._commits:
            self._commits[domain, number] = self._company.draw("commit", domain, number).hex()[:40]
        return self._commits[domain, number]

    def _digests(self, age: str) -> tuple[str, str]:
        if age not in self._modules:
            ast, source = (self._company.draw("code", age, way).hex() for way in ("ast", "source"))
            self._modules[age] = ast, source
        return self._modules[age]


def _ids(company: Company, job: Job, day: int) -> tuple[str, str, int]:
    """Ids of run and journal, in the order of time as real ones are, and a number to draw from."""
    drawn = company.draw("run", job.index, day)
    hex_ = drawn.hex()
    began = day_time(company, day) // 1_000_000 + (_HOUR[job.layer] * 60 + job.minute) * 60_000
    return _uuid(began, hex_[:18]), _uuid(began - 40, hex_[18:36]), int.from_bytes(drawn[18:26], "little")


def _uuid(milliseconds: int, hex_: str) -> str:
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7{hex_[:3]}-8{hex_[3:6]}-{hex_[6:18]}"


def _as_file(hex_: str, at: int) -> Bytes:
    """Equal bytes are equally long."""
    size = 40_000 + int(hex_[:6], 16)
    return Bytes(hex_, size, size // 61, at)


def _as_folder(parts: tuple[Part, ...]) -> Bytes:
    entries = [Entry(part_path(part.date), part.size, Digest("blake3", part.hex)) for part in parts]
    manifest = Manifest.from_entries(entries)
    return Bytes(manifest.digest.hex, manifest.size, manifest.size // 61, parts[-1].mtime, parts)


def part_path(day: str) -> str:
    """Of a part, below its folder."""
    return f"dt={day}/part-0.parquet"
