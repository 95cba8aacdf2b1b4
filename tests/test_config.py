# SPDX-License-Identifier: Apache-2.0
"""The environment: what counts, and what counts as unset."""

from __future__ import annotations

import pytest

from lineagekit.config import MOST_THREADS, Config


def threads(text: str) -> int:
    return Config.from_environment({"LINEAGEKIT_THREADS": text}).threads


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5", "9" * 5000])
def test_a_number_of_threads_that_is_none_counts_as_unset(text: str) -> None:
    assert threads(text) == Config.from_environment({}).threads >= 1


def test_a_number_of_threads_is_taken_up_to_a_bound() -> None:
    assert (threads("3"), threads(str(MOST_THREADS)), threads("30000000")) == (3, MOST_THREADS, MOST_THREADS)


@pytest.mark.parametrize("named", ["marquez+http://host:5000", "marquez+prod"])
def test_a_marquez_is_no_folder_and_what_is_recorded_goes_where_it_would_without_it(named: str) -> None:
    told = {"XDG_DATA_HOME": "/data"}
    with_it = Config.from_environment({**told, "LINEAGEKIT_STORE": named})
    assert with_it.marquez == named
    without = Config.from_environment(told)
    assert (with_it.store_folder, without.marquez) == (without.store_folder, "")


def test_a_folder_may_be_called_like_one() -> None:
    assert Config.from_environment({"LINEAGEKIT_STORE": "/tmp/marquez+http"}).store_folder == "/tmp/marquez+http"
    assert Config.from_environment({"LINEAGEKIT_STORE": "/tmp/marquez+http"}).marquez == ""
