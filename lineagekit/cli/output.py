# SPDX-License-Identifier: Apache-2.0
"""Output: one command's answer as text or, with `--json`, as one envelope; the answer on stdout, all else on stderr.

>>> Output("count", as_json=True).show({"rows": 3})
{"schema_version": 1, "command": "count", "result": {"rows": 3}, "coverage": null, "warnings": []}
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineagekit.cli.progress import Progress
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
            self._print(*lines)

    def show(self, result: object, *, coverage: Mapping[str, Any] | None = None) -> None:
        """Print the whole answer as an envelope; without `--json` it has been said."""
        if self.as_json:
            self._print(json.dumps(self._envelope(result, coverage)))

    def warn(self, text: str) -> None:
        """Say on stderr what the reader should know beside the answer, and keep it for the envelope."""
        self.warnings.append(text)
        self._print(f"warning: {text}", aside=True)

    def complain(self, text: str) -> None:
        """Say on stderr that one of several things failed; the others go on."""
        self._print(f"error: {text}", aside=True)

    def fail(self, error: LineagekitError) -> None:
        """Say that the whole command failed: on stderr or, under `--json`, as an envelope without a result."""
        if self.as_json:
            self._print(json.dumps({**self._envelope(None, None), "error": describe_error(error)}))
        else:
            self.complain(str(error))

    def _envelope(self, result: object, coverage: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "result": result,
            "coverage": coverage,
            "warnings": self.warnings,
        }

    def _print(self, *lines: str, aside: bool = False) -> None:
        self.progress.hide()
        try:
            print(*lines, sep="\n", file=sys.stderr if aside else sys.stdout, flush=True)
        except BrokenPipeError:
            _discard_the_rest()
            raise SystemExit(141) from None  # what a shell reports of any filter whose reader has left
        except OSError as error:
            _discard_the_rest()
            raise StoreError(f"the answer cannot be written: {error.strerror}", advice="Free some space.") from error


def describe_error(error: LineagekitError) -> dict[str, Any]:
    """An error as plain values."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "advice": error.advice,
        "exit_code": error.exit_code,
    }


def _discard_the_rest() -> None:
    """Python flushes stdout once more at its end, and would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
