# SPDX-License-Identifier: Apache-2.0
"""Output: one command's answer as text or, with `--json`, as one envelope; the answer on stdout, all else on stderr.

>>> Output("count", as_json=True).show({"rows": 3})
{"schema_version": 1, "command": "count", "result": {"rows": 3}, "coverage": null, "warnings": []}
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineagekit.cli.progress import Progress
from lineagekit.cli.stdio import discard
from lineagekit.errors import LineagekitError, StoreError

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Output:
    """Where a command says things: `say` for people, `show` for programs, `warn` and `complain` aside."""

    command: str
    as_json: bool = False
    warnings: list[str] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)

    def say(self, *lines: str) -> None:
        """Print lines of the answer as they become known; under `--json`, `show` tells it all at the end."""
        if not self.as_json:
            self.write(*lines)

    def show(self, result: object, *, coverage: Mapping[str, Any] | None = None) -> None:
        """Print the whole answer as an envelope; without `--json` it has been said."""
        if self.as_json:
            self.write(json.dumps(self._envelope(result, coverage)))

    def warn(self, text: str) -> None:
        """Say on stderr what the reader should know beside the answer, and keep it for the envelope."""
        self.warnings.append(text)
        self._remark(f"warning: {text}")

    def complain(self, text: str) -> None:
        """Say on stderr that one of several things failed; the others go on."""
        self._remark(f"error: {text}")

    def fail(self, error: LineagekitError) -> int:
        """Say that the whole command failed, under `--json` as an envelope without a result; return the exit code."""
        if not self.as_json:
            self.complain(str(error))
            return error.exit_code
        try:
            self.write(json.dumps({**self._envelope(None, None), "error": describe_error(error)}))
        except StoreError as unwritten:
            return self.fail(unwritten)
        return error.exit_code

    def write(self, *lines: str) -> None:
        """Print on stdout, under `--json` too; StoreError where that fails, which is then said on stderr."""
        self.progress.hide()
        try:
            print(*lines, sep="\n", flush=True)
        except BrokenPipeError:
            discard(sys.stdout)
            raise SystemExit(141) from None  # what a shell reports of any filter whose reader has left
        except OSError as error:
            discard(sys.stdout)
            self.as_json = False
            advice = "Free some space." if error.errno == errno.ENOSPC else "Check where standard output leads."
            raise StoreError(f"the answer cannot be written: {error.strerror}", advice=advice) from error

    def _remark(self, text: str) -> None:
        """Print on stderr; where nobody listens there the answer goes on."""
        self.progress.hide()
        try:
            print(text, file=sys.stderr, flush=True)
        except OSError:
            discard(sys.stderr)

    def _envelope(self, result: object, coverage: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "result": result,
            "coverage": coverage,
            "warnings": self.warnings,
        }


def describe_error(error: LineagekitError) -> dict[str, Any]:
    """An error as plain values."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "advice": error.advice,
        "exit_code": error.exit_code,
    }
