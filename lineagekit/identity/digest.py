# SPDX-License-Identifier: Apache-2.0
"""Digest: a name that is a function of the bytes, and that says which function.

    algorithm[;key=value...]:hex

Keys are sorted; a value is a list of items, percent-encoded one by one and joined by commas, so everything that
changes the hex stands in the name and any column name fits.

    >>> d = Digest("lkt1", "40f0" * 16, {"columns": ("a", "b,c")})
    >>> str(d)[:27]
    'lkt1;columns=a,b%2Cc:40f040'
    >>> Digest.parse(str(d)) == d
    True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from lineagekit.errors import BadDataError, IncomparableError

_KEY = re.compile(r"[a-z][a-z0-9]*")
_ALGORITHM = re.compile(r"[a-z][a-z0-9-]*")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")

Parameters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, init=False)
class Digest:
    """Algorithm, hex and the parameters that change the hex. Equal values mean equal content."""

    algorithm: str
    hex: str
    parameters: Parameters

    def __init__(self, algorithm: str, hex: str, parameters: Mapping[str, Iterable[str]] | None = None) -> None:
        """Check the grammar and sort the parameters; an empty list of items drops its parameter."""
        items = tuple(sorted((k, tuple(v)) for k, v in (parameters or {}).items()))
        object.__setattr__(self, "algorithm", algorithm)
        object.__setattr__(self, "hex", hex)
        object.__setattr__(self, "parameters", tuple((k, v) for k, v in items if v))
        if not (_ALGORITHM.fullmatch(algorithm) and _HEX.fullmatch(hex) and all(_KEY.fullmatch(k) for k, _ in items)):
            raise BadDataError(f"not a digest: got {str(self)!r}, expected algorithm[;key=value...]:hex in lower case")

    def __str__(self) -> str:
        """Print what `parse` reads."""
        return f"{self.method}:{self.hex}"

    @property
    def method(self) -> str:
        """Everything left of the colon: two digests compare only when this is equal."""
        return self.algorithm + "".join(f";{k}={','.join(map(_encode, v))}" for k, v in self.parameters)

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm[;key=value...]:hex`; only the canonical spelling is accepted."""
        method, colon, hex_part = text.rpartition(":")
        algorithm, *pairs = method.split(";")
        parameters = {k: map(unquote, v.split(",")) for k, _, v in (p.partition("=") for p in pairs)}
        digest = cls(algorithm, hex_part, parameters) if colon else None
        if digest is None or str(digest) != text:
            raise BadDataError(f"not a digest: got {text!r}, expected algorithm[;key=value...]:hex, keys sorted")
        return digest

    def same_as(self, other: Digest) -> bool:
        """Compare content; digests of another algorithm or with other parameters raise IncomparableError."""
        if self.method != other.method:
            raise IncomparableError(
                f"cannot compare a {self.method} digest with a {other.method} digest",
                advice="Take both with the same algorithm and options.",
            )
        return self.hex == other.hex


def _encode(item: str) -> str:
    return quote(item, safe="", errors="surrogateescape")
