# SPDX-License-Identifier: Apache-2.0
"""Object stores: the digests of local bytes, through a real S3 server."""

from __future__ import annotations

import gzip
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3

from lineagekit.errors import (
    BadDataError,
    ChangedWhileReadError,
    MissingExtraError,
    NotFoundError,
    StoreError,
    UnreadableError,
    UsageError,
)
from lineagekit.identity.cache import open_cache
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.hashing import PLAIN, Hashing
from lineagekit.identity.options import Options
from lineagekit.identity.remote import hash_object, hash_prefix, is_prefix, local_path, open_object, scheme_of
from lineagekit.identity.stores import BLOCK
from lineagekit.identity.trees import hash_tree

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def world(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The environment of a user with rights on that server."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_MAX_ATTEMPTS": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(world: None, endpoint: str, request: pytest.FixtureRequest) -> Any:
    """A new bucket, by boto3: put, delete and versioning as any user would."""
    bucket = boto3.resource("s3").Bucket(f"bucket-{abs(hash(request.node.name))}")
    bucket.create()
    return bucket


def put(bucket: Any, key: str, content: bytes) -> str:
    return str(bucket.put_object(Key=key, Body=content).version_id)


def uri(bucket: Any, key: str = "", scheme: str = "s3") -> str:
    return f"{scheme}://{bucket.name}/{key}"


def b3(content: bytes) -> str:
    return f"blake3:{blake3(content).hexdigest()}"


@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n", "S3"])
@pytest.mark.parametrize("content", [b"", b"abc", os.urandom(2 * BLOCK + 1)], ids=["empty", "abc", "blocks"])
def test_an_object_has_the_digest_of_its_bytes(bucket: Any, scheme: str, content: bytes) -> None:
    put(bucket, "deep/key", content)
    seen: list[int] = []
    hashed = hash_object(uri(bucket, "deep/key", scheme), Hashing(progress=seen.append))
    assert (str(hashed.digest), hashed.size) == (b3(content), len(content))
    assert sum(seen) == len(content)


def test_sha256_on_request(bucket: Any) -> None:
    put(bucket, "key", b"")
    assert hash_object(uri(bucket, "key"), Hashing("sha256")).digest.hex.startswith("e3b0c442")


def test_how_it_was_uploaded_is_not_identity(bucket: Any) -> None:
    content = os.urandom(6 << 20)
    put(bucket, "whole", content)
    upload = bucket.Object("parts").initiate_multipart_upload()
    cut = 5 << 20
    parts = [upload.Part(n).upload(Body=body)["ETag"] for n, body in ((1, content[:cut]), (2, content[cut:]))]
    upload.complete(MultipartUpload={"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(parts, 1)]})
    whole, in_parts = hash_object(uri(bucket, "whole")), hash_object(uri(bucket, "parts"))
    assert whole.digest == in_parts.digest
    assert whole.version != in_parts.version


def test_a_prefix_is_the_folder_with_the_same_files(bucket: Any, tmp_path: Path) -> None:
    for name in ("a.csv", "dt=1/é b.csv", "dt=1/x:y", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        put(bucket, f"set/{name}", name.encode())
    put(bucket, "set/", b"")
    put(bucket, "set/empty/", b"")
    put(bucket, "settled", b"no part of it")
    for spelling in ("set", "set/"):
        assert hash_prefix(uri(bucket, spelling)) == hash_tree(tmp_path)
    assert hash_prefix(uri(bucket, "set"), include=["**/*.csv"]) == hash_tree(tmp_path, include=["**/*.csv"])
    assert hash_prefix(uri(bucket), include=["set"]).entry("set/a.csv").size == 5


def test_a_prefix_is_told_from_an_object(bucket: Any) -> None:
    put(bucket, "set/a", b"1")
    assert is_prefix(uri(bucket, "set"))
    assert is_prefix(uri(bucket))
    assert not is_prefix(uri(bucket, "set/a"))
    with pytest.raises(BadDataError, match="is a prefix, expected an object"):
        hash_object(uri(bucket, "set"))
    with pytest.raises(BadDataError, match="is an object, expected a prefix"):
        hash_prefix(uri(bucket, "set/a"))


def test_an_old_version_can_still_be_named(bucket: Any) -> None:
    bucket.Versioning().enable()
    old, new = put(bucket, "key", b"old"), put(bucket, "key", b"new")
    assert str(hash_object(uri(bucket, "key")).digest) == b3(b"new")
    assert str(hash_object(uri(bucket, f"key?versionId={old}")).digest) == b3(b"old")
    assert str(hash_object(uri(bucket, f"key?versionId={new}")).digest) == b3(b"new")
    bucket.Object("key").delete()
    assert str(hash_object(uri(bucket, f"key?versionId={old}")).digest) == b3(b"old")
    with pytest.raises(NotFoundError, match="no such object"):
        hash_object(uri(bucket, "key"))


def test_an_object_is_read_again_only_when_its_version_changes(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "set/a", b"1")
    reads: list[int] = []
    with closing(open_cache(tmp_path)) as cache:
        how = Hashing(cache=cache, progress=reads.append)
        assert hash_object(uri(bucket, "set/a"), how) == hash_object(uri(bucket, "set/a"), how)
        assert reads == [1]
        put(bucket, "set/a", b"22")
        assert str(hash_object(uri(bucket, "set/a"), how).digest) == b3(b"22")
        assert hash_prefix(uri(bucket, "set"), how) == hash_prefix(uri(bucket, "set"), how)
        assert sum(reads) in (3, 5)  # a listing and a look at one object may name a version differently
        other = Hashing("sha256", cache, progress=reads.append)
        assert hash_object(uri(bucket, "set/a"), other).digest.algorithm == "sha256"


@pytest.mark.parametrize("size", [3, 2 * BLOCK])
def test_an_object_that_was_overwritten_once_gets_the_digest_of_what_it_is_now(bucket: Any, size: int) -> None:
    put(bucket, "key", os.urandom(size))
    new = iter([os.urandom(size)])
    hashed = hash_object(uri(bucket, "key"), Hashing(progress=lambda _: [put(bucket, "key", c) for c in new] and None))
    assert str(hashed.digest) == b3(bucket.Object("key").get()["Body"].read())


@pytest.mark.parametrize("name", [hash_object, lambda uri, how: hash_prefix(uri[: -len("/key")], how)])
def test_an_object_that_keeps_changing_gets_no_digest(bucket: Any, name: Callable[[str, Hashing], object]) -> None:
    put(bucket, "set/key", b"0")
    with pytest.raises(ChangedWhileReadError, match=r"set/key.*twice"):
        name(uri(bucket, "set/key"), Hashing(progress=lambda _: put(bucket, "set/key", os.urandom(9)) and None))


def test_what_keeps_changing_in_a_store_is_unknown(bucket: Any) -> None:
    put(bucket, "set/key", b"0")
    options = Options(progress=lambda _: put(bucket, "set/key", os.urandom(9)) and None)
    for key, kind in (("set/key", "file"), ("set", "directory"), ("set/k*", "directory")):
        snapshot = fingerprint(uri(bucket, key), options)
        assert (snapshot.name, snapshot.kind, snapshot.state) == (uri(bucket, key), kind, "unknown")
        assert "was overwritten while it was read, twice" in snapshot.reason


def test_hashed_bytes_can_be_read_as_long_as_they_are_there(bucket: Any) -> None:
    put(bucket, "key", b"0123456789")
    hashed = hash_object(uri(bucket, "key"))
    with open_object(uri(bucket, "key"), hashed) as stream:
        stream.seek(-4, os.SEEK_END)
        assert stream.read() == b"6789"
    put(bucket, "key", b"others")
    with pytest.raises(ChangedWhileReadError), open_object(uri(bucket, "key"), hashed) as stream:
        stream.read()


def write_table(path: Path) -> None:
    """A table in the format that the name says."""
    lines = b'{"id": 1}\n{"id": 2}\n' if ".jsonl" in path.name else b"id\n1\n2\n"
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"id": [1, 2]}), path)
    else:
        path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "T.TSV", "t.jsonl", "t.jsonl.gz", "t.parquet"])
def test_a_table_in_a_store_is_the_table_on_the_disk(bucket: Any, tmp_path: Path, name: str) -> None:
    import fsspec

    write_table(tmp_path / name)
    local = fingerprint(tmp_path / name)
    put(bucket, name, (tmp_path / name).read_bytes())
    fsspec.filesystem("memory").pipe(f"/tables/{name}", (tmp_path / name).read_bytes())
    for remote in (uri(bucket, name), f"memory://tables/{name}"):
        assert fingerprint(remote).digests == local.digests
        assert fingerprint(remote).rows == 2


def test_an_old_version_of_a_table_is_a_table(bucket: Any, tmp_path: Path) -> None:
    bucket.Versioning().enable()
    write_table(tmp_path / "t.csv.gz")
    old = put(bucket, "t.csv.gz", (tmp_path / "t.csv.gz").read_bytes())
    put(bucket, "t.csv.gz", b"new")
    assert fingerprint(uri(bucket, f"t.csv.gz?versionId={old}")).digests == fingerprint(tmp_path / "t.csv.gz").digests


def test_a_name_with_glob_characters_that_exists_is_that_object(bucket: Any) -> None:
    for key in ("a[1].txt", "a1.txt", "b?.txt", "b2.txt"):
        put(bucket, key, key.encode())
    assert str(fingerprint(uri(bucket, "a[1].txt")).digests[0]) == b3(b"a[1].txt")
    assert str(fingerprint(uri(bucket, "b?.txt")).digests[0]) == b3(b"b?.txt")
    assert fingerprint(uri(bucket, "a[12].txt")).files == 1
    with pytest.raises(NotFoundError, match="no file matches"):
        fingerprint(uri(bucket, "c*"))


def test_a_glob_and_an_include_must_both_match(bucket: Any) -> None:
    for key in ("set/a.csv", "set/a.txt", "b.csv"):
        put(bucket, key, b"")
    manifest = fingerprint(uri(bucket, "set/*"), Options(include=("*.csv",))).manifest
    assert manifest is not None
    assert [entry.path for entry in manifest] == ["a.csv"]


@pytest.mark.parametrize("key", ["nothing", "nothing/below"])
def test_what_is_not_there_is_not_found(bucket: Any, key: str) -> None:
    put(bucket, "else", b"")
    with pytest.raises(NotFoundError, match=key):
        hash_object(uri(bucket, key))
    with pytest.raises(NotFoundError, match=f"nothing below.*{key}"):
        hash_prefix(uri(bucket, key))
    with pytest.raises(NotFoundError, match="no-such-bucket"):
        hash_prefix("s3://no-such-bucket/set")


def test_missing_credentials_are_named(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(UnreadableError, match="no credentials for s3://") as caught:
        hash_object(uri(bucket, "key"))
    assert "AWS_ACCESS_KEY_ID" in caught.value.advice


class Refusing(BaseHTTPRequestHandler):
    """An S3 server on which this user has no rights."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def do_GET(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


def test_a_missing_right_is_named(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        s3fs.S3FileSystem.clear_instance_cache()
        for name in (hash_object, hash_prefix):
            with pytest.raises(UnreadableError, match="permission denied: s3://bucket/set"):
                name("s3://bucket/set", PLAIN)
        server.shutdown()


def test_a_store_that_does_not_answer_is_a_store_error(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreError, match="the store failed: s3://bucket/key"):
        hash_object("s3://bucket/key")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"nope://.*s3, s3a, gs"):
        hash_object("nope://bucket/key")


def test_a_missing_package_is_named_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)  # Python's own mark for a module that is not to be found
    with pytest.raises(MissingExtraError, match=r"s3fs is not installed.*pip install 'lineagekit\[s3\]'"):
        hash_object("s3://bucket/key")
    for scheme, package in (("gs", "gcsfs"), ("abfs", "adlfs"), ("az", "adlfs")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match=rf"{scheme}://.*pip install {package}$"):
            hash_object(f"{scheme}://bucket/key")


def test_other_stores_are_opened_through_fsspec() -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/set/a", b"abc")
    assert str(hash_object("memory://set/a").digest) == b3(b"abc")
    assert [entry.path for entry in hash_prefix("memory://set")] == ["a"]


def test_a_file_uri_is_a_local_path() -> None:
    assert local_path("file:///data/a%20b%FF") == b"/data/a b\xff"
    assert local_path("file://localhost/data") == b"/data"
    with pytest.raises(UsageError, match="another host"):
        local_path("file://elsewhere/data")


@pytest.mark.parametrize(
    ("path", "scheme"), [("s3://b/k", "s3"), ("S3A://b", "s3a"), ("/a/b", ""), ("a://", "a"), ("x/s3://b", "")]
)
def test_a_scheme_stands_at_the_front(path: str, scheme: str) -> None:
    assert scheme_of(path) == scheme
