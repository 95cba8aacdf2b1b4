# SPDX-License-Identifier: Apache-2.0
"""The way in which commands are held, and what a person should know of it.

>>> recipe = held(out, recipe)  # doctest: +SKIP
warning: no user namespaces here: commands run in a copy of /work, held by Landlock; absolute paths cannot be put back
"""

from __future__ import annotations

import os

from lineagekit.cause.recipe import Recipe
from lineagekit.cause.ways import choose
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe


def held(out: Output, recipe: Recipe) -> Recipe:
    """The recipe with the way; raises StoreError where there is none."""
    chosen = choose(recipe)
    if chosen.in_copy:
        folder = safe(os.path.abspath(recipe.folder))
        out.warn(
            f"no user namespaces here: commands run in a copy of {folder}, held by Landlock; "
            "absolute paths cannot be put back"
        )
    return chosen
