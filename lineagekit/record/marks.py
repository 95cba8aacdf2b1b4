# SPDX-License-Identifier: Apache-2.0
"""How far journals are settled once a batch of runs is in the log; and whether somebody else was faster.

>>> store.append(entries, marks=marks_over(found, store), durable=True)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lineagekit.record.survey import Found, Survey, mark_of
from lineagekit.store.log import Mark, Store


class Overtaken(Exception):
    """Somebody else has settled one of these runs meanwhile: the journals must be looked at anew."""


def marks_over(found: Sequence[Found], store: Store) -> Iterator[Mark]:
    """How far each journal is settled once these runs are; and where one run ends while an earlier one goes on.

    The log asks for them in the midst of its transaction, and that is the place for raising Overtaken: the first commit
    wins, for whoever comes second may have read on, and would mark as settled what is told nowhere.
    """
    settled = {run.id for run in found}
    names = (name for run in found for member in run.members for name in _marks_of(member, run.id))
    reached = store.marks_of(names)
    if any(_is_taken(member, run.id, reached) for run in found for member in run.members):
        raise Overtaken
    for member in {member.path: member for run in found for member in run.members}.values():
        left = [mention.first for run, mention in member.runs.items() if run not in settled]
        offset = min(left, default=member.end)
        yield Mark(member.owner.id, offset, finished=not left and member.standing == "dead")
        for run, mention in member.runs.items():
            if run in settled and mention.last > offset:
                yield Mark(mark_of(member.owner.id, run), mention.last)


def _is_taken(member: Survey, run: str, reached: Mapping[str, int]) -> bool:
    """Whether somebody else has marked facts of a run that we have read as well."""
    return any(reached.get(name, 0) > member.runs[run].first for name in _marks_of(member, run))


def _marks_of(member: Survey, run: str) -> tuple[str, ...]:
    """The marks that may tell of a run: where it is alone in its journal, the journal's own."""
    journal = member.owner.id
    is_alone = member.start == 0 and len(member.runs) == 1
    return (journal,) if is_alone else (journal, mark_of(journal, run))
