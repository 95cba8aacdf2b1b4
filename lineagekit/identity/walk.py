# SPDX-License-Identifier: Apache-2.0
"""Walking a folder the way a reader of the data would see it.

Links are followed, to files and to folders; a link's own name is the entry's name. A link back to a folder that it
lies in would never end, so it is an error, and so is everything that is neither a file nor a folder nor a link to
one. Hidden files are files.

    >>> list(walk_files(b"data", Selection(["**/*.csv"])))  # doctest: +SKIP
    [[b'a.csv', b'2024/b.csv']]
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, islice

from lineagekit.errors import BadDataError
from lineagekit.identity.access import refusal, show, wrong_kind
from lineagekit.identity.batch import FIELDS, NUMBERS
from lineagekit.identity.clock import wait_until_settled
from lineagekit.identity.selection import Selection

BATCH = 512
"""Files handed on together: enough to forget the cost of handing on, few enough for a tree that fits no memory."""


class Folders:
    """The folders that were listed, each with its evidence from before.

    A file that moves between two folders while they are listed may be seen in neither, or in both. It leaves a trace:
    both folders change.
    """

    def __init__(self) -> None:
        """None yet."""
        self._listed: dict[bytes, bytes] = {}

    def add(self, folder: bytes) -> None:
        """Take a folder's evidence, when it is old enough to show what happens next."""
        evidence = FIELDS(os.stat(folder))
        wait_until_settled(evidence[2])
        self._listed[folder] = NUMBERS.pack(*evidence)

    def find_changed(self) -> bytes | None:
        """A folder that is no longer what it was, or is gone."""
        return next((folder for folder, listed in self._listed.items() if _evidence_of(folder) != listed), None)


def walk_files(root: bytes, select: Selection, folders: Folders | None = None) -> Iterator[list[bytes]]:
    """Paths below `root` (which ends with a slash) in batches; mostly sorted, as a manifest wants them.

    The folders on the way are added to `folders`.
    """
    files = chain.from_iterable(_walk(root, select, folders or Folders()))
    while batch := list(islice(files, BATCH)):
        yield batch


def _evidence_of(folder: bytes) -> bytes:
    try:
        return NUMBERS.pack(*FIELDS(os.stat(folder)))
    except OSError:
        return b""


def _walk(root: bytes, select: Selection, listed: Folders) -> Iterator[list[bytes]]:
    """The files of each folder, sorted; a folder before those in it."""
    stack = [root]
    while stack:
        folder = stack.pop()
        try:
            listed.add(folder)
            files, folders = _list(folder, root, select)
        except OSError as error:
            raise refusal(error, error.filename or folder) from error
        files.sort()
        yield files
        folders.sort(reverse=True)
        stack += folders


def _list(folder: bytes, root: bytes, select: Selection) -> tuple[list[bytes], list[bytes]]:
    files, folders, cut, wanted, entered = [], [], len(root), True, True
    with os.scandir(folder) as entries:
        for entry in entries:
            path = entry.path
            if not select.is_everything:
                wanted, entered = select.judge(os.fsdecode(path[cut:]))
            if not (wanted or entered):
                continue  # whatever it is
            if entry.is_file():
                if wanted:
                    files.append(path[cut:])
            elif _is_folder(entry, root) and entered:
                folders.append(path + b"/")
    return files, folders


def _is_folder(entry: os.DirEntry[bytes], root: bytes) -> bool:
    """True, or an error that says why this can be neither read nor entered."""
    if not entry.is_dir():
        raise wrong_kind(entry.path, os.stat(entry.path).st_mode, expected="a file or a folder")
    if entry.is_symlink():
        _refuse_cycle(entry.path, root)
    return True


def _refuse_cycle(link: bytes, root: bytes) -> None:
    """Compare the link's target with every folder from the link up to the root."""
    target, above = os.stat(link), link
    while len(above) > len(root):
        above = os.path.dirname(above)
        if os.path.samestat(os.stat(above), target):
            raise BadDataError(
                f"circular link: {show(link)} leads back to {show(above)}, in which it lies",
                advice="Remove the link, or exclude it.",
            )
