# SPDX-License-Identifier: Apache-2.0
"""A table's own list of files leads to files of this table, or nowhere."""

from __future__ import annotations

import pytest

from lineagekit.errors import BadDataError
from lineagekit.record.lake import inside


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
