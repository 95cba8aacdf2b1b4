# SPDX-License-Identifier: Apache-2.0
"""What digests in events stand for, manifests and profiles, goes into the store before the events do.

>>> keep_objects([snapshot], store)  # doctest: +SKIP

Kept for nothing they do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lineagekit.events.account import Account, Part
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.snapshot import Snapshot
from lineagekit.store.log import Store

Object = tuple[str, str, Callable[[], bytes]]
"""Kind, digest, and what writes it out: a profile takes milliseconds."""


def keep_objects(things: Iterable[Snapshot | Manifest | Part], store: Store) -> None:
    """Keep what belongs to these, if it is not there yet."""
    wanted = {(kind, digest): write for thing in things for kind, digest, write in _objects(thing)}
    bodies = [(kind, digest, write()) for (kind, digest), write in wanted.items() if store.object(kind, digest) is None]
    if bodies:
        with store.write():
            for kind, digest, body in bodies:
                store.keep_object(kind, digest, body)


def things_of(accounts: Iterable[Account]) -> Iterator[Snapshot | Part]:
    """What these runs saw."""
    for account in accounts:
        for use in (*account.inputs, *account.outputs):
            if use.snapshot is not None:
                yield use.snapshot
            yield from use.files


def _objects(thing: Snapshot | Manifest | Part) -> Iterator[Object]:
    match thing:
        case Manifest():
            yield "manifest", str(thing.digest), lambda: "".join(thing.to_lines()).encode()
        case Part():
            if thing.profile is not None:
                yield "profile", thing.table, thing.profile.to_bytes
        case Snapshot():
            if thing.manifest is not None:
                yield from _objects(thing.manifest)
            if thing.profile is not None:
                yield "profile", str(thing.digest("lkt1")), thing.profile.to_bytes
