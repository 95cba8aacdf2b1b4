# SPDX-License-Identifier: Apache-2.0
"""Options: what a digest's name says of how it was taken."""

from __future__ import annotations

import pytest

from lineagekit.errors import BadDataError
from lineagekit.identity.digest import Digest
from lineagekit.identity.options import Options


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("blake3", Options(what="bytes")),
        ("sha256", Options(what="bytes", algorithm="sha256")),
        ("lkd1;files=sha256", Options(what="bytes", algorithm="sha256")),
        ("lkt1;columns=a,b%2Cc", Options(what="content", columns=("a", "b,c"))),
        ("lkm1;csv=%09%22;ignore=a", Options(what="content", algorithm="lkm1", ignore=("a",), delimiter="\t")),
        ("records-sha256", Options(what="content")),
    ],
)
def test_the_name_of_a_digest_says_how_to_take_it(method: str, expected: Options) -> None:
    before = Options(what="both", columns=("x",), ignore=("y",), delimiter=";")
    assert before.as_named(Digest.parse(f"{method}:00")) == expected


def test_what_a_name_does_not_say_stays() -> None:
    options = Options(include=("*.csv",), threads=3).as_named(Digest("blake3", "00"))
    assert (options.include, options.threads) == (("*.csv",), 3)


def test_an_algorithm_that_is_not_known_is_an_error() -> None:
    with pytest.raises(BadDataError, match="unknown algorithm: got md5, expected one of blake3"):
        Options().as_named(Digest("md5", "00"))
