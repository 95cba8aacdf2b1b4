# SPDX-License-Identifier: Apache-2.0
"""Files in a statement of DuckDB's SQL, found by a lexer: what is read, written and attached by name.

>>> find_files("COPY (FROM 'in.csv' JOIN read_parquet(['a.parquet', 'b.parquet'])) TO 'out.parquet'")
([('read', 'in.csv'), ('read', 'a.parquet'), ('read', 'b.parquet'), ('write', 'out.parquet')])
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 100_000
"""Characters of a statement that are looked at."""

_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/"
    r"|'(?P<text>(?:[^']|'')*)'"
    r'|"(?P<name>(?:[^"]|"")*)"'
    r"|(?P<word>\w+)|(?P<mark>[^\s\w])",
    re.DOTALL,
)
_READERS = frozenset(
    (
        *(
            "read_parquet",
            "parquet_scan",
            "parquet_schema",
            "parquet_metadata",
            "read_csv",
            "read_csv_auto",
            "sniff_csv",
        ),
        *("read_json", "read_json_auto", "read_json_objects", "read_json_objects_auto", "read_ndjson"),
        *("read_ndjson_auto", "read_ndjson_objects", "read_text", "read_blob", "read_xlsx", "st_read"),
        *("delta_scan", "iceberg_scan"),
    )
)
_FILE_NAME = re.compile(r"\.(parquet|csv|tsv|json|jsonl|ndjson|xlsx|db|duckdb)(\.(gz|zst))?\Z", re.IGNORECASE)


_NEUTRAL = frozenset({"if", "not", "exists"})


def find_files(statement: str) -> list[tuple[str, str]]:
    """Each file with its role: `read`, `write` or `attach`, in the order of the text."""
    if "'" not in statement and '"' not in statement:
        return []
    return list(_Walk().through(statement[:LONGEST]))


class _Walk:
    """Where in a statement we are: `role` is what a string would be that came next."""

    def __init__(self) -> None:
        self.copying = False
        self.verb = self.role = ""

    def through(self, statement: str) -> Iterator[tuple[str, str]]:
        """Token by token."""
        for found in _TOKEN.finditer(statement):
            kind, role = found.lastgroup, self.role
            if kind == "word":
                self._word(found["word"].lower())
            elif kind == "mark":
                self._mark(found["mark"])
            elif kind in ("text", "name"):
                self.role = ""
                text = (found[kind] or "").replace("''", "'").replace('""', '"')
                if role and (kind == "text" or (self.verb == "from" and _FILE_NAME.search(text))):
                    yield role, text

    def _word(self, word: str) -> None:
        self.role = ""
        if word in ("copy", "export", "import", "attach"):
            self.verb, self.copying = word, word == "copy"
            self.role = "attach" if word == "attach" else ""
        elif word in _READERS:
            self.verb = "reader"
        elif word in ("from", "join"):
            self.verb, self.role = "from", "read"
        elif word == "to" and self.copying:
            self.role = "write"
        elif word == "database":
            self.role = _OF_DATABASE.get(self.verb, "")
        elif word in _NEUTRAL and self.verb == "attach":
            self.role = "attach"
        elif self.verb != "attach":
            self.verb = ""

    def _mark(self, mark: str) -> None:
        self.role = ""
        if mark == ";":
            self.verb, self.copying = "", False
        elif mark in "([" and self.verb in ("reader", "list"):  # its first argument: one file, or a list of them
            self.verb, self.role = "list" if mark == "[" else "reader", "read"
        elif mark == "," and self.verb in ("list", "from"):
            self.role = "read"
        else:
            self.verb = ""


_OF_DATABASE = {"export": "write", "import": "read", "attach": "attach"}
