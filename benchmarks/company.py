# SPDX-License-Identifier: Apache-2.0
"""A company that is not there: its raw feeds, its jobs, and who reads what, on which day.

    >>> company = Company.of(jobs=50, days=200)  # doctest: +SKIP
    >>> company.jobs[0].reads, company.names[company.jobs[0].reads[0]]  # doctest: +SKIP
    ((1, 3, 0), '/data/raw/payments_1.parquet')

Domains of about fifty jobs, in layers: raw feeds that nobody writes, clean, join, features, train, evaluate. Every job
runs once a day. Datasets are numbered: feeds first, then what each job writes. Whatever is asked here (what a feed held
on a day, whose bytes a run read) is a function of the seed, so a benchmark knows the answer without a store.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

LAYERS = ("clean", "join", "features", "train", "evaluate")
WINDOW = 28
"""Parts of a partitioned set that its reader reads: the newest."""

_SHARES = (0.30, 0.22, 0.26, 0.14, 0.08)
_DOMAIN = 50  # jobs
_HUB = 20  # domains that share a feed
_WORDS = [
    "payments", "risk", "orders", "fraud", "claims", "search", "ads", "pricing",
    "supply", "churn", "support", "growth", "billing", "fleet", "catalog", "credit",
]  # fmt: skip


class Feed(NamedTuple):
    """A raw feed. `contents[day]` numbers what it holds; `arrived[day]` is the day when that file was put there."""

    name: str
    contents: tuple[int, ...]
    arrived: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A job, what it reads and writes (numbers of datasets), and the days on which something went wrong."""

    index: int
    layer: str
    domain: str
    name: str
    reads: tuple[int, ...]
    writes: int
    minute: int
    """When it begins, after its layer does."""
    owner: str = ""
    model: str = ""
    """Name of the model that it trains, or evaluates."""
    parts: bool = False
    """It writes one part a day."""
    fails: frozenset[int] = frozenset()
    unstarted: frozenset[int] = frozenset()
    """Days on which nobody heard its START."""


class Company:
    """All that there is, for some days."""

    def __init__(self, seed: int, days: int, feeds: list[Feed], jobs: list[Job]) -> None:
        """Take over feeds and jobs; `of` makes them up."""
        self.seed, self.days, self.feeds, self.jobs = seed, days, feeds, jobs
        self.names = [feed.name for feed in feeds] + [output_name(job) for job in jobs]

    @classmethod
    def of(cls, jobs: int, days: int, *, seed: int = 0) -> Company:
        """Make one up; the same for the same seed."""
        rng = random.Random(f"company/{seed}/{jobs}/{days}")
        domains = [_domain(number) for number in range(max(1, round(jobs / _DOMAIN)))]
        sizes = [jobs // len(domains) + (number < jobs % len(domains)) for number in range(len(domains))]
        feeds, own, shared = _make_feeds(domains, sizes, days, rng)
        made = _Jobs(rng, len(feeds))
        for layer in range(len(LAYERS)):
            for number, (domain, size) in enumerate(zip(domains, sizes, strict=True)):
                made.add_layer(layer, domain, _split(size)[layer], [*own[number], *shared[number]])
        return cls(seed, days, feeds, [_with_days(job, days, rng) for job in made.jobs])

    @cached_property
    def readers(self) -> dict[int, list[Job]]:
        """Jobs by the dataset that they read."""
        found: dict[int, list[Job]] = {}
        for job in self.jobs:
            for source in job.reads:
                found.setdefault(source, []).append(job)
        return found

    def writer(self, dataset: int) -> Job | None:
        """The job that writes a dataset; None for a feed."""
        return self.jobs[dataset - len(self.feeds)] if dataset >= len(self.feeds) else None

    def written(self, job: Job, day: int) -> Iterator[int]:
        """Days whose output is what a reader of this day gets, newest first; older than day 0 were never recorded."""
        good = (one for one in range(day, -1, -1) if one not in job.fails)
        for _ in range(WINDOW if job.parts else 1):
            if (one := next(good, None)) is None:
                return
            yield one

    def sources(self, job: Job, day: int) -> Iterator[tuple[Job, int]]:
        """Runs (job and day) whose outputs the run of this job and day read."""
        for source in job.reads:
            if (writer := self.writer(source)) is not None:
                for written in self.written(writer, day):
                    yield writer, written

    def draw(self, *names: object) -> bytes:
        """32 bytes that depend on nothing but the seed and these names."""
        return hashlib.blake2b(repr((self.seed, names)).encode(), digest_size=32).digest()

    def feed_digest(self, feed: int, day: int) -> str:
        """Hex of what a feed held on a day."""
        return self.draw("feed", feed, self.feeds[feed].contents[day]).hex()

    def model_digest(self, job: Job, day: int) -> str:
        """Hex of the model that was trained on a day: training never gives the same bytes twice."""
        return self.draw("model", job.index, day).hex()


def output_name(job: Job) -> str:
    """The path that a job writes."""
    if job.layer == "train":
        return f"/data/models/{job.model}.joblib"
    stem = job.name.rpartition("/")[2].removesuffix(".py")
    return f"/data/{job.layer}/{stem}" + ("" if job.parts else ".json" if job.layer == "evaluate" else ".parquet")


class _Jobs:
    """Jobs as they are made, layer by layer, so that each finds what it may read."""

    def __init__(self, rng: random.Random, feeds: int) -> None:
        self.jobs: list[Job] = []
        self._rng, self._feeds = rng, feeds
        self._outputs: dict[tuple[str, str], list[int]] = {}
        self._parts: dict[str, int] = {}
        self._models: dict[str, list[Job]] = {}

    def add_layer(self, layer: int, domain: str, count: int, feeds: list[int]) -> None:
        for number in range(count):
            named = f"pipelines/{LAYERS[layer]}/{domain}_{number}.py"
            reads = self._reads(layer, domain, number, feeds)
            job = Job(
                index=len(self.jobs),
                layer=LAYERS[layer],
                domain=domain,
                name=named,
                reads=reads,
                writes=self._feeds + len(self.jobs),
                minute=self._rng.randrange(120),
                owner=f"{domain}@acme.example" if self._rng.random() < 0.25 else "",
            )
            self._keep(self._with_role(job, number, count))

    def _with_role(self, job: Job, number: int, count: int) -> Job:
        """Models get names; in one of two domains the last of the first layer writes parts."""
        if job.layer == "train":
            trained = sum(map(len, self._models.values()))
            job = replace(job, model=f"model-{trained}")
            self._models.setdefault(job.domain, []).append(job)
        elif job.layer == "evaluate":
            models = self._models[job.domain]
            job = replace(job, model=models[number % len(models)].model)
        elif job.layer == "clean" and number == count - 1 and len(self._domains()) % 2:
            job = replace(job, parts=True)
        return job

    def _keep(self, job: Job) -> None:
        self.jobs.append(job)
        if job.parts:
            self._parts[job.domain] = job.writes
        else:
            self._outputs.setdefault((job.layer, job.domain), []).append(job.writes)

    def _reads(self, layer: int, domain: str, number: int, feeds: list[int]) -> tuple[int, ...]:
        if layer == 0:
            return self._feeds_of(number, feeds)
        below = self._outputs[LAYERS[min(layer, 3) - 1], domain]
        reads = self._rng.sample(below, min(3, len(below)))
        if layer == 1 and self._rng.random() < 0.15:
            reads[-1] = self._rng.choice(self._outputs[LAYERS[0], self._rng.choice(self._domains())])
        elif layer == 2 and number == 0 and domain in self._parts:
            reads[-1] = self._parts[domain]
        elif layer == 4:
            models = self._models[domain]
            reads = [models[number % len(models)].writes, *reads[:2]]
        return tuple(dict.fromkeys(reads))

    def _domains(self) -> list[str]:
        return [domain for layer, domain in self._outputs if layer == LAYERS[0]]

    def _feeds_of(self, number: int, feeds: list[int]) -> tuple[int, ...]:
        """Neighbours, so that some jobs read slow feeds only; the first jobs read what the company shares."""
        own, shared = feeds[:-2], feeds[-2:]
        first = number * 8 // 5 % len(own)
        reads = [own[(first + step) % len(own)] for step in range(min(3, len(own)))]
        if number < len(shared):
            reads[-1] = shared[number]
        return tuple(dict.fromkeys(reads))


def _domain(number: int) -> str:
    again, word = divmod(number, len(_WORDS))
    return _WORDS[word] + (f"{again + 1}" if again else "")


def _split(size: int) -> list[int]:
    """Jobs of a domain in each layer: at least one, and the first layer takes the rest."""
    counts = [max(1, round(size * share)) for share in _SHARES]
    return [max(2, size - sum(counts[1:])), *counts[1:]]


def _make_feeds(
    domains: list[str], sizes: list[int], days: int, rng: random.Random
) -> tuple[list[Feed], list[list[int]], list[list[int]]]:
    """All feeds; then, for each domain, those of its own and the two that it shares with others."""
    feeds = [_feed("/data/raw/calendar.parquet", "static", days, rng)]
    own: list[list[int]] = []
    for domain, size in zip(domains, sizes, strict=True):
        count = max(3, round(_split(size)[0] * 1.6))
        own.append(list(range(len(feeds), len(feeds) + count)))
        feeds += [
            _feed(f"/data/raw/{domain}_{place}.parquet", _pace(place, count), days, rng) for place in range(count)
        ]
    hubs = [len(feeds) + number for number in range(-(-len(domains) // _HUB))]
    feeds += [_feed(f"/data/raw/shared_{number}.parquet", "daily", days, rng) for number in range(len(hubs))]
    return feeds, own, [[hubs[number // _HUB], 0] for number in range(len(domains))]


def _pace(place: int, count: int) -> str:
    """The last third of a domain's feeds is slow; of the others one in nine has contents that return."""
    return "weekly" if place >= count * 0.67 else "returning" if place % 9 == 1 else "daily"


def _feed(name: str, pace: str, days: int, rng: random.Random) -> Feed:
    contents: list[int] = []
    arrived: list[int] = []
    offset = rng.randrange(90)
    for day in range(days):
        every = {"weekly": 7, "static": 90}.get(pace, 1)
        due = day - (day + offset) % every
        content = due
        if pace == "daily" and contents and rng.random() < 0.06:
            content = contents[-1]  # sent again, with nothing new in it
        elif pace == "returning" and day >= 7 and (day + offset) % 11 < 2:
            content = contents[day - 7]
        contents.append(content)
        arrived.append(due)
    return Feed(name, tuple(contents), tuple(arrived))


def _with_days(job: Job, days: int, rng: random.Random) -> Job:
    return replace(
        job, fails=frozenset(_some(range(1, days), 0.01, rng)), unstarted=frozenset(_some(range(days), 0.005, rng))
    )


def _some(days: Iterable[int], share: float, rng: random.Random) -> Iterator[int]:
    return (day for day in days if rng.random() < share)
