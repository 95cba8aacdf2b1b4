# SPDX-License-Identifier: Apache-2.0
"""Iceberg tables without Spark: metadata, lists of manifests and manifests as their specification has them."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

_LIST = {
    "type": "record",
    "name": "manifest_file",
    "fields": [
        {"name": "manifest_path", "type": "string"},
        {"name": "manifest_length", "type": "long"},
        {"name": "content", "type": "int"},
    ],
}
_ENTRY = {
    "type": "record",
    "name": "manifest_entry",
    "fields": [
        {"name": "status", "type": "int"},
        {
            "name": "data_file",
            "type": {
                "type": "record",
                "name": "r2",
                "fields": [
                    {"name": "content", "type": "int"},
                    {"name": "file_path", "type": "string"},
                    {"name": "file_size_in_bytes", "type": "long"},
                    {"name": "lower_bounds", "type": ["null", {"type": "map", "values": "bytes"}]},
                ],
            },
        },
    ],
}
EXISTING, ADDED, DELETED = 0, 1, 2


def number(value: int) -> bytes:
    value = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def text(value: str) -> bytes:
    return number(len(value.encode())) + value.encode()


def avro(path: Path, schema: object, records: Sequence[bytes], codec: str = "deflate") -> Path:
    head = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    body = b"".join(records)
    if codec == "deflate":
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(body) + packer.flush()
    sync = b"0123456789abcdef"
    told = b"".join(text(key) + text(value) for key, value in head.items())
    block = number(len(records)) + number(len(body)) + body + sync if records else b""
    path.write_bytes(b"Obj\x01" + number(len(head)) + told + number(0) + sync + block)
    return path


class Table:
    """A table that is written snapshot by snapshot."""

    def __init__(self, folder: Path, *, scheme: str = "file:") -> None:
        self.folder, self._scheme = folder, scheme
        self.snapshots: list[dict[str, object]] = []
        (folder / "metadata").mkdir(parents=True)
        (folder / "data").mkdir()

    def commit(self, files: Mapping[str, bytes], *, deletes: str = "", elsewhere: str = "", **summary: str) -> int:
        """A snapshot of just these files below `data`; those that are not there are made. Its number."""
        count = len(self.snapshots) + 1
        for name, body in files.items():
            if not (self.folder / "data" / name).exists():
                (self.folder / "data" / name).write_bytes(body)
        rows = [self._entry(f"{self.folder}/data/{name}", len(body)) for name, body in files.items()]
        rows.append(self._entry(f"{self.folder}/data/long-gone.parquet", 9, status=DELETED))
        rows += [self._entry(elsewhere, 9)] if elsewhere else []
        rows += [self._entry(f"{self.folder}/data/{deletes}", 9, content=1)] if deletes else []
        manifest = avro(self.folder / "metadata" / f"{count}-m0.avro", _ENTRY, rows)
        listed = [text(f"{self._scheme}{manifest}") + number(manifest.stat().st_size) + number(0)]
        list_ = avro(self.folder / "metadata" / f"snap-{count}.avro", _LIST, listed)
        id_ = 5_433_902_650_633_835_002 + count * 10**12
        at = time.time_ns() // 10**6
        told = {"snapshot-id": id_, "timestamp-ms": at, "manifest-list": f"{self._scheme}{list_}"}
        self.snapshots.append({**told, "summary": {"total-data-files": str(len(files) + bool(elsewhere)), **summary}})
        self.say(count)
        return id_

    def say(self, version: int) -> None:
        """The metadata of now."""
        path = self.folder / "metadata" / f"v{version}.metadata.json"
        path.write_text(json.dumps({"format-version": 2, "snapshots": self.snapshots}))

    def expire(self, id_: int) -> None:
        self.snapshots = [one for one in self.snapshots if one["snapshot-id"] != id_]
        for name in os.listdir(self.folder / "metadata"):
            if name.endswith(".json"):
                os.unlink(self.folder / "metadata" / name)
        self.say(99)

    def _entry(self, path: str, size: int, *, status: int = ADDED, content: int = 0) -> bytes:
        place = path if ":" in path else f"{self._scheme}{path}"
        bounds = number(1) + number(1) + text("id") + text("\x01\x02") + number(0)
        return number(status) + number(content) + text(place) + number(size) + bounds
