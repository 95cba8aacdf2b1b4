# SPDX-License-Identifier: Apache-2.0
"""Optional packages: imported where they are used, and named with the pip line where they are absent.

>>> need("s3fs", extra="s3")  # doctest: +SKIP
<module 's3fs' ...>
"""

from __future__ import annotations

import importlib
from types import ModuleType

from lineagekit.errors import MissingExtraError


def need(module: str, *, extra: str) -> ModuleType:
    """Import `module`, or raise MissingExtraError with the line to type."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the package {error.name or module} is not installed",
            advice=f"Run: pip install 'lineagekit[{extra}]'",
        ) from error
