# SPDX-License-Identifier: Apache-2.0
"""A table's own list of files leads to files of this table, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lineagekit.errors import BadDataError
from lineagekit.record.lake import inside, lie_in, open_inside


@pytest.mark.parametrize(
    "path", ["data/a", "./data/a", "/t/data/a", "file:/t/data/a", "file:///t/data/a", "/t/x/../data//a"]
)
def test_a_path_in_the_table_is_told_relative_to_it(path: str) -> None:
    assert inside("/t", path) == "data/a"


@pytest.mark.parametrize(
    "path", ["", ".", "/t", "/t2/a", "..", "a/../../b", "/t/../t2/a", "s3://t/a", "hdfs:/t/a", "a\0"]
)
def test_a_path_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(BadDataError, match="not in its table"):
        inside("/t", path)


def test_a_link_is_followed_where_it_leads_into_the_table_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    table = tmp_path / "t"
    (table / "data").mkdir(parents=True)
    (table / "data" / "a").write_bytes(b"one")
    (table / "near").symlink_to("data")
    (table / "far").symlink_to("..")
    (tmp_path / "other").symlink_to("t")  # the table itself may be reached by one
    for top in (str(table), str(tmp_path / "other")):
        assert [lie_in(top, [name]) for name in ("data/a", "near/a", "far/secret", "far/t/data/a")] == [1, 1, 0, 1]
        with open_inside(top, "near/a") as file:
            assert file.read() == b"one"
        with pytest.raises(BadDataError, match="not a file of this table"):
            open_inside(top, "far/secret")


def test_a_pipe_in_the_place_of_a_list_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(BadDataError, match="not a file of this table"):
        open_inside(str(tmp_path), "a")
