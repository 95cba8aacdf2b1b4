# SPDX-License-Identifier: Apache-2.0
"""Good questions about a made-up company, with their answers, which need no store.

    >>> answer(Company.of(50, days=200)).feed  # doctest: +SKIP
    Reach(name='/data/raw/payments_3.parquet', jobs=21, datasets=21, models=7)

"Downstream" and "upstream" are by binding: a run is downstream of the run whose output it read, part by part, and of
nothing that merely has equal bytes.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from company import Company, Job
from runs import run_id

MOST_NODES = 1000


class Reach(NamedTuple):
    """All that hangs on a feed by name, over all days; its answer has `jobs + datasets` nodes beside the feed."""

    name: str
    jobs: int
    datasets: int
    models: int

    @property
    def nodes(self) -> int:
        """Of the answer."""
        return self.jobs + self.datasets


class Used(NamedTuple):
    """What was done with one content of a feed, on all days on which the feed held it; failed runs count as well."""

    name: str
    digest: str
    days: tuple[int, ...]
    direct: int
    """Runs that read it."""
    runs: int
    """These, and all downstream of them."""
    builds: int
    """Of these, the ones that made a version of a model."""


class Model(NamedTuple):
    """A model, with its newest version."""

    name: str
    path: str
    versions: int
    digest: str
    run: str
    upstream: int
    """Runs that the newest build came from, itself among them."""


class Answers(NamedTuple):
    """Each is a question and its answer."""

    feed: Reach
    """An ordinary one."""
    wide: Reach
    """The one that most hangs on, within a thousand nodes."""
    widest: Reach
    """The one that most hangs on."""
    used: Used
    """One day's content of `feed`."""
    used_widely: Used
    """One day's content of `wide`."""
    returned: Used | None
    """Content that went away and came back; None in a history of a few days."""
    model: Model
    """One that comes from `feed`."""
    windowed: Model | None
    """One that comes from many parts of a partitioned set; None in a small company that has no such model."""


def answer(company: Company) -> Answers:
    """Choose the questions and answer them."""
    reaches = sorted((reach(company, feed) for feed in range(len(company.feeds))), key=lambda one: one.nodes)
    with_model = [one for one in reaches if one.models]
    small = [one for one in with_model if one.nodes <= MOST_NODES] or with_model
    feed = _ordinary(company, with_model)
    number = company.names.index(feed.name)
    returning = max(_returning(company), key=lambda found: len(found[1]), default=None)
    trained = [job for job in _downstream(company, number) if job.layer == "train"]
    return Answers(
        feed=feed,
        wide=small[-1],
        widest=reaches[-1],
        used=used(company, number, company.days // 2),
        used_widely=used(company, company.names.index(small[-1].name), company.days // 2),
        returned=used(company, returning[0], returning[1][0]) if returning else None,
        model=model(company, trained[0]),
        windowed=_windowed(company),
    )


def _ordinary(company: Company, reaches: list[Reach]) -> Reach:
    """In the middle of the first domain's daily feeds, so that it is much the same whatever the company's size."""
    middle = company.days // 2
    new = [feed.name for feed in company.feeds if feed.contents.count(feed.contents[middle]) == 1]
    near = [one for one in reaches if one.name.startswith(f"/data/raw/{company.jobs[0].domain}_")]
    daily = [one for one in near if one.name in new] or near
    return daily[len(daily) // 2]


def reach(company: Company, feed: int) -> Reach:
    """By name, what hangs on a feed."""
    jobs = _downstream(company, feed)
    return Reach(company.names[feed], len(jobs), len(jobs), sum(job.layer == "train" for job in jobs))


def used(company: Company, feed: int, day: int) -> Used:
    """What became of a feed's content of this day, on whatever day it was read."""
    contents = company.feeds[feed].contents
    days = tuple(other for other in range(company.days) if contents[other] == contents[day])
    held, readers, below = set(days), company.readers.get(feed, []), _downstream(company, feed)

    @cache
    def touched(job: Job, on: int) -> bool:
        return (feed in job.reads and on in held) or any(touched(*source) for source in company.sources(job, on))

    runs = [(job, on) for on in range(min(days), company.days) for job in below if touched(job, on)]
    builds = sum(job.layer == "train" and on not in job.fails for job, on in runs)
    return Used(company.names[feed], company.feed_digest(feed, day), days, len(readers) * len(days), len(runs), builds)


def model(company: Company, job: Job) -> Model:
    """The model that a job trains."""
    (last,) = company.written(job, company.days - 1)
    found, todo = {(job, last)}, [(job, last)]
    while todo:
        new = set(company.sources(*todo.pop())) - found
        found |= new
        todo += new
    versions = company.days - len(job.fails)
    path, run = company.names[job.writes], run_id(company, job, last)
    return Model(job.model, path, versions, company.model_digest(job, last), run, len(found))


def _downstream(company: Company, dataset: int) -> list[Job]:
    """Jobs, upstream first."""
    found: dict[int, Job] = {}
    todo = [dataset]
    while todo:
        for job in company.readers.get(todo.pop(), []):
            if job.index not in found:
                found[job.index] = job
                todo.append(job.writes)
    return [found[index] for index in sorted(found)]


def _windowed(company: Company) -> Model | None:
    below = [job for parts in company.jobs if parts.parts for job in _downstream(company, parts.writes)]
    return next((model(company, job) for job in below if job.layer == "train"), None)


def _returning(company: Company) -> list[tuple[int, list[int]]]:
    """Feeds, each with the days of a content that was there before and after another one."""
    found = []
    for number, feed in enumerate(company.feeds):
        for day in range(company.days // 3, company.days):
            before = [other for other in range(day) if feed.contents[other] == feed.contents[day]]
            if before and before[-1] < day - 1 and company.readers.get(number):
                found.append((number, [*before, day]))
                break
    return found
