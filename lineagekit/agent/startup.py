# SPDX-License-Identifier: Apache-2.0
"""Loaded when Python starts in a child of a recorded run: by the `.pth` line, only where LINEAGEKIT_RUN is set.

>>> os.environ["LINEAGEKIT_RUN"]  # doctest: +SKIP
'0198c2f4-...'
"""

from __future__ import annotations

import os

from lineagekit.agent.border import border

RUN = os.environ.get("LINEAGEKIT_RUN", "")
"""The run that this process belongs to; empty outside of any."""

if RUN:
    with border("startup"):
        from lineagekit.agent.session import autolog

        autolog()
