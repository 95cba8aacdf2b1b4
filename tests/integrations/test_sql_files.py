# SPDX-License-Identifier: Apache-2.0
"""Files in a statement: what stands in a place where DuckDB takes a text for a file, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineagekit_python.sql_files import find_files


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select 1", []),
        ("from 'a.csv'", ["read a.csv"]),
        ("select * from 'a.csv' a join \"b.parquet\" on true", ["read a.csv", "read b.parquet"]),
        ("select * from 'a.csv', 'b.csv'", ["read a.csv", "read b.csv"]),
        ('select * from "table"', []),
        ("select * from read_csv('a.csv', sep=';') where x = 'b.csv'", ["read a.csv"]),
        ("select * from read_parquet(['a', 'b'])", ["read a", "read b"]),
        ("create table t as from read_json('it''s.json')", ["read it's.json"]),
        ("copy t from 'a.csv'", ["read a.csv"]),
        ("copy t to 'o.csv' (delimiter '|')", ["write o.csv"]),
        (
            "copy (from 'a.csv' join read_csv('b.csv') using (x)) to 'o.csv'",
            ["read a.csv", "read b.csv", "write o.csv"],
        ),
        ("COPY (SELECT 'x' AS \"to\") TO 'o.csv'", ["write o.csv"]),
        ("export database 'dir' (format parquet)", ["write dir"]),
        ("import database 'dir'", ["read dir"]),
        ("attach if not exists 'a.db' as a (type sqlite, key 'b')", ["attach a.db"]),
        ("attach 'a.db' as a; from 'b.csv'", ["attach a.db", "read b.csv"]),
        ("-- from 'a.csv'\nfrom /* 'b.csv' */ 'c.csv'", ["read c.csv"]),
        ("insert into t values ('from', 'a.csv')", []),
        ("select 'from' from t where a in ('a.csv', 'b.csv')", []),
    ],
)
def test_a_file_is_found_with_its_role(statement: str, expected: list[str]) -> None:
    assert [f"{role} {path}" for role, path in find_files(statement)] == expected


@given(st.text(alphabet="from to copy'\"()[],;-*/\n\\aé", max_size=200))
def test_any_text_is_survived(statement: str) -> None:
    assert all(role in ("read", "write", "attach") for role, _ in find_files(statement))


def test_a_long_statement_is_looked_at_in_part() -> None:
    assert find_files("select " + "'x'," * 200_000 + "1 from 'a.csv'") == []
