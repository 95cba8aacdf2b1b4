# SPDX-License-Identifier: Apache-2.0
"""S3 through botocore and aiobotocore, and so through boto3, s3fs, and pandas and Arrow on top of them.

    >>> boto3.client("s3").download_file("raw", "orders.csv", "orders.csv")  # doctest: +SKIP
    # said: input s3://raw orders.csv, ETag, version, bytes

Each call of S3's goes through one method. A HEAD alone is no access, and neither is a list; many ranges of one object
are one input. What failed was not read and not written.
"""

from __future__ import annotations

from lineagekit.agent.border import border
from lineagekit.agent.hooks import argument
from lineagekit.agent.note import reads, run_now, wrote
from lineagekit_python.around import around, covering, is_covered

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_DOOR = "botocore"
_READ = frozenset({"GetObject", "SelectObjectContent"})
_WRITE = frozenset({"PutObject", "CompleteMultipartUpload"})
_COPY = frozenset({"CopyObject", "UploadPartCopy"})


def client(module: Any) -> None:
    """The one method of all clients."""
    around(module, "BaseClient._make_api_call", _make)


def aio_client(module: Any) -> None:
    """The same for asyncio."""
    around(module, "AioBaseClient._make_api_call", _make_async)


def _make(original: Any) -> Any:
    def make_api_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_covered() or not _is_s3(self):
            return original(self, *args, **kwargs)
        size = _size(args, kwargs)
        with covering():
            response = original(self, *args, **kwargs)
        with border(_DOOR):
            _say(args, kwargs, response, size)
        return response

    return make_api_call


def _make_async(original: Any) -> Any:
    async def make_api_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_covered() or not _is_s3(self):
            return await original(self, *args, **kwargs)
        size = _size(args, kwargs)
        with covering():
            response = await original(self, *args, **kwargs)
        with border(_DOOR):
            _say(args, kwargs, response, size)
        return response

    return make_api_call


def _is_s3(client: Any) -> bool:
    found = False
    with border(_DOOR):
        found = client.meta.service_model.service_name == "s3"
    return found


def _say(args: tuple[Any, ...], kwargs: dict[str, Any], response: Any, size: int | None) -> None:
    operation, given = _asked(args, kwargs)
    if operation in _READ:
        _say_object("input", given["Bucket"], given["Key"], _facts(response, given))
    elif operation in _WRITE:
        _say_object("output", given["Bucket"], given["Key"], dict(_facts(response, given), bytes=size))
    elif operation in _COPY:
        bucket, key, version = _source(given["CopySource"])
        _say_object("input", bucket, key, {"version": response.get("CopySourceVersionId") or version})
        if operation == "CopyObject":  # the parts of a larger one are told when it is complete
            facts = _facts({**response, **(response.get("CopyObjectResult") or {})}, given)
            _say_object("output", given["Bucket"], given["Key"], dict(facts, bytes=None))


def _say_object(role: str, bucket: str, key: str, facts: dict[str, Any]) -> None:
    """Once a run for each version of it."""
    run = run_now()
    facts = {name: value for name, value in facts.items() if value not in (None, "")}
    uri = f"s3://{bucket.rpartition('/')[2]}/{key}"
    if run is None or not run.ledger.is_new(f"{role} {facts.get('version')} {facts.get('etag')} {uri}"):
        return
    pin = {name: facts[name] for name in ("version", "etag") if name in facts}
    if pin:
        facts["pins"] = [{"system": "s3", **pin}]
    (reads if role == "input" else wrote)(uri, door=_DOOR, **facts)


def _facts(response: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What S3 says of an object: of a range the size of the whole."""
    total = str(response.get("ContentRange") or "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else response.get("ContentLength")
    version = response.get("VersionId") or given.get("VersionId")
    version = None if version == "null" else version  # a bucket that keeps no versions
    return {"etag": str(response.get("ETag") or "").strip('"'), "version": version, "bytes": size}


def _asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return argument(args, kwargs, 0, "operation_name"), argument(args, kwargs, 1, "api_params") or {}


def _size(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """The size of what will be written, where the call itself tells; to be asked before botocore wraps it."""
    size = None
    with border(_DOOR):
        given = _asked(args, kwargs)[1]
        body = given.get("Body")
        size = len(body) if isinstance(body, (bytes, bytearray)) else given.get("ContentLength")
    return size if isinstance(size, int) else None


def _source(source: Any) -> tuple[str, str, str]:
    """Bucket, key and version of what is copied: a mapping, or `bucket/key?versionId=...`."""
    if isinstance(source, dict):
        return source["Bucket"], source["Key"], source.get("VersionId") or ""
    from urllib.parse import unquote

    place, _, version = str(source).lstrip("/").partition("?versionId=")
    bucket, _, key = unquote(place).partition("/")
    return bucket, key, version
