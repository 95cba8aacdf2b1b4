# SPDX-License-Identifier: Apache-2.0
"""Hook tables: for each library, which of its functions read and write data.

>>> TABLES["pandas.io.parquet"]  # doctest: +SKIP
'lineagekit_python.pandas:parquet'
"""

from __future__ import annotations

TABLES: dict[str, str] = {}
"""Module -> `module:function` that patches it once it is loaded (see `lineagekit.agent.hooks`)."""
