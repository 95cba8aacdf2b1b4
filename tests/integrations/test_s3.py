# SPDX-License-Identifier: Apache-2.0
"""S3 through boto3 and s3fs, against a server of moto's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.jobs import Job, run_job

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAHIDDENHIDDENHIDD", "AWS_SECRET_ACCESS_KEY": "hunter2secretkey"}
JOB = """
import io
import boto3, s3fs

s3 = boto3.client("s3")
with lineagekit.run("put"):
    s3.put_object(Bucket="raw", Key="in.csv", Body=b"a,b\\n1,2\\n")
with lineagekit.run("look"):
    s3.head_object(Bucket="raw", Key="in.csv")
    s3.list_objects_v2(Bucket="raw")
    try:
        s3.get_object(Bucket="raw", Key="nowhere")
    except s3.exceptions.NoSuchKey:
        pass
with lineagekit.run("get"):
    assert s3.get_object(Bucket="raw", Key="in.csv")["Body"].read() == b"a,b\\n1,2\\n"
with lineagekit.run("ranges"):
    for at in range(3):
        s3.get_object(Bucket="raw", Key="in.csv", Range=f"bytes={at}-{at}")["Body"].read()
with lineagekit.run("copy"):
    s3.copy_object(Bucket="plain", Key="a copy.csv", CopySource={"Bucket": "raw", "Key": "in.csv"})
    s3.copy_object(Bucket="plain", Key="b.csv", CopySource="raw/in.csv")
with lineagekit.run("multipart"):
    s3.upload_fileobj(io.BytesIO(b"x" * (9 << 20)), "plain", "big.bin")
with lineagekit.run("download"):
    s3.download_file("plain", "big.bin", "big.bin")
with lineagekit.run("s3fs open"):
    with s3fs.S3FileSystem().open("s3://raw/in.csv") as file:
        assert file.readline() == b"a,b\\n"
with lineagekit.run("s3fs"):
    fs = s3fs.S3FileSystem()
    with fs.open("s3://plain/w.txt", "wb") as file:
        file.write(b"hi")
    assert fs.cat("plain/w.txt") == b"hi"
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Job:
    words = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    client = pytest.importorskip("boto3").client("s3", endpoint_url=endpoint, **words)
    for bucket in ("raw", "plain"):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    client.close()
    folder: Path = tmp_path_factory.mktemp("s3")
    return run_job(folder, JOB, environ={**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"})


def told(job: Job, name: str) -> list[str]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return [f"{f['role']} {f['namespace']} {f['name']}" for f in job.of("dataset", run=run) if f["door"] == "botocore"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("put", ["output s3://raw in.csv"]),
        ("look", []),
        ("get", ["input s3://raw in.csv"]),
        ("ranges", ["input s3://raw in.csv"]),
        ("copy", ["input s3://raw in.csv", "output s3://plain a copy.csv", "output s3://plain b.csv"]),
        ("multipart", ["output s3://plain big.bin"]),
        ("download", ["input s3://plain big.bin"]),
        ("s3fs open", ["input s3://raw in.csv"]),
        ("s3fs", ["output s3://plain w.txt", "input s3://plain w.txt"]),
    ],
)
def test_an_object_is_told_once_a_run_in_its_role(job: Job, name: str, expected: list[str]) -> None:
    assert told(job, name) == expected


@pytest.mark.parametrize("name", ["put", "get", "ranges", "s3fs open"])
def test_an_object_has_its_version_its_etag_and_its_whole_size(job: Job, name: str) -> None:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    fact = next(fact for fact in job.of("dataset", run=run) if fact["door"] == "botocore")
    assert fact["bytes"] == 8
    assert len(fact["etag"]) == 32
    assert fact["pins"] == [{"system": "s3", "version": fact["version"], "etag": fact["etag"]}]


def test_the_server_is_no_unwatched_peer_and_no_key_reaches_the_disk(job: Job) -> None:
    assert job.of("unwatched", what="socket") == []
    assert not [secret for secret in KEYS.values() if secret.encode() in job.raw]
