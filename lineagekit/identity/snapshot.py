# SPDX-License-Identifier: Apache-2.0
"""Snapshot: a dataset's name bound to its bytes: what `fingerprint` answers.

>>> snapshot = fingerprint("orders.parquet")  # doctest: +SKIP
>>> str(snapshot.digest("lkt1"))  # doctest: +SKIP
'lkt1:9f3c...'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from lineagekit.errors import NotFoundError
from lineagekit.identity.digest import Digest

if TYPE_CHECKING:
    from lineagekit.identity.manifest import Manifest
    from lineagekit.identity.profile import Profile

Kind = Literal["file", "directory", "table", "records", "stream"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A dataset with its digests. Without a digest it is *unknown*, and `reason` says why."""

    name: str
    kind: Kind
    digests: tuple[Digest, ...] = ()
    bytes: int | None = None
    files: int | None = None
    rows: int | None = None
    columns: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    warnings: tuple[str, ...] = ()
    manifest: Manifest | None = field(default=None, repr=False, compare=False)
    profile: Profile | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of_folder(cls, name: str, manifest: Manifest) -> Snapshot:
        """A folder that is known by the list of its files."""
        files = len(manifest)
        return cls(name, "directory", (manifest.digest,), bytes=manifest.size, files=files, manifest=manifest)

    @property
    def state(self) -> Literal["exact", "unknown"]:
        """`exact` when the digests are proven, else `unknown`."""
        return "unknown" if self.reason else "exact"

    def digest(self, algorithm: str) -> Digest:
        """The digest of one algorithm; NotFoundError when it was not taken."""
        for digest in self.digests:
            if digest.algorithm == algorithm:
                return digest
        taken = ", ".join(d.algorithm for d in self.digests) or "none"
        raise NotFoundError(f"{self.name} has no {algorithm} digest: got {taken}")

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; what is not known is left out."""
        facts = {
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "reason": self.reason,
            "digests": {d.algorithm: str(d) for d in self.digests},
            "bytes": self.bytes,
            "files": self.files,
            "rows": self.rows,
            "columns": [{"name": n, "type": t} for n, t in self.columns],
            "warnings": list(self.warnings),
        }
        return {k: v for k, v in facts.items() if v not in (None, "", [])}
