# SPDX-License-Identifier: Apache-2.0
"""Records: the digest of a stream of JSON values, in their order, and what binds an output to its inputs.

>>> str(records_digest([{"id": 1, "label": "pos"}]))[:31]
'records-sha256:81f02dd9f2d90abe'
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from lineagekit.errors import BadDataError, UsageError
from lineagekit.identity.access import show
from lineagekit.identity.canonical import BLOCK, encode_block, parse_json, to_canonical
from lineagekit.identity.digest import Digest
from lineagekit.identity.streams import Source, name_of, open_stream


def records_digest(records: Iterable[object]) -> Digest:
    """SHA-256 over each record's canonical JSON and a newline; BadDataError names the first record without one."""
    if isinstance(records, str | bytes | Mapping):
        raise UsageError(f"not a stream of records: got one {type(records).__name__}, expected an iterable of records")
    sha, remaining, done = hashlib.sha256(), iter(records), 0
    while block := list(islice(remaining, BLOCK)):
        sha.update(_encode(block, done))
        done += len(block)
    return Digest("records-sha256", sha.hexdigest())


def records_digest_of_lines(source: Source) -> Digest:
    """Take the digest of a JSON lines file, compressed or not: of each line the value counts, not the spelling."""
    return records_digest(value for _, _, value in read_json_lines(source))


def read_json_lines(source: Source) -> Iterator[tuple[int, int, object]]:
    """Yield (line number, bytes, value), without blank lines and a BOM; BadDataError names a line that is not JSON."""
    name = show(name_of(source))
    with open_stream(source) as stream:
        for number, line in enumerate(stream, 1):
            text = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip(b" \t\r\n")
            if text:
                yield number, len(text), _parse(text, f"{name}, line {number}")


def binding_id(*, output_snapshot: str, inputs: Sequence[str], transform_code: str, row_count: int) -> str:
    """Name an output together with what made it; `output_snapshot` is the bare hex of its digest.

    >>> binding_id(output_snapshot="00", inputs=["a.csv"], transform_code="git:9f3a1c2", row_count=3)
    '82ebfe778ad14324'
    """
    bound = {
        "output_snapshot": output_snapshot,
        "inputs": list(inputs),
        "transform_code": transform_code,
        "row_count": row_count,
    }
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


def _encode(block: list[object], done: int) -> bytes:
    try:
        return encode_block(block)
    except (TypeError, ValueError, RecursionError):
        pass
    for number, record in enumerate(block, done + 1):
        try:
            to_canonical(record)
        except (TypeError, ValueError, RecursionError) as error:
            raise BadDataError(
                f"record {number} has no JSON form: {error}",
                advice="Convert it to strings, numbers, booleans, lists and dictionaries first.",
            ) from error
    raise BadDataError(f"records {done + 1} to {done + len(block)} changed while they were read")


def _parse(text: bytes, place: str) -> object:
    try:
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"{place} is not JSON: {error}", advice="Mend or remove the line.") from error
