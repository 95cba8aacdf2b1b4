# SPDX-License-Identifier: Apache-2.0
"""What producers are known to get wrong, put right on the way into the index. The log keeps every event as it came.

A producer is known by the URI that its events carry. `read` sees one event and what was read of it: it may change what
that says, and leave a note. `mend` sees all events of a run together, where notes were left; only there is it known
what a run came to. Neither knows in which order events came, so that any order gives the same index.

>>> known_producer("https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark").name
'spark'
>>> known_producer("https://example.com/my-script") is None
True
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from lineagekit.events.lenient import Facets
from lineagekit.events.producers import airflow, spark
from lineagekit.events.said import Said, Told

Read = Callable[[Facets, Said], Said]
Mend = Callable[[Told, Sequence[Said]], Told]


def as_told(told: Told, events: Sequence[Said]) -> Told:
    """The `mend` of a producer whose events are right one by one."""
    return told


class Producer(NamedTuple):
    """One that has to be understood, rather than just read."""

    name: str
    uri: re.Pattern[str]
    read: Read
    mend: Mend = as_told


AIRFLOW = Producer("airflow", re.compile(r"https://github\.com/apache/airflow/.*openlineage\b"), airflow.read)
SPARK = Producer("spark", re.compile(r"https://github\.com/OpenLineage/.*/integration/spark\b"), spark.read, spark.mend)

PRODUCERS = (AIRFLOW, SPARK)


@lru_cache(maxsize=1024)
def known_producer(uri: str) -> Producer | None:
    """The producer of events that carry this URI, if it is one of these. Remembered: a log has few, a million times."""
    return next((producer for producer in PRODUCERS if producer.uri.match(uri)), None)


def mend(told: Told, events: Sequence[Said]) -> Told:
    """A run as it was, where its events only say what its producer took it for."""
    senders = {producer.name for said in events if said.note is not None and (producer := known_producer(said.sender))}
    for producer in PRODUCERS:
        if producer.name in senders:
            told = producer.mend(told, events)
    return told
