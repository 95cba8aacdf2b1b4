# SPDX-License-Identifier: Apache-2.0
"""Every reason is explained to people, with something to do about it."""

from __future__ import annotations

from lineagekit.record import reasons


def test_every_reason_has_a_sentence_and_advice() -> None:
    named = {
        value for name, value in vars(reasons).items() if name[0] != "_" and name.isupper() and isinstance(value, str)
    }
    assert named == reasons.REASONS.keys()
    assert all(one.sentence.endswith(".") and one.advice.endswith(".") for one in reasons.REASONS.values())


def test_the_reason_of_another_source_speaks_for_itself() -> None:
    assert reasons.explain("over its cap") == ("over its cap", "")
