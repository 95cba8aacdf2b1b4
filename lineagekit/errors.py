# SPDX-License-Identifier: Apache-2.0
"""Every error that lineagekit raises on purpose, each with its exit code and what to do next.

    LineagekitError                 1  something of several failed
    ├── UsageError                  2  the call itself is wrong
    │   └── MissingExtraError       2  a package is not installed (names the pip line)
    ├── NotFoundError               6  nothing there, or nothing that this user may read
    │   └── UnreadableError         6
    ├── StoreError                  7  the store, a cache or a server does not answer
    └── BadDataError                8  the data is there and is not what it says it is
        ├── ChangedWhileReadError   8  it changed while it was read: no digest can be true
        ├── IncomparableError       8  two digests of different kinds
        └── UnsupportedTypeError    8  a column type that has no canonical form

>>> raise NotFoundError("no such file: data/x.csv", advice="Check the path.")
Traceback (most recent call last):
lineagekit.errors.NotFoundError: no such file: data/x.csv. Check the path.
"""

from __future__ import annotations


class LineagekitError(Exception):
    """Base of all: `message` says what happened, `advice` what to do, `exit_code` what a shell sees."""

    exit_code = 1

    def __init__(self, message: str, *, advice: str = "") -> None:
        """Keep message and advice apart, so that `--json` can show both."""
        self.message = message.rstrip(".")
        self.advice = advice
        super().__init__(f"{self.message}. {advice}" if advice else message)


class UsageError(LineagekitError):
    """The command or call is wrong: an unknown option, an impossible combination."""

    exit_code = 2


class MissingExtraError(UsageError):
    """An optional package is needed and is not installed."""


class NotFoundError(LineagekitError):
    """What was named does not exist."""

    exit_code = 6


class UnreadableError(NotFoundError):
    """It exists, and this user may not read it."""


class StoreError(LineagekitError):
    """A store, cache or server failed."""

    exit_code = 7


class BadDataError(LineagekitError):
    """The data cannot be read as what it claims to be."""

    exit_code = 8


class ChangedWhileReadError(BadDataError):
    """The file changed between the first and the last byte: whatever was hashed never existed."""


class IncomparableError(BadDataError):
    """Two digests whose algorithm or parameters differ say nothing about each other."""


class UnsupportedTypeError(BadDataError):
    """A column type without a canonical form (union, interval)."""
