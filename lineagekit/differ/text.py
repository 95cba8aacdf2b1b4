# SPDX-License-Identifier: Apache-2.0
r"""Code and configuration: a unified diff, as short as a person wants to read it.

>>> compare_texts("lr: 1\nseed: 7\n", "lr: 2\nseed: 7\n").lines[-3:]
('-lr: 1', '+lr: 2', ' seed: 7')
"""

from __future__ import annotations

from difflib import unified_diff

from lineagekit.differ.difference import TextChanges

LONGEST = 1 << 20
"""Bytes of a text that is compared line by line."""
_MOST_LINES = 60
_WIDEST = 160
_CONTEXT = 2


def as_text(data: bytes) -> str | None:
    """The text, or None where these bytes are none."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def compare_texts(before: str, after: str) -> TextChanges:
    """The lines that differ, with two around them."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=_CONTEXT))
    body = lines[2:]
    added, removed = (sum(line.startswith(sign) for line in body) for sign in "+-")
    shown = tuple(line[:_WIDEST] for line in body[:_MOST_LINES])
    return TextChanges(added, removed, shown, cut=len(body) > _MOST_LINES)
