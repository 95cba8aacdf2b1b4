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
