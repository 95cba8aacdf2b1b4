# SPDX-License-Identifier: Apache-2.0
"""Accounts to build events from: one that has everything, and hostile ones by hypothesis."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from lineagekit.agent.evidence import Evidence
from lineagekit.events.account import Account, Code, Metric, ModelName, Part, RunName, Trouble, Use
from lineagekit.identity.digest import Digest
from lineagekit.identity.profile import ColumnProfile, Profile
from lineagekit.identity.snapshot import Snapshot

BEGAN = 1_790_000_000_123_456_789
RUN = "0197a1b2-0000-7000-8000-000000000001"
PARENT = RunName("0197a1b2-0000-7000-8000-0000000000aa", "risk", "nightly")
JOURNAL = "0197a1b2-0000-7000-8000-00000000000f"
EVIDENCE = Evidence(4096, BEGAN, BEGAN + 1, (1 << 60) + 1, 2049)
COLUMNS = (("amount", "float64"), ("zip", "utf8"))


def digest(algorithm: str, fill: str = "ab") -> Digest:
    return Digest(algorithm, fill * 32)


def order_key(bits: int) -> int:
    return bits | 1 << 63


PROFILE = Profile(
    schema_hash=bytes(range(32)),
    rows=10,
    columns=(
        ColumnProfile(1, nulls=2, low=order_key(0), high=order_key(0x4059000000000000)),
        ColumnProfile(2, nulls=0, samples=((5, 4), (9, 6))),
    ),
    sketch=(0,) * 1024,
    row_samples=(),
)
TABLE = Snapshot(
    "/data/orders.parquet",
    "table",
    (digest("blake3"), digest("lks1", "cd"), Digest("lkt1", "ef" * 32, {"columns": ("a,b", "c")})),
    bytes=4096,
    rows=10,
    columns=COLUMNS,
    warnings=("odd",),
    profile=PROFILE,
)

INPUTS = (
    Use(
        "file",
        "/data/orders.parquet",
        path="/data/orders.parquet",
        snapshot=TABLE,
        evidence=EVIDENCE,
        format="parquet",
        realpath="/mnt/lake/orders.parquet",
        mount="nas:/lake",
        at=BEGAN + 1000,
        door="pandas.read_parquet",
    ),
    Use(
        "s3://raw",
        "orders",
        snapshot=Snapshot("s3://raw/orders", "directory", (digest("lkd1"),), bytes=30, files=2),
        pins=({"system": "s3", "etag": "9b2c"}, {"system": "delta", "version": "12"}),
        format="csv",
        at=BEGAN + 2000,
        files=(Part("orders/a.csv", 10, str(digest("blake3"))), Part("orders/b.csv", 20, evidence=EVIDENCE)),
        subset=("orders/*.csv",),
    ),
    Use(
        "postgres://db:5432",
        "crm.public.customers",
        snapshot=Snapshot("customers", "table", (digest("sha256"),)),
        kind="query",
        columns=(("id", "int8"),),
        rows=3,
        statement="SELECT id FROM customers",
        tables=("public.customers",),
        at=BEGAN + 3000,
        door="pandas.read_sql",
    ),
)
OUTPUTS = (
    Use(
        "file",
        "/models/risk.joblib",
        path="/models/risk.joblib",
        snapshot=Snapshot("/models/risk.joblib", "file", (digest("blake3", "77"),), bytes=99),
        evidence=EVIDENCE,
        format="joblib",
        at=BEGAN + 4000,
        door="joblib.dump",
        model=ModelName("risk", "42"),
    ),
    Use("file", "/tmp/a#1.csv", path="/tmp/a#1.csv", reason="overwritten", pins=({"system": "git", "version": "v7"},)),
)

FULL = Account(
    RUN,
    "pipelines/train.py",
    "risk team",
    JOURNAL,
    began=BEGAN,
    ended=BEGAN + 5_000_000_000,
    state="FAIL",
    parent=PARENT,
    root=PARENT,
    error="Traceback (most recent call last):\n  ...\nValueError: no rows",
    how="process",
    host="box",
    cwd="/srv/risk",
    entry="pipelines/train.py",
    argv=("pipelines/train.py", "--C", "0.3"),
    exit=1,
    extra={"owner": "risk", "description": "Trains the model.", "ticket": 7, "nothing": None},
    inputs=INPUTS,
    outputs=OUTPUTS,
    params={"C": 0.3, "n": 5, "big": 2**70, "seed": None, "grid": [1, {"a": None}], "bad": math.nan, "on": True},
    metrics=(
        Metric("auc", 0.87, of="/models/risk.joblib", on="/data/eval.csv", higher_is_better=True, step=3),
        Metric("loss", math.nan),
        Metric("later", None),
    ),
    code=Code(
        "git@github.com:acme/risk.git",
        "9f3a1c2d" * 5,
        True,
        "pipelines/train.py",
        (("__main__", "/srv/risk/pipelines/train.py", (f"ast1;python=3.11:{'ab' * 32}", f"sha256:{'cd' * 32}")),),
        ("sha256:00",),
    ),
    environment={
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "hardware": {"cpus": 2, "gpu": None},
        "packages": {"pandas": "2.2.3"},
        "seeds": {"random": 7},
        "variables": {"HOME": "hmac:00"},
    },
    facets={"acme_cost": {"euros": 3, "note": None}, "parent": {"run": 1}, "odd": "no object"},
    troubles=(Trouble("absent:pandas.read_x"),),
    unwatched=("socket db:5432",),
)

HOSTILE = [
    "",
    "a",
    "quo'te\"d\\",
    "new\nline\r\t",
    "nul\0nul",
    "emoji 🎉 é",
    "\u202eRTL \u05d0\u05d1",
    "\udcff\udc80.csv",
    "half \ud83d pair",
    "hash#1%231%2",
    "../../etc/passwd",
    "Robert'); DROP TABLE runs;--",
    "x" * 65_536,
    "é#" * 9000,
    "7 starts with a digit",
    "a:b:c://d",
    "{}[],<script>",
    "\x7f\x1b[31m\u2028",
    "null",
    "NaN",
]
texts = st.text(st.characters(), max_size=12) | st.sampled_from(HOSTILE)
counts = st.none() | st.integers(-1, 2**70)
numbers = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e308, 5e-324])
times = st.integers(0, 2**62) | st.sampled_from([0, 1, BEGAN, BEGAN + 1])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(texts, values, max_size=3)
evidences = st.none() | st.builds(Evidence, *[st.integers(-1, 2**64)] * 5)
digests = st.sampled_from(
    [(), (digest("blake3"),), (digest("lks1"), digest("lkt1")), TABLE.digests, (digest("records-sha256"),)]
)
columns = st.lists(st.tuples(texts, texts), max_size=4).map(tuple)
snapshots = (
    st.none()
    | st.just(TABLE)
    | st.builds(
        Snapshot,
        texts,
        st.sampled_from(["file", "directory", "table", "records", "stream"]),
        digests,
        bytes=counts,
        files=counts,
        rows=counts,
        columns=columns,
        reason=st.just("") | texts,
        warnings=st.lists(texts, max_size=2).map(tuple),
    )
)
uses = st.builds(
    Use,
    texts,
    texts,
    path=texts,
    snapshot=snapshots,
    reason=st.just("") | texts,
    evidence=evidences,
    kind=texts,
    format=texts,
    pins=st.lists(mappings, max_size=2).map(tuple),
    realpath=texts,
    mount=texts,
    at=times,
    door=texts,
    columns=columns,
    rows=counts,
    bytes=counts,
    statement=texts,
    tables=st.lists(texts, max_size=2).map(tuple),
    model=st.none() | st.builds(ModelName, texts, texts),
    files=st.lists(st.builds(Part, texts, counts, texts, evidences), max_size=2).map(tuple),
    subset=st.lists(texts, max_size=2).map(tuple),
)
names = st.builds(RunName, st.uuids().map(str) | texts, texts, texts)
modules = st.tuples(texts, texts, st.lists(texts, max_size=2).map(tuple))
accounts = st.builds(
    Account,
    st.uuids().map(str) | texts,
    texts,
    texts,
    texts,
    began=times,
    ended=times,
    state=st.sampled_from(["COMPLETE", "FAIL", "ABORT"]),
    parent=st.none() | names,
    root=st.none() | names,
    error=texts,
    killed=st.booleans(),
    how=texts,
    host=texts,
    cwd=texts,
    entry=texts,
    argv=st.lists(texts, max_size=3).map(tuple),
    exit=st.none() | st.integers(),
    extra=st.dictionaries(texts | st.sampled_from(["owner", "description"]), values, max_size=3),
    inputs=st.lists(uses, max_size=2).map(tuple),
    outputs=st.lists(uses, max_size=2).map(tuple),
    params=mappings,
    metrics=st.lists(
        st.builds(Metric, texts, st.none() | numbers, texts, texts, st.none() | st.booleans(), counts), max_size=3
    ).map(tuple),
    code=st.none()
    | st.builds(
        Code,
        texts | st.sampled_from(["git@github.com:a/b.git", "/srv/a b", "https://u:p@h/x.git"]),
        texts,
        st.none() | st.booleans(),
        texts,
        st.lists(modules, max_size=2).map(tuple),
        st.lists(values, max_size=2).map(tuple),
    ),
    environment=st.dictionaries(texts | st.sampled_from(["python", "packages", "_producer"]), values, max_size=4),
    facets=st.dictionaries(texts | st.sampled_from(["parent", "lineagekit_run"]), values, max_size=2),
    troubles=st.lists(st.builds(Trouble, texts, texts, st.integers()), max_size=2).map(tuple),
    unwatched=st.lists(texts, max_size=2).map(tuple),
)
