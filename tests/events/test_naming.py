# SPDX-License-Identifier: Apache-2.0
"""Names that every backend takes, and the way back to the names that were meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.events.naming import (
    JOB_LIMIT,
    NAME_LIMIT,
    NAMESPACE_LIMIT,
    escape_name,
    mend_name,
    mend_namespace,
    original_name,
    original_namespace,
    run_id,
    safe_job_namespace,
    safe_name,
    safe_namespace,
    shorten,
)

file_names = st.binary(max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
near_escapes = st.text(st.sampled_from("%+#0123456789ABCDEFabcdef\0é\udcff/ "), max_size=12).filter(
    lambda text: text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text
)
whole_texts = st.text(max_size=20)


@given(file_names | near_escapes | whole_texts)
def test_the_name_that_was_meant_can_be_read_back(name: str) -> None:
    assert original_name(escape_name(name)) == (name or "unnamed")


@given(near_escapes | whole_texts)
def test_the_namespace_that_was_meant_can_be_read_back(namespace: str) -> None:
    assert original_namespace(safe_namespace(namespace)) == (namespace or "default")
    assert original_namespace(safe_job_namespace(namespace)) == (namespace or "default")


@given(file_names | near_escapes, file_names | near_escapes)
def test_two_names_never_become_one(one: str, other: str) -> None:
    assert (escape_name(one) == escape_name(other)) == (one == other)


@pytest.mark.parametrize("name", ["/data/orders.csv", "/data/50%.csv", "/data/a%20b.csv", "ä/b c", "2026/01/a.parquet"])
def test_a_name_that_hurts_nobody_stays_as_other_producers_say_it(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize("namespace", ["file", "s3://raw", "abfss://c@acme.dfs.core.windows.net", "postgres://db:5432"])
def test_a_namespace_that_hurts_nobody_stays(namespace: str) -> None:
    assert safe_namespace(namespace) == safe_job_namespace(namespace) == namespace


def test_a_job_may_not_have_the_signs_that_marquez_would_rewrite() -> None:
    assert safe_namespace("jdbc:x;y=1") == "jdbc:x;y=1"
    assert safe_job_namespace("jdbc:x;y=1") == "jdbc:x+3By+3D1"


@given(st.text(max_size=3000) | st.sampled_from(["x" * 70_000, "é#" * 5000]), st.sampled_from([NAME_LIMIT, JOB_LIMIT]))
def test_no_name_is_longer_than_an_index_takes(name: str, limit: int) -> None:
    safe = safe_name(name, limit)
    assert len(safe.encode()) <= limit
    assert safe == shorten(safe, limit)


def test_two_long_names_stay_two() -> None:
    assert safe_name("x" * 5000) != safe_name("x" * 5001)
    assert safe_name("x" * 5000).startswith("x" * 1900)
    assert len(safe_namespace("n" * 5000)) == NAMESPACE_LIMIT


@given(file_names | near_escapes | whole_texts)
def test_a_foreign_name_is_mended_once(name: str) -> None:
    mended = mend_name(name)
    assert mend_name(mended) == mended
    assert mend_namespace(mend_namespace(name)) == mend_namespace(name)


def test_a_foreign_name_that_can_stay_stays() -> None:
    assert mend_name("a%231") == "a%231"
    assert mend_name("a#1") == "a%231"
    assert mend_namespace("a+20b") == "a+20b"
    assert mend_namespace("my ns") == "my+20ns"


@given(st.text() | st.uuids().map(str))
def test_a_run_has_a_uuid_whatever_it_was_called(run: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run_id(run))
    assert run_id(run_id(run)) == run_id(run)


def test_a_run_that_has_a_uuid_keeps_it() -> None:
    assert run_id("0197A1B2-0000-7000-8000-00000000000F") == "0197a1b2-0000-7000-8000-00000000000f"
    assert run_id("nightly")[14] == "8"
