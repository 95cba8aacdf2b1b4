# SPDX-License-Identifier: Apache-2.0
"""Attach: a session's builder learns to load the agent, and gives the session it would have given anyhow.

    >>> spark = attach(SparkSession.builder.appName("daily"), namespace="shop").getOrCreate()  # doctest: +SKIP

Everything is decided when the session is made, so that what is said to the builder after `attach` counts as well. If
Spark does not start with the agent (no network for its package, a class that is missing), it is started without.
"""

from __future__ import annotations

import os

from lineagekit.agent.border import border
from lineagekit.agent.process import is_disabled
from lineagekit_spark.hooks import aside
from lineagekit_spark.preparing import Prepared, prepare, watch
from lineagekit_spark.settings import Wishes

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Builder = TypeVar("Builder")

_MARK = "_lineagekit_attached"


def attach(
    builder: Builder, namespace: str | None = None, *, jar: str | os.PathLike[str] | None = None, **wishes: Any
) -> Builder:
    """Have the session of this builder recorded, and return the builder; never raises for what fails on our side.

    `transport="http", url=...` sends to an endpoint instead of the journal; `delta_full_events=True` switches adaptive
    execution off where Delta's extension would hide queries; `queries=False` leaves the query listener out.
    """
    with border("spark.attach"):
        asked = Wishes(namespace=namespace or "", jar=os.fspath(jar or ""), **wishes)
        asked.refuse_nonsense()
        if not is_disabled() and not getattr(builder, _MARK, False):
            _wrap(builder, asked)
    return builder


def _wrap(builder: Any, wishes: Wishes) -> None:
    original = builder.getOrCreate

    def get_or_create() -> Any:
        prepared: Prepared | None = None
        with border("spark.attach"):
            prepared = prepare(builder, wishes)
        if prepared is None:
            return original()
        try:
            with aside("spark.session"):
                session = original()
        except Exception as error:  # job border: it goes on to the job, unless it is of our making
            if not _gives_way(prepared, error):
                raise
            session = None
        if session is None:
            with aside("spark.session"):
                return original()
        with border("spark.attach"):
            watch(prepared, session)
        return session

    get_or_create.__doc__, get_or_create.__wrapped__ = original.__doc__, original  # type: ignore[attr-defined]
    builder.getOrCreate = get_or_create
    setattr(builder, _MARK, True)


def _gives_way(prepared: Prepared, error: Exception) -> bool:
    """Take back all that we set, where Spark did not start because of it."""
    why = ""
    with border("spark.attach"):
        why = prepared.why_it_failed(error)
        if why:
            prepared.take_back()
            prepared.note(why)
    return bool(why)
