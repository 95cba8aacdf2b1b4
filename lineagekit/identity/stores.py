# SPDX-License-Identifier: Apache-2.0
"""Stores behind a URI, opened through fsspec: which package, which version of an object, which error of whom.

>>> scheme_of("S3://bucket/key"), scheme_of("data/key")
('s3', '')
>>> store, path = open_store("s3://bucket/key")  # doctest: +SKIP
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blake3 import blake3

from lineagekit.errors import (
    BadDataError,
    LineagekitError,
    MissingExtraError,
    NotFoundError,
    StoreError,
    UnreadableError,
    UsageError,
)
from lineagekit.extras import need

BLOCK = 8 << 20
"""Bytes of one ranged request: its latency is small against them, and 16 at a time fit any memory."""

Info = dict[str, Any]
"""What fsspec knows of an object; which keys it has depends on the store."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_S3 = ("s3", "s3a", "s3n")
_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs", "adl": "adlfs"}
_COMMON = "s3, s3a, gs, abfs, az, hdfs, http, https, file"
_VERSIONS = ("ETag", "etag", "generation", "VersionId", "LastModified", "mtime", "created")
_WEB = (("aiohttp", "ClientError"),)
_FOREIGN = (
    ("builtins", "OSError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    *_WEB,
)
_ARCHIVES = (("zipfile", "BadZipFile"), ("tarfile", "ReadError"))


def scheme_of(path: str) -> str:
    """The scheme of a URI in lower case; '' for a path."""
    match = _SCHEME.match(path)
    return match[1].lower() if match else ""


def open_store(uri: str) -> tuple[Any, str]:
    """The fsspec file system of a URI, and the path in it; S3's by another name is S3's all the same."""
    scheme = scheme_of(uri)
    options: dict[str, Any] = {"use_listings_cache": False}
    if uri.partition("://")[2] == "" and scheme in (*_S3, *_PACKAGES):
        raise UsageError(f"no bucket: got {uri!r}, expected {uri}bucket/key", advice="Name the bucket.")
    if scheme in _S3:
        need("s3fs", extra="s3")
        uri = "s3" + uri[len(scheme) :]
        options["version_aware"] = "?versionId=" in uri
    core = need("fsspec.core", extra="s3")
    try:
        store, path = core.url_to_fs(uri, **options)
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        advice = f"Run: pip install {package}" if package else f"{_first_line(error)}."
        raise MissingExtraError(f"{scheme}:// needs a package that is not installed", advice=advice) from error
    except ValueError as error:
        raise UsageError(f"cannot open {uri!r}: {_first_line(error)}", advice=f"Known schemes: {_COMMON}.") from error
    except _loaded(_ARCHIVES) as error:
        raise BadDataError(f"cannot open {uri!r}: {_first_line(error)}", advice="Check the archive.") from error
    return store, path


def read_blocks(store: Any, path: str) -> Iterator[memoryview]:
    """An object from its first byte to its last; S3 refuses to go on once it is overwritten."""
    with store.open(path, "rb", block_size=BLOCK, cache_type="none") as stream:
        while block := stream.read(BLOCK):
            yield memoryview(block)


def version_of(info: Info) -> str:
    """What the store calls this version, by the strongest name that it has."""
    return next((f"{name}={info[name]}" for name in _VERSIONS if info.get(name)), "")


def cache_key(store: Any, path: str, info: Info, algorithm: str) -> str:
    """Everything that a digest depends on, hashed, since a signed URL is a secret; '' if nothing names the version."""
    tag = info.get("ETag") or info.get("etag") or info.get("generation") or ""
    if not tag or str(tag).startswith("W/"):  # a weak tag promises the meaning, not the bytes
        return ""
    client = getattr(store, "s3", None)
    endpoint = client.meta.endpoint_url if client else store.protocol
    key = [endpoint, path, str(tag), info.get("VersionId") or "", info["size"], algorithm]
    return "object " + blake3(json.dumps(key).encode()).hexdigest()


@contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """Say in our words what a client library raises."""
    try:
        yield
    except _loaded(_FOREIGN) as error:
        # fsspec says of every web address that fails that it is not there.
        web = isinstance(error, FileNotFoundError) and isinstance(error.__cause__, _loaded(_WEB))
        raise _explain(uri, error.__cause__ if web and error.__cause__ else error) from error


def _explain(uri: str, error: BaseException) -> LineagekitError:
    status, reason = getattr(error, "status", None), _first_line(error)
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return NotFoundError(f"no such object: {uri}", advice="Check bucket, key and version.")
    if isinstance(error, PermissionError) or status in (401, 403):
        return UnreadableError(f"permission denied: {uri}, {reason}", advice="Check your rights there.")
    if "Credentials" in type(error).__name__:  # each client library has a class of its own
        advice = "Configure the store's own (for S3: AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret)."
        return UnreadableError(f"no credentials for {uri}: {reason}", advice=advice)
    return StoreError(f"the store failed: {uri}, {reason}", advice="Check its endpoint.")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _loaded(classes: tuple[tuple[str, str], ...]) -> tuple[type[Exception], ...]:
    """Those whose modules are imported by now: no others can have been raised."""
    return tuple(getattr(sys.modules[module], name) for module, name in classes if module in sys.modules)
