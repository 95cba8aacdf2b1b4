# SPDX-License-Identifier: Apache-2.0
"""Roles: what a dataset is for, whatever date, version or hash is in its name this time.

>>> role_of("/data/orders/dt=2026-05-01/part-0.parquet")
Role(template='/data/orders/dt={}/part-0.parquet', key='2026-05-01')
>>> role_of("/models/churn-v12.pkl"), role_of("/data/eu_1.csv").key
(Role(template='/models/churn-v{}.pkl', key='12'), '')
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Role(NamedTuple):
    """A name with what moves taken out, and what was taken out: "" where nothing moves."""

    template: str
    key: str


# Longest first: what looks like a part of another is not to be taken for itself.
_MOVING = re.compile(
    r"""
    (?<=[A-Za-z0-9_]=)[^/]+                                              # a partition: dt=..., country=...
    | (?<![0-9A-Fa-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9A-Fa-f])
    | (?<!\d)(?:19|20)\d\d[-_/.]?(?:0[1-9]|1[0-2])(?:[-_/.]?(?:0[1-9]|[12]\d|3[01]))?
      (?:[T_-]?(?:[01]\d|2[0-3])(?:[:_-]?[0-5]\d(?:[:_-]?[0-5]\d)?)?)?(?!\d)
    | (?<![0-9A-Za-z])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}(?![0-9A-Za-z])
    | (?<=[-_/.]v)\d+(?:\.\d+)*(?![0-9A-Za-z])                            # v12, v1.2
    | (?<!\d)\d{4,}(?!\d)                                                # counters, seconds since 1970
    """,
    re.VERBOSE,
)


def renamed(name: str, template: str) -> str:
    """The name of another role, with what moves in this one.

    >>> renamed("/old/2026-05-01/a.csv", "/new/{}/a.csv")
    '/new/2026-05-01/a.csv'
    """
    moving = (found[0] for found in _MOVING.finditer(name))
    first, *more = template.split("{}")
    return first + "".join(next(moving, "") + one for one in more)


@lru_cache(maxsize=65_536)
def role_of(name: str) -> Role:
    """The role of a dataset's name, and its key in it."""
    keys: list[str] = []

    def take(found: re.Match[str]) -> str:
        keys.append(found[0])
        return "{}"

    template = _MOVING.sub(take, name)
    return Role(template, "/".join(keys))
