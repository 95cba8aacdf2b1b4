# SPDX-License-Identifier: Apache-2.0
"""Who is asked about a dataset or a job, by the patterns of the settings.

>>> owners_in({"/data/crm/**": "crm-team", "/data/*": "ann"}, "/data/crm/2026/a.csv")
['crm-team']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from lineagekit.events.account import Account, Use


def owners_in(patterns: Mapping[str, str], title: str) -> list[str]:
    """Who the settings say is asked about this: of several patterns that fit, the first."""
    return next(([owner] for pattern, owner in patterns.items() if _pattern(pattern).fullmatch(title)), [])


def with_owners(account: Account, patterns: Mapping[str, str]) -> Account:
    """The account with the owners of its job and of its data; an owner whom the author named for the job is one too."""
    if not patterns:
        return account
    job = f"{account.namespace or 'default'}/{account.job}"
    return replace(
        account,
        owners=tuple(owners_in(patterns, job)),
        inputs=tuple(_owned(account.inputs, patterns)),
        outputs=tuple(_owned(account.outputs, patterns)),
    )


def _owned(uses: Iterable[Use], patterns: Mapping[str, str]) -> Iterable[Use]:
    for use in uses:
        owners = owners_in(patterns, dataset_title(use.namespace, use.name))
        yield replace(use, owners=tuple(owners)) if owners else use


def dataset_title(namespace: str, name: str) -> str:
    """What a person calls it: a path, or namespace and name."""
    return name if namespace == "file" else f"{namespace}/{name}".replace("///", "//")


@lru_cache(maxsize=1000)
def _pattern(text: str) -> re.Pattern[str]:
    """`**` is anything, `*` and `?` anything but a slash."""
    parts = (("**", ".*"), ("*", "[^/]*"), ("?", "[^/]"))
    told = "".join(dict(parts).get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", text))
    return re.compile(told.removesuffix("/.*") + "(/.*)?" if told.endswith("/.*") else told, re.DOTALL)
