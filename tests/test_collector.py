# SPDX-License-Identifier: Apache-2.0
"""The collector works less where millions of values come and go, and afterwards as before, whoever ends first."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from lineagekit.collector import SELDOM, seldom_collecting


@pytest.fixture(autouse=True)
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield (701, 11, 12)
    gc.set_threshold(*before)


def test_within_it_is_seldom_and_afterwards_as_before(usual: tuple[int, int, int]) -> None:
    with seldom_collecting():
        assert gc.get_threshold() == SELDOM
        with seldom_collecting():
            assert gc.get_threshold() == SELDOM
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == usual


def test_so_it_is_after_an_error(usual: tuple[int, int, int]) -> None:
    with pytest.raises(KeyError), seldom_collecting():
        raise KeyError
    assert gc.get_threshold() == usual


def test_whoever_of_two_threads_ends_first(usual: tuple[int, int, int]) -> None:
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        with seldom_collecting():
            begun.set()
            end.wait(10)

    thread = threading.Thread(target=work)
    with seldom_collecting():
        thread.start()
        assert begun.wait(10)
    assert gc.get_threshold() == SELDOM
    end.set()
    thread.join()
    assert gc.get_threshold() == usual


def test_who_has_switched_it_off_has_it_off() -> None:
    gc.set_threshold(0)
    with seldom_collecting():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0
