# SPDX-License-Identifier: Apache-2.0
"""The matrix: for each library and each way of reading and writing a file, whether it is told with its right role.

A miss stands here with its reason, and fails the day it is none any more. Models are in `test_training.py`.
"""

from __future__ import annotations

import pytest

from tests.integrations.batch import Batch, Case, Told

PYTHON = Batch(
    prelude="""
import bz2, csv, gzip, json, lzma, mmap, os, pathlib, pickle, shutil, sqlite3, subprocess, sys, tempfile, zipfile
open("in.csv", "w").write("a,b\\n1,2\\n")
gzip.open("in.csv.gz", "wt").write("a,b\\n1,2\\n")
pickle.dump({"a": 1}, open("in.pkl", "wb"))
with zipfile.ZipFile("in.zip", "w") as file:
    file.write("in.csv")
with sqlite3.connect("in.db") as connection:
    connection.execute("create table t (a)")
    connection.execute("insert into t values (1)")
connection.close()
""",
    cases=[
        Case("open", "open('out.txt', 'w').write(open('in.csv').read())", "in.csv", "out.txt"),
        Case(
            "pathlib", "pathlib.Path('out.txt').write_bytes(pathlib.Path('in.csv').read_bytes())", "in.csv", "out.txt"
        ),
        Case(
            "os_open",
            """
            source = os.open('in.csv', os.O_RDONLY)
            target = os.open('out.txt', os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(target, os.read(source, 100))
            os.close(source)
            os.close(target)
            """,
            "in.csv",
            "out.txt",
        ),
        Case("fdopen", "os.fdopen(os.open('out.txt', os.O_RDWR | os.O_CREAT), 'w').write('x')", "", "out.txt"),
        Case(
            "mmap",
            """
            with open('in.csv', 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                mapped.read()
            """,
            "in.csv",
        ),
        Case("csv", "csv.writer(open('out.csv', 'w')).writerows(csv.reader(open('in.csv')))", "in.csv", "out.csv"),
        Case("json", "json.dump([1], open('out.json', 'w'))", "", "out.json"),
        Case("pickle", "pickle.dump(pickle.load(open('in.pkl', 'rb')), open('out.pkl', 'wb'))", "in.pkl", "out.pkl"),
        Case("gzip", "gzip.open('out.gz', 'wb').write(gzip.open('in.csv.gz').read())", "in.csv.gz", "out.gz"),
        Case(
            "bz2_lzma",
            "bz2.open('out.bz2', 'w').write(b'x'); lzma.open('out.xz', 'w').write(b'x')",
            "",
            "out.bz2 out.xz",
        ),
        Case("zip", "zipfile.ZipFile('in.zip').extract('in.csv', 'to')", "in.zip", "to/in.csv"),
        Case("shutil_copy", "shutil.copy('in.csv', 'out.csv')", "in.csv", "out.csv"),
        Case("shutil_move", "shutil.copy2('in.csv', 'x'); shutil.move('x', 'out.csv')", "in.csv", "out.csv"),
        Case("tempfile", "tempfile.NamedTemporaryFile(dir='.').write(b'x'); tempfile.TemporaryFile().write(b'x')"),
        Case("child", "subprocess.run([sys.executable, '-c', 'open(\"in.csv\")'], check=True)", "", ""),
        Case(
            "child_cat",
            "subprocess.run('cat in.csv > out.txt', shell=True, check=True)",
            "in.csv",
            "out.txt",
            miss="a program that is not Python: `lineagekit run --trace` and `run.input()` are for that",
        ),
        Case("sqlite_read", "sqlite3.connect('in.db').execute('select * from t').fetchall()", "in.db"),
        Case(
            "sqlite_write",
            """
            with sqlite3.connect('in.db') as connection:
                connection.execute('insert into t values (2)')
            connection.close()
            """,
            "in.db",
            "in.db",
        ),
        Case(
            "sqlite_new",
            """
            with sqlite3.connect('out.db') as connection:
                connection.execute('create table t (a)')
            connection.close()
            """,
            "",
            "out.db",
        ),
        Case(
            "sqlite_uri",
            "sqlite3.connect('file:in.db?mode=ro', uri=True).execute('select * from t').fetchall()",
            "in.db",
        ),
    ],
)

ARRAYS = Batch(
    prelude="""
import fsspec, h5py, joblib, lxml.etree, numpy as np, safetensors.numpy
np.save("in.npy", np.arange(10))
np.savez("in.npz", a=np.arange(10))
np.arange(10).tofile("in.bin")
joblib.dump([1], "in.joblib")
with h5py.File("in.h5", "w") as file:
    file["a"] = [1, 2]
safetensors.numpy.save_file({"a": np.arange(3)}, "in.safetensors")
open("in.xml", "w").write("<a/>")
open("in.txt", "w").write("1 2\\n")
""",
    cases=[
        Case(
            "np_load_save", "np.save('out.npy', np.load('in.npy')); np.load('in.npz')['a']", "in.npy in.npz", "out.npy"
        ),
        Case("np_fromfile", "np.fromfile('in.bin').tofile('out.bin')", "in.bin", "out.bin"),
        Case("np_text", "np.savetxt('out.txt', np.loadtxt('in.txt'))", "in.txt", "out.txt"),
        Case("np_savez", "np.savez('out.npz', a=[1])", "", "out.npz"),
        Case("memmap_read", "np.memmap('in.bin', mode='r')[0]; np.load('in.npy', mmap_mode='r')[0]", "in.bin in.npy"),
        Case(
            "memmap_changed", "m = np.memmap('in.bin', dtype='i8', mode='r+'); m[0] = 7; m.flush()", "in.bin", "in.bin"
        ),
        Case("memmap_unchanged", "np.memmap('in.bin', dtype='i8', mode='r+')[0]", "in.bin"),
        Case("memmap_new", "np.memmap('out.bin', dtype='i8', mode='w+', shape=3)[0] = 7", "", "out.bin"),
        Case("open_memmap", "np.lib.format.open_memmap('out.npy', 'w+', 'i8', (3,))[0] = 7", "", "out.npy"),
        Case("joblib", "joblib.dump(joblib.load('in.joblib'), 'out.joblib', compress=3)", "in.joblib", "out.joblib"),
        Case("joblib_mmap", "joblib.dump(np.arange(9), 'x'); joblib.load('x', mmap_mode='r')", "", "x"),
        Case("h5py_read", "h5py.File('in.h5')['a'][:]", "in.h5"),
        Case("h5py_write", "f = h5py.File('out.h5', 'w'); f['b'] = 1; f.close()", "", "out.h5"),
        Case("h5py_append", "f = h5py.File('in.h5', 'a'); f['b'] = 1; f.close()", "in.h5", "in.h5"),
        Case(
            "safetensors",
            "s = safetensors.numpy; s.save_file(s.load_file('in.safetensors'), 'o')",
            "in.safetensors",
            "o",
        ),
        Case("safe_open", "safetensors.safe_open('in.safetensors', 'np').keys()", "in.safetensors"),
        Case("lxml_parse", "lxml.etree.parse('in.xml')", "in.xml"),
        Case(
            "lxml_write",
            "lxml.etree.ElementTree(lxml.etree.Element('a')).write('out.xml')",
            "",
            "out.xml",
            miss="a method of a class of C, which opens the file itself",
        ),
        Case(
            "fsspec_open",
            "fsspec.open('out.txt', 'w').open().write(fsspec.open('in.txt').open().read().decode())",
            "in.txt",
            "out.txt",
        ),
        Case(
            "fsspec_local",
            "f = fsspec.filesystem('file'); f.cp('in.txt', 'x'); f.mv('x', 'out.txt')",
            "in.txt",
            "out.txt",
        ),
    ],
)

FRAMES = Batch(
    prelude="""
import pandas as pd, pyarrow as pa, pyarrow.csv, pyarrow.dataset as ds, pyarrow.feather, pyarrow.fs, pyarrow.ipc
import fsspec, io, os, pathlib
import pyarrow.json, pyarrow.orc, pyarrow.parquet as pq
local = pyarrow.fs.LocalFileSystem()
frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
table = pa.Table.from_pandas(frame)
frame.to_csv("in.csv", index=False)
frame.to_csv("in.csv.gz", index=False)
frame.to_parquet("in.parquet")
frame.to_parquet("parts", partition_cols=["b"])
frame.to_json("in.json", orient="records", lines=True)
frame.to_pickle("in.pkl")
pyarrow.feather.write_feather(table, "in.feather")
pyarrow.orc.write_table(table, "in.orc")
""",
    cases=[
        Case("pd_csv", "pd.read_csv('in.csv').to_csv('out.csv')", "in.csv", "out.csv"),
        Case("pd_csv_gz", "pd.read_csv('in.csv.gz').to_csv('out.csv.gz')", "in.csv.gz", "out.csv.gz"),
        Case("pd_csv_pyarrow", "pd.read_csv('in.csv', engine='pyarrow')", "in.csv"),
        Case("pd_csv_chunks", "list(pd.read_csv('in.csv', chunksize=1))", "in.csv"),
        Case(
            "pd_json_pickle",
            "pd.read_json('in.json', lines=True).to_pickle('o'); pd.read_pickle('in.pkl')",
            "in.json in.pkl",
            "o",
        ),
        Case(
            "pd_feather_orc",
            "pd.read_feather('in.feather').to_feather('o'); pd.read_orc('in.orc')",
            "in.feather in.orc",
            "o",
        ),
        Case("pd_parquet", "pd.read_parquet('in.parquet').to_parquet('out.parquet')", "in.parquet", "out.parquet"),
        Case("pd_parquet_path", "pd.read_parquet(pathlib.Path('in.parquet'), columns=['a'])", "in.parquet"),
        Case(
            "pd_parquet_file",
            "pd.read_parquet(open('in.parquet', 'rb')).to_parquet(open('o', 'wb'))",
            "in.parquet",
            "o",
        ),
        Case("pd_parquet_folder", "pd.read_parquet('parts')", "parts"),
        Case("pd_parquet_parts", "frame.to_parquet('out', partition_cols=['b'])", "", "out"),
        Case("pd_parquet_uri", "pd.read_parquet('file://' + os.path.abspath('in.parquet'))", "in.parquet"),
        Case("pd_parquet_fails", "try:\n    frame.to_parquet('no/such.parquet')\nexcept OSError:\n    pass"),
        Case("pd_parquet_missing", "try:\n    pd.read_parquet('none.parquet')\nexcept OSError:\n    pass"),
        Case("pd_excel_buffer", "pd.read_csv(io.StringIO('a\\n1'))"),
        Case("pq_table", "pq.write_table(pq.read_table('in.parquet'), 'o.parquet')", "in.parquet", "o.parquet"),
        Case("pq_file", "pq.ParquetFile('in.parquet').read(); pq.ParquetFile(open('in.parquet', 'rb'))", "in.parquet"),
        Case("pq_dataset", "pq.ParquetDataset('parts').read()", "parts"),
        Case("pq_list", "pq.ParquetDataset(['in.parquet']).read()", "in.parquet"),
        Case("pq_schema", "pq.read_schema('in.parquet')", "in.parquet"),
        Case("pq_writer", "w = pq.ParquetWriter('o', table.schema); w.write_table(table); w.close()", "", "o"),
        Case("pq_to_dataset", "pq.write_to_dataset(table, 'out', partition_cols=['b'])", "", "out"),
        Case("pq_filesystem", "pq.read_table('in.parquet', filesystem=local)", "in.parquet"),
        Case(
            "pq_subtree",
            "pq.read_table('in.parquet', filesystem=pyarrow.fs.SubTreeFileSystem(os.getcwd(), local))",
            "in.parquet",
        ),
        Case("pq_memory", "pq.write_table(table, '/x', filesystem=fsspec.filesystem('memory'))"),
        Case("ds_folder", "ds.dataset('parts', partitioning='hive').to_table()", "parts"),
        Case("ds_file", "ds.dataset('in.csv', format='csv').to_table()", "in.csv"),
        Case("ds_write", "ds.write_dataset(table, 'out', format='parquet')", "", "out"),
        Case("pa_csv", "pa.csv.write_csv(pa.csv.read_csv('in.csv'), 'out.csv')", "in.csv", "out.csv"),
        Case(
            "pa_csv_writer", "w = pa.csv.CSVWriter('out.csv', table.schema); w.write(table); w.close()", "", "out.csv"
        ),
        Case("pa_csv_stream", "pa.csv.open_csv('in.csv').read_all()", "in.csv"),
        Case("pa_json", "pa.json.read_json('in.json')", "in.json"),
        Case("pa_feather", "pa.feather.write_feather(pa.feather.read_table('in.feather'), 'o')", "in.feather", "o"),
        Case("pa_orc", "pa.orc.write_table(pa.orc.ORCFile('in.orc').read(), 'o.orc')", "in.orc", "o.orc"),
        Case("pa_osfile", "pa.OSFile('out.bin', 'wb').write(pa.OSFile('in.csv').read())", "in.csv", "out.bin"),
        Case("pa_memory_map", "pa.ipc.open_file(pa.memory_map('in.feather')).read_all()", "in.feather"),
        Case("pa_ipc_file", "w = pa.ipc.new_file('o.arrow', table.schema); w.write(table); w.close()", "", "o.arrow"),
        Case(
            "pa_fs_input",
            "pyarrow.fs.LocalFileSystem().open_input_file('in.csv').read()",
            "in.csv",
            miss="a method of a class of C++, which opens the file itself",
        ),
    ],
)

ENGINES = Batch(
    prelude="""
import deltalake, duckdb, os, polars as pl
from deltalake import DeltaTable, write_deltalake
frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
frame.write_csv("in.csv")
frame.write_parquet("in.parquet")
frame.write_ndjson("in.ndjson")
frame.write_ipc("in.arrow")
os.makedirs("many")
frame.write_parquet("many/1.parquet")
frame.write_parquet("many/2.parquet")
write_deltalake("delta", frame)
connection = duckdb.connect("in.duckdb")
connection.execute("create table t as select 1 a")
connection.close()
""",
    cases=[
        Case("pl_csv", "pl.read_csv('in.csv').write_csv('out.csv')", "in.csv", "out.csv"),
        Case("pl_parquet", "pl.read_parquet('in.parquet').write_parquet('o.parquet')", "in.parquet", "o.parquet"),
        Case("pl_scan", "pl.scan_csv('in.csv').collect(); pl.scan_ndjson('in.ndjson').collect()", "in.csv in.ndjson"),
        Case("pl_glob", "pl.scan_parquet('many/*.parquet').collect()", "many/1.parquet many/2.parquet"),
        Case("pl_folder", "pl.scan_parquet('many').collect()", "many"),
        Case("pl_list", "pl.scan_parquet(['many/1.parquet', 'in.parquet']).collect()", "in.parquet many/1.parquet"),
        Case("pl_sink", "pl.scan_csv('in.csv').sink_parquet('o.parquet')", "in.csv", "o.parquet"),
        Case("pl_sink_lazy", "pl.collect_all([pl.scan_csv('in.csv').sink_csv('o.csv', lazy=True)])", "in.csv", "o.csv"),
        Case("pl_sink_parts", "frame.lazy().sink_parquet(pl.PartitionBy('out', key='b'), mkdir=True)", "", "out"),
        Case("pl_ipc", "pl.read_ipc('in.arrow').write_ipc('o'); frame.write_json('o.json')", "in.arrow", "o o.json"),
        Case("pl_bytes", "pl.read_csv(b'a,b\\n1,2'); frame.write_csv()"),
        Case("pl_uri", "for _ in range(3):\n    pl.scan_parquet('s3://bucket/in.parquet')"),
        Case("pl_delta", "pl.read_delta('delta'); frame.write_delta('out')", "delta", "out"),
        Case("duck_from", "duckdb.sql(\"from 'in.csv', 'in.parquet' p\").fetchall()", "in.csv in.parquet"),
        Case("duck_read", "duckdb.read_parquet('in.parquet').write_csv('o.csv')", "in.parquet", "o.csv"),
        Case(
            "duck_glob",
            "duckdb.execute(\"select * from read_parquet('many/*.parquet')\").df()",
            "many/1.parquet many/2.parquet",
        ),
        Case(
            "duck_prepared", "duckdb.execute('select * from read_parquet(?)', ['in.parquet']).fetchall()", "in.parquet"
        ),
        Case("duck_copy", "duckdb.sql(\"copy (from 'in.csv') to 'o.parquet'\")", "in.csv", "o.parquet"),
        Case(
            "duck_parts",
            "duckdb.sql(\"copy (from 'in.csv') to 'out' (format parquet, partition_by (b))\")",
            "in.csv",
            "out",
        ),
        Case(
            "duck_connection",
            """
            with duckdb.connect() as connection:
                connection.execute("create table t as from read_csv($path)", {'path': 'in.csv'})
                connection.table('t').write_parquet('o.parquet')
            """,
            "in.csv",
            "o.parquet",
        ),
        Case("duck_database_read", "duckdb.connect('in.duckdb', read_only=True).sql('from t').fetchall()", "in.duckdb"),
        Case(
            "duck_database_same", "c = duckdb.connect('in.duckdb'); c.sql('from t').fetchall(); c.close()", "in.duckdb"
        ),
        Case(
            "duck_database_new",
            "c = duckdb.connect('o.duckdb'); c.sql('create table t (a int)'); c.close()",
            "",
            "o.duckdb",
        ),
        Case(
            "duck_attach",
            "duckdb.connect().execute(\"attach 'in.duckdb' as d (read_only); from d.t\").fetchall()",
            "in.duckdb",
        ),
        Case("duck_export", "duckdb.connect('in.duckdb', True).execute(\"export database 'out'\")", "in.duckdb", "out"),
        Case("delta_read", "DeltaTable('delta').to_pyarrow_table()", "delta"),
        Case("delta_write", "write_deltalake('out', frame)", "", "out"),
        Case("delta_append", "write_deltalake('delta', frame, mode='append')", "delta", "delta"),
        Case("delta_overwrite", "write_deltalake('delta', frame, mode='overwrite')", "", "delta"),
        Case("delta_delete", "DeltaTable('delta').delete('a = 1')", "delta", "delta"),
    ],
)

BATCHES = {"python": PYTHON, "arrays": ARRAYS, "frames": FRAMES, "engines": ENGINES}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Told]:
    """All batches, side by side."""
    folder = tmp_path_factory.mktemp("matrix")
    running = {name: batch.start(folder / name) for name, batch in BATCHES.items()}
    return {
        (name, case): one
        for name, batch in BATCHES.items()
        for case, one in batch.finish(running[name], folder / name).items()
    }


def cases() -> list[object]:
    found = []
    for name, batch in BATCHES.items():
        for case in batch.cases:
            marks = [pytest.mark.xfail(strict=True, reason=case.miss)] if case.miss else []
            found.append(pytest.param(name, case, id=f"{name}-{case.name}", marks=marks))
    return found


@pytest.mark.parametrize(("batch", "case"), cases())
def test_a_file_is_told_with_its_role(batch: str, case: Case, told: dict[tuple[str, str], Told]) -> None:
    one = told[batch, case.name]
    assert not one.error
    assert (one.reads, one.writes) == (case.reads, case.writes)
    assert not one.story.troubles  # also: no function that this version of a library no longer has


def test_what_is_no_local_path_is_a_dataset_and_told_once(told: dict[tuple[str, str], Told]) -> None:
    one = told["engines", "pl_uri"]
    assert list(one.story.datasets) == [("input", "s3://bucket", "in.parquet")]
    assert [fact["fact"] for fact in one.facts].count("dataset") == 1


def test_a_folder_is_told_once_with_a_listing(told: dict[tuple[str, str], Told]) -> None:
    [read] = told["frames", "pd_parquet_folder"].story.paths.inputs()
    [written] = told["frames", "pd_parquet_parts"].story.paths.outputs()
    assert read.listing is not None
    assert written.listing is not None
    assert (read.listing.files, written.listing.files) == (2, 2)


def test_a_writer_tells_the_shape_of_what_it_has_at_hand(told: dict[tuple[str, str], Told]) -> None:
    [written] = told["frames", "pd_parquet"].story.paths.outputs()
    assert (written.shape.format, written.shape.rows) == ("parquet", 2)
    assert [name for name, _ in written.shape.columns] == ["a", "b"]


def test_weights_are_a_model(told: dict[tuple[str, str], Told]) -> None:
    [written] = told["arrays", "safetensors"].story.paths.outputs()
    assert written.model is not None


def test_nine_cases_of_ten_are_told() -> None:
    all_cases = [case for batch in BATCHES.values() for case in batch.cases]
    assert len(all_cases) >= 61
    assert sum(not case.miss for case in all_cases) >= 0.9 * len(all_cases)
