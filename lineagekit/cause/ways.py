# SPDX-License-Identifier: Apache-2.0
"""Which way a command is held while it rebuilds: in a cage where one can be built, else in a copy of its folder.

>>> choose(Recipe(("make", "train"), "/work")).in_copy  # doctest: +SKIP
False
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lineagekit.cause import cage, landlock, warden
from lineagekit.cause import filter as filter_
from lineagekit.cause.copied import Copied
from lineagekit.cause.recipe import Recipe
from lineagekit.errors import StoreError


def choose(recipe: Recipe) -> Recipe:
    """The recipe, with the way that this machine allows; raises StoreError where it allows none, with the reasons."""
    no_cage = cage.why_not(is_unsafe=recipe.is_unsafe)
    if not no_cage:
        return recipe
    if no_copy := _why_no_copy(recipe):
        raise StoreError(no_cage, advice=f"Nor can it be held in a copy of the folder: {no_copy}")
    return replace(recipe, in_copy=True)


def _why_no_copy(recipe: Recipe) -> str:
    if landlock.abi() < warden.OLDEST:
        return "without Landlock that holds truncation (Linux 6.2) nothing would hold it, and --unsafe does not help."
    if not filter_.is_known():
        return "the system calls of this machine are not known, only those of x86_64 and aarch64."
    if recipe.by_exit_status:
        return "there an exit code may tell of a path that cannot be written. Judge by --metric or --metric-file."
    return cage.trial(_around_nothing, is_unsafe=False)


def _around_nothing(folder: Path) -> Copied:
    home = folder.with_name("home")
    home.mkdir()
    return Copied(folder, home)
