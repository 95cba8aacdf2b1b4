# SPDX-License-Identifier: Apache-2.0
"""What a dataset is called: a path or URI as the namespace and name that OpenLineage's naming page gives it.

>>> dataset_name("s3a://raw/orders/2026.parquet")
('s3://raw', 'orders/2026.parquet')
>>> dataset_name("postgresql://ann:pw@db:5432/crm.public.customers")
('postgres://db:5432', 'crm.public.customers')
>>> dataset_name("/data/orders.csv")
('file', '/data/orders.csv')
"""

from __future__ import annotations

import os

LOCAL = "file"

# Spellings of one scheme by different libraries.
_SCHEMES = {
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "abfs": "abfss",
    "wasb": "wasbs",
    "postgresql": "postgres",
    "mariadb": "mysql",
}
_PORTS = {
    "postgres": 5432,
    "mysql": 3306,
    "redshift": 5439,
    "mssql": 1433,
    "oracle": 1521,
    "trino": 8080,
    "kafka": 9092,
}
_BUCKETS = frozenset({"s3", "gs", "oss", "cos", "r2", "abfss", "wasbs"})
"""Object stores: the key has no slash in front. Azure's container stands before an `@`, and is no user."""


def dataset_name(target: str) -> tuple[str, str]:
    """The namespace and name of a path or URI. Whoever stands in a URI as user, and what its query says, is no part."""
    scheme, mark, rest = target.partition("://")
    if not mark or not scheme or "/" in scheme:
        return LOCAL, absolute(target)
    scheme = _SCHEMES.get(scheme.partition("+")[0].lower(), scheme.partition("+")[0].lower())
    if scheme in ("file", "local"):
        return LOCAL, absolute("/" + rest.lstrip("/") if not rest.startswith("/") else rest)
    host, _, path = rest.partition("/")
    if scheme in _BUCKETS:
        return f"{scheme}://{host}", path.strip("/") or "/"
    host = host.rpartition("@")[2]
    path = path.partition("?")[0].partition("#")[0]
    if scheme in _PORTS:
        host = host if ":" in host else f"{host}:{_PORTS[scheme]}"
        return f"{scheme}://{host}", path.strip("/").replace("/", ".") or "/"
    return f"{scheme}://{host}", "/" + path.lstrip("/") if scheme in ("http", "https", "hdfs", "dbfs") else path or "/"


def is_uri(target: str) -> bool:
    """Whether this names something that is not a local path; `file://` is local."""
    scheme, mark, _ = target.partition("://")
    return bool(mark) and scheme.isascii() and scheme.replace("+", "").isalnum() and scheme not in ("file", "local")


def absolute(path: str) -> str:
    """A path as every producer spells it: absolute, lexical, links not followed."""
    if path[:1] == "/" and "//" not in path and "/." not in path and path[-1] != "/":
        return path  # as nearly all are: `abspath` would take twice as long as the rest of a door
    if path.startswith("file:"):
        path = path[5:]
        path = "/" + path.lstrip("/")
    try:
        return os.path.abspath(os.path.expanduser(path) if path.startswith("~/") else path)
    except OSError:  # the working folder was removed under us
        return path
