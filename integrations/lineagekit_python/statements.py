# SPDX-License-Identifier: Apache-2.0
"""SQL, as far as a job must understand it: whether a statement asks or writes, which table it writes, what to hide.

>>> written_table('INSERT INTO "crm"."customers" (id) VALUES (1)')
('crm', 'customers')
>>> is_question("SELECT id FROM customers"), is_question("SELECT 1"), is_question("PRAGMA table_info(x)")
(True, False, False)
>>> show("SELECT * FROM t WHERE api_token = 'abc def'")
"SELECT * FROM t WHERE api_token = '***'"

Which tables a question reads is found later, outside of the job, by a parser.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lineagekit.agent.redact import HIDDEN, is_secret_name, redact

LONGEST = 16_384
"""Characters of a statement that are kept."""

_REMEMBERED = 512  # statements of which the answer is known: a job asks the same ones again and again

_SPACE = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/)"  # one way to read each: thirty comments are no riddle
_PART = r"(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|\[[^\]]+\]|[\w$]+)"
_NAME = rf"(?P<name>{_PART}(?:\s*\.\s*{_PART}){{0,3}})"
_START = re.compile(rf"{_SPACE}*\(*(?P<verb>[a-z]+)", re.IGNORECASE | re.DOTALL)
_WRITES = re.compile(
    rf"""{_SPACE}*(?:WITH\b.*?\)\s*)?(?:
      (?:INSERT|REPLACE)\b(?:\s+OR\s+\w+|\s+IGNORE|\s+LOW_PRIORITY)*(?:\s+INTO|\s+OVERWRITE)(?:\s+TABLE)?
    | UPDATE(?:\s+OR\s+\w+)?(?:\s+ONLY)?
    | DELETE\s+FROM(?:\s+ONLY)?
    | MERGE\s+INTO
    | TRUNCATE(?:\s+TABLE)?(?:\s+ONLY)?
    | CREATE(?:\s+OR\s+REPLACE)?(?:\s+(?:GLOBAL|LOCAL|UNLOGGED|EXTERNAL|TRANSIENT|MATERIALIZED))*\s+(?:TABLE|VIEW)
        (?:\s+IF\s+NOT\s+EXISTS)?
    | REFRESH\s+MATERIALIZED\s+VIEW(?:\s+CONCURRENTLY)?
    | COPY(?=[^;]*?\bFROM\b)(?!\s*\()
    | LOAD\s+DATA\b.*?\bINTO\s+TABLE
    ){_SPACE}+{_NAME}""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_TEMPORARY = re.compile(
    rf"{_SPACE}*CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?TEMP(?:ORARY)?\b", re.IGNORECASE | re.DOTALL
)
_QUESTIONS = frozenset({"select", "with", "table", "values", "from", "call", "exec", "execute"})
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)
_CATALOG = re.compile(
    r"\b(?:pg_catalog|information_schema|sqlite_master|sqlite_schema|sqlite_temp_master|all_tables|sys\.\w+)\b"
    r"|\bfrom\s+(?:pg_\w+|dual)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![\w.-])(?P<name>[\w.-]{1,100})(?P<gap>\s*(?:=>|:=|=|:|\s)\s*)'(?:[^']|'')*'")
_IDENTIFIED = re.compile(
    r"\b(?P<by>identified\s+by|password|passphrase)\b(?P<gap>\s+)(?:'(?:[^']|'')*'|\"[^\"]*\")", re.IGNORECASE
)


@lru_cache(maxsize=_REMEMBERED)
def is_question(statement: str) -> bool:
    """Whether data is asked for: not a setting, a constant, or the shape of a table."""
    start = _START.match(statement)
    verb = start["verb"].lower() if start else ""
    if verb in ("select", "with"):
        return bool(_FROM.search(statement)) and not _CATALOG.search(statement) and written_table(statement) is None
    return verb in _QUESTIONS


@lru_cache(maxsize=_REMEMBERED)
def written_table(statement: str) -> tuple[str, ...] | None:
    """The parts of the name of the table that a statement writes; None where it writes none that others can see."""
    found = _WRITES.match(statement)
    if found is None or _TEMPORARY.match(statement):
        return None
    parts = re.findall(_PART, found["name"])
    return tuple(_unquote(part) for part in parts)


def show(statement: str) -> str:
    """A statement without its secrets, and not too long."""
    text = statement[: LONGEST * 2]
    text = _IDENTIFIED.sub(lambda found: f"{found['by']}{found['gap']}'{HIDDEN}'", text)
    text = _WORD.sub(lambda found: f"{found['name']}{found['gap']}'{HIDDEN}'" if _is_secret(found) else found[0], text)
    return redact(text)[:LONGEST]


def _is_secret(found: re.Match[str]) -> bool:
    return is_secret_name(found["name"].rpartition(".")[2])


def _unquote(part: str) -> str:
    if part[:1] in ('"', "`", "["):
        return part[1:-1].replace('""', '"')
    return part
