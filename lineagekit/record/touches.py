# SPDX-License-Identifier: Apache-2.0
"""What one run did to one path: what it read there first, or what it left there last.

>>> touch = Written("/out.csv", 20, "open", evidence=Evidence(1, 2, 3, 4, 5))
>>> touch.is_unchanged
False

An input keeps its name, and a *place*, where its bytes are now; an output has the name under which it was left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lineagekit.agent.evidence import Evidence
from lineagekit.events.account import Columns, ModelName
from lineagekit.record.facts import Fact, Listing, columns, objects, text, texts, whole


@dataclass(slots=True)
class Shape:
    """What the job itself saw of the data, where it said so."""

    format: str = ""
    columns: Columns = ()
    rows: int | None = None
    pins: tuple[Fact, ...] = ()

    def learn(self, fact: Fact) -> None:
        """Add what is not known yet."""
        self.format = self.format or text(fact, "format")
        self.columns = self.columns or columns(fact)
        self.rows = whole(fact, "rows") if self.rows is None else self.rows
        self.pins = self.pins or objects(fact, "pins")


@dataclass(slots=True)
class Read:
    """An input."""

    path: str
    evidence: Evidence | None
    listing: Listing | None
    at: int
    door: str
    place: str
    seen: Evidence | None
    """The evidence that the same bytes must have at `place`: the run may have moved them there itself."""
    shape: Shape = field(default_factory=Shape)
    lost: str = ""
    """Why the bytes are at no place any more; '' while they are."""
    doubt: str = ""
    """Why this evidence proves nothing."""
    copy: str = ""
    """The file beside the journal that has the bytes."""
    is_folder: bool = False
    model: ModelName | None = None


@dataclass(slots=True)
class Written:
    """An output."""

    path: str
    at: int
    door: str
    evidence: Evidence | None = None
    listing: Listing | None = None
    before: Evidence | None = None
    """What stood there when this run opened it to change it; equal evidence afterwards means that it did not."""
    changes: bool = False
    """Opened to change what was there, not to replace it."""
    opened: Evidence | None = None
    """What stood there when this run opened its own output once more, to change it."""
    shape: Shape = field(default_factory=Shape)
    is_open: bool = False
    is_folder: bool = False
    model: ModelName | None = None
    taken: str = ""
    """Digest that the job itself took of the bytes with this evidence."""

    @property
    def is_unchanged(self) -> bool:
        """Opened, and left as it was."""
        return self.changes and self.before is not None and self.evidence == self.before and not self.is_open


@dataclass(slots=True)
class Dataset:
    """What is no file of this machine, and was named: an object, a table, a thing that somebody said."""

    role: str
    namespace: str
    name: str
    at: int
    door: str = ""
    bytes: int | None = None
    digests: tuple[str, ...] = ()
    """Of a data frame, where the job was asked to take them."""
    shape: Shape = field(default_factory=Shape)

    def learn(self, fact: Fact) -> None:
        """Add what another fact says of it; its version and etag are pins."""
        self.digests = self.digests or texts(fact, "digests")
        self.door = text(fact, "door") or self.door
        self.bytes = whole(fact, "bytes") if self.bytes is None else self.bytes
        self.shape.learn(fact)
        pin = {key: value for key in ("version", "etag") if (value := text(fact, key))}
        if pin and not any(pin.items() <= known.items() for known in self.shape.pins):
            self.shape.pins += ({"system": self.namespace.partition(":")[0], **pin},)


@dataclass(slots=True)
class Result:
    """An answer of a database or server: no file, so the answer itself is the identity."""

    kind: str
    namespace: str
    name: str
    at: int
    statement: str = ""
    tables: tuple[str, ...] = ()
    rows: int | None = None
    bytes: int | None = None
    columns: Columns = ()
    digest: str = ""
    etag: str = ""
    door: str = ""
    reason: str = ""


@dataclass(slots=True)
class Ambiguous:
    """What one of several runs did, and nobody can tell which."""

    role: str
    at: int
    path: str
    namespace: str = ""
    name: str = ""
