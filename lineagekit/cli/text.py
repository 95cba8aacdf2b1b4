# SPDX-License-Identifier: Apache-2.0
r"""Text from events on a terminal: what could move the cursor or hide something is shown as what it is.

>>> safe("/data/a\x1b[2J.csv"), short("/data/warehouse/orders/2026.parquet", 20)
('/data/a\\x1b[2J.csv', '..rders/2026.parquet')
"""

from __future__ import annotations


def safe(text: str) -> str:
    """The same text, with control characters, line ends and halves of pairs spelled out."""
    if text.isprintable():
        return text
    return "".join(map(_spelled, text))


def _spelled(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def short(text: str, width: int) -> str:
    """At most so many characters: of a long name the end tells more than the beginning."""
    shown = safe(text)
    return shown if len(shown) <= width else f"..{shown[2 - width :]}" if width > 2 else shown[:width]
