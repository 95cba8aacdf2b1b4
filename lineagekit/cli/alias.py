# SPDX-License-Identifier: Apache-2.0
"""`lineagekit alias A B`: says that two names are one dataset, or takes that back.

$ lineagekit alias /mnt/shared/orders s3://raw/orders
/mnt/shared/orders is called s3://raw/orders from now on. Undo: lineagekit alias --remove /mnt/shared/orders
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from lineagekit.cli.asking import Asked, StoreOption, asked
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe
from lineagekit.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lineagekit.events.said import Name
    from lineagekit.store.log import Store


@dataclass(frozen=True, slots=True)
class Alias:
    """Say that two names are one dataset, list what was said, or take it back.

    What is below the first name is then below the second. Nothing that was recorded is changed.

    Example: lineagekit alias /mnt/shared/orders s3://raw/orders
    """

    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME OTHER]", show_default=False, help="What is called NAME is OTHER. None: list."),
    ] = None
    remove: Annotated[
        str, typer.Option("--remove", metavar="NAME", show_default=False, help="Take back what was said of NAME.")
    ] = ""
    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Say it, list it, or take it back; the next question goes by it."""
        names = self.names or []
        if len(names) not in (0, 2) or (self.remove and names):
            raise UsageError(
                f"got {len(names)} names, expected two, or none", advice="Example: lineagekit alias /mnt/a /data/a"
            )
        with asked(out, self.store) as it:
            out.say(it.where)
            if self.remove:
                _remove(it.store, self.remove, out)
            elif names:
                _add(it, names[0], names[1], out)
            else:
                _list(it.store, out)
        if self.remove or names:
            with asked(out, self.store):  # so that the question that follows need not wait
                pass
        return 0


def _add(it: Asked, left: str, right: str, out: Output) -> None:
    from lineagekit.store.aliases import to_name

    other = next(_known(it, right), to_name(right))
    one = next((name for name in _known(it, left) if name != other), to_name(left))
    if one == other:
        raise UsageError(f"{left} and {right} are one name already", advice="Nothing needs to be done.")
    it.store.set_alias(one, other)
    undo = f"lineagekit alias --remove {quote(left)}"
    out.say(f"{_title(one)} is called {_title(other)} from now on. Undo: {undo}")
    out.show({"name": _title(one), "called": _title(other), "undo": undo})


def _known(it: Asked, text: str) -> Iterator[Name]:
    """Names that were recorded just so: two spellings of one dataset may be read as one name."""
    from lineagekit.store.query import find_dataset
    from lineagekit.store.targets import spellings

    return (name for name in spellings(text) if find_dataset(it.db, name) is not None)


def _remove(store: Store, left: str, out: Output) -> None:
    from lineagekit.store.aliases import to_name
    from lineagekit.store.targets import spellings

    if not any([store.remove_alias(name) for name in dict.fromkeys(spellings(left))]):
        known = ", ".join(_title(one) for one, _ in store.aliases()) or "none"
        raise NotFoundError(f"no alias of this name: got {left!r}, expected one of: {known}")
    out.say(f"{_title(to_name(left))} is itself again")
    out.show({"removed": _title(to_name(left))})


def _list(store: Store, out: Output) -> None:
    said = [(_title(left), _title(right)) for left, right in store.aliases()]
    out.say(*(f"{left}  is called  {right}" for left, right in said), *([] if said else ["no aliases"]))
    out.show([{"name": left, "called": right} for left, right in said])


def _title(name: Name) -> str:
    from lineagekit.store.found import title_of

    return safe(title_of(*name))
