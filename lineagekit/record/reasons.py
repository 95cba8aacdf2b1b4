# SPDX-License-Identifier: Apache-2.0
"""Why a digest is not known: each reason in the words that events carry, explained, and with what to do about it.

>>> explain(GONE).advice[:31]
'Settle before files are removed'
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """A reason for people."""

    sentence: str
    advice: str


OVERWRITTEN = "overwritten"
GONE = "gone"
CHANGED_AFTER_READ = "changed after it was read"
CHANGED_AFTER_WRITE = "changed after it was written"
CHANGED_TOO_SHORTLY = "changed too shortly before"
UNFINISHED = "unfinished"
OVER_BUDGET = "over budget"
FOREIGN_HOST = "foreign host"
NOT_REGULAR = "not a regular file"
UNREADABLE = "unreadable"
AMBIGUOUS = "ambiguous"
NO_BYTES = "no bytes here"
NOT_YET = "not hashed yet"
NOT_COMMITTED = "no proof that it was committed"
OTHER_SIZE = "not of the size that its writer says"
NO_VERSION = "no version of this time"
NO_FILE_LIST = "its log does not list its files"

_SOON = "Settle sooner: run the job with `lineagekit run`, which waits until its files are hashed."

REASONS = {
    OVERWRITTEN: Reason(
        "The run read this and then wrote it anew, and its old bytes were too many to keep.",
        "Write to another path, or to a temporary one that takes its place.",
    ),
    GONE: Reason(
        "It was removed or moved away before it could be hashed.",
        "Settle before files are removed: `lineagekit run` waits until all is hashed.",
    ),
    CHANGED_AFTER_READ: Reason("It changed between the first read of this run and the hash.", _SOON),
    CHANGED_AFTER_WRITE: Reason("Somebody changed it between the last write of this run and the hash.", _SOON),
    CHANGED_TOO_SHORTLY: Reason(
        "It was read within a tick of its last change, so another change could hide behind the same stamp.",
        "Nothing, on Linux 6.13 and newer; else start the reader a moment after the writer.",
    ),
    UNFINISHED: Reason("The run ended while this was still being written.", "Look into the run: it was cut short."),
    OVER_BUDGET: Reason(
        "There was more to hash than the time, bytes or files that were allowed.",
        "Run `lineagekit settle` while the files are as they were: it goes on there. Or raise `budget` in config.toml.",
    ),
    FOREIGN_HOST: Reason(
        "It was recorded on another host, or before this one was last started.",
        "Settle on the host where the job ran, and before it is shut down.",
    ),
    NOT_REGULAR: Reason(
        "It is a pipe, socket, device or folder, and such a thing has no bytes of its own.",
        "Name what is behind it with `lineagekit.input` or `lineagekit.output`.",
    ),
    UNREADABLE: Reason(
        "The process that hashes may not read it, or the disk refuses.",
        "Let the user who runs the job settle, or mend the permissions.",
    ),
    AMBIGUOUS: Reason(
        "Several runs were open in one process, and which of them did this cannot be told.",
        "Open each run in the thread that does its work, with `with lineagekit.run(...)`.",
    ),
    NO_BYTES: Reason(
        "It is not on a disk of this machine: a database, an object store, a name that was only said.",
        "Its version, etag or pin stands for it where there is one.",
    ),
    NOT_COMMITTED: Reason(
        "Spark says that the query ended, but nothing shows that it wrote: no statistics, no version in a table's log.",
        "Look at the job: the write may have been refused. Of Spark with Delta see lineagekit_spark.attach.",
    ),
    OTHER_SIZE: Reason("The files that are new have not the size that Spark says it wrote.", _SOON),
    NO_VERSION: Reason("The table's log has no commit that fits the time of the query.", "Its name stands for it."),
    NO_FILE_LIST: Reason(
        "The table's log was cleaned up, or rows are deleted by vectors: its files alone do not tell what is in it.",
        "Its version stands for it.",
    ),
    NOT_YET: Reason("The run goes on: its data is hashed when it has ended.", "Wait for its end."),
}
"""Every reason that settle gives; an event may hold others, of sources that know more."""


def explain(reason: str) -> Reason:
    """What a reason means; one that is not ours speaks for itself."""
    return REASONS.get(reason, Reason(reason, ""))
