# SPDX-License-Identifier: Apache-2.0
"""Objects are kept once under their digest, and given back whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lineagekit.store.log import Store


def test_an_object_comes_back_whole(store: Store) -> None:
    body = b"manifest\n" * 100_000
    store.keep_object("manifest", "lkd1:aa", body)
    assert store.object("manifest", "lkd1:aa") == body
    assert store.object("profile", "lkd1:aa") is None
    assert store.object("manifest", "lkd1:bb") is None


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.keep_object("manifest", "lkd1:aa", b"")
    assert store.object("manifest", "lkd1:aa") == b""


def test_an_object_is_kept_once(store: Store, folder: Path) -> None:
    for _ in range(3):
        store.keep_object("profile", "lkt1:aa", b"body")
    with closing(sqlite3.connect(folder / "lineage.db")) as database:
        assert database.execute("SELECT count(*) FROM object").fetchone() == (1,)


@pytest.mark.parametrize("garbage", ["x''", "x'28b52ffd'", "'text'", "7", "substr(body, 2)", "body || x'00'"])
def test_a_damaged_object_is_not_there_and_is_kept_anew(store: Store, folder: Path, garbage: str) -> None:
    store.keep_object("profile", "lkt1:aa", b"body")
    with closing(sqlite3.connect(folder / "lineage.db")) as database:
        database.execute(f"UPDATE object SET body = {garbage}")
        database.commit()
    assert store.object("profile", "lkt1:aa") is None
    store.keep_object("profile", "lkt1:aa", b"body")
    assert store.object("profile", "lkt1:aa") == b"body"
