# SPDX-License-Identifier: Apache-2.0
"""The graph of each recording, written by hand: `job | inputs -> outputs | state`, `~` for the application's name.

What is said beside: CTAS are two runs of one job; `(inference)` is a job that never ends and of which nothing is known;
a version is the letter that stands for it below.
"""

from __future__ import annotations

PARQUET = """
~ | -> | COMPLETE
(inference)
~:/data/out_parquet | /data/in -> /data/out_parquet | COMPLETE
"""
PARQUET_FILE = """
~ | -> | COMPLETE
(inference)
~:/data/out_file | /data/flat.parquet -> /data/out_file | COMPLETE
"""
PARTITIONED = """
~ | -> | COMPLETE
(inference)
~:/data/out_part | /data/in -> /data/out_part | COMPLETE
"""
CONNECT = """
~ | -> | COMPLETE
(inference)
~:/data/o1 | /data/a.parquet -> /data/o1 | COMPLETE
(inference)
"""
TWO_CSV = """
~ | -> | COMPLETE
~:read:/data/csvdir | /data/csvdir -> | COMPLETE
~:read:/data/csvdir | /data/csvdir -> | COMPLETE
~:/data/out_two | /data/csvdir -> /data/out_two | COMPLETE
"""
CSV_TABLE_OF_3 = """
~ | -> | COMPLETE
~:read:/data/csvdir/x.csv | /data/csvdir/x.csv -> | COMPLETE
(inference of rows)
~:/data/warehouse/csv_table | /data/csvdir/x.csv -> /data/warehouse/csv_table | COMPLETE
~:/data/warehouse/csv_table | /data/csvdir/x.csv -> /data/warehouse/csv_table | COMPLETE
~:/data/warehouse/t2 | /data/warehouse/csv_table -> /data/warehouse/t2 | COMPLETE
~:/data/warehouse/t2 | /data/warehouse/csv_table -> /data/warehouse/t2 | COMPLETE
"""
CSV_TABLE = f"{CSV_TABLE_OF_3}~:read:/data/csvdir/x.csv | /data/csvdir/x.csv -> | COMPLETE\n"
CSV_TABLE_OF_4_3 = f"{CSV_TABLE}~.execute_save_as_v1_table_command | -> | COMPLETE\n"
DELTA = """
~ | -> | COMPLETE
(inference)
~:/data/dl | /data/flat.parquet -> /data/dl | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
(inference)
~:/data/dl | /data/flat.parquet -> /data/dl | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
~:/data/dl2 | /data/dl -> /data/dl2 | COMPLETE
~:/data/dl2 | /data/dl -> /data/dl2 | COMPLETE
~:/data/dl2 | /data/dl2 -> /data/dl2 | COMPLETE
~:read:/data/dl2 | /data/dl2 -> | COMPLETE
"""
DELTA_READ = """
~ | -> | COMPLETE
(inference)
~:/data/dl | /data/flat.parquet -> /data/dl | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
~:/data/o_plain | /data/dl -> /data/o_plain | COMPLETE
~:/data/o_filter | /data/dl -> /data/o_filter | COMPLETE
(inference)
~:/data/o_from_parquet | /data/flat.parquet -> /data/o_from_parquet | COMPLETE
"""
DELTA_READ_WITHOUT_AQE = f"""{DELTA_READ}
~:/data/o_limit | /data/dl -> /data/o_limit | COMPLETE
~:/data/o_agg | /data/dl -> /data/o_agg | COMPLETE
"""
DELTA_TABLE_OF_3 = """
~ | -> | COMPLETE
~:/data/warehouse/dt | -> /data/warehouse/dt@0 | COMPLETE
(inference)
~:/data/warehouse/dt | /data/flat.parquet -> /data/warehouse/dt@1 | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
(inference)
~:/data/warehouse/dt | /data/flat.parquet -> /data/warehouse/dt@2 | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
~:/data/warehouse/dt_agg | /data/warehouse/dt@2 -> /data/warehouse/dt_agg@0 | COMPLETE
~:/data/warehouse/dt_agg | /data/warehouse/dt@1 -> /data/warehouse/dt_agg@1 | COMPLETE
~.execute_delete_command | -> | COMPLETE
"""
DELTA_TABLE = f"{DELTA_TABLE_OF_3}~:read:/data/warehouse/dt | /data/warehouse/dt@2 -> | COMPLETE\n"
ICEBERG_OF_3 = """
~ | -> | COMPLETE
~:/data/ice/db/t | -> /data/ice/db/t | COMPLETE
(inference)
~:/data/ice/db/t | /data/flat.parquet -> /data/ice/db/t@A | COMPLETE
(inference)
~:/data/ice/db/t | /data/flat.parquet -> /data/ice/db/t@B | COMPLETE
~:/data/ice/db/agg | /data/ice/db/t@B -> /data/ice/db/agg@C | COMPLETE
~:/data/ice/db/agg | /data/ice/db/t@B -> /data/ice/db/agg@C | COMPLETE
~:/data/out_from_ice | /data/ice/db/t@B -> /data/out_from_ice | COMPLETE
"""
ICEBERG = f"{ICEBERG_OF_3}(inference)\n"
FAIL = """
~ | -> | COMPLETE
(inference)
~:/data/out_fail | /data/flat.parquet -> | FAIL
(inference)
~:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
"""
ACTIONS = """
~ | -> | COMPLETE
(inference)
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
~:/data/out_cached | /data/flat.parquet -> /data/out_cached | COMPLETE
~:/data/out_mia | /data/flat.parquet -> /data/out_mia | COMPLETE
~:/data/out_rdd | /data -> /data/out_rdd | COMPLETE
~:/data/out_mia | /data/csvdir /data/flat.parquet -> /data/out_mia | COMPLETE
~:read:/data/flat.parquet | /data/flat.parquet -> | COMPLETE
"""
STREAM = """
~ | -> | COMPLETE
~:read:/data/in | /data/in -> | COMPLETE
~:read:/data/sin/0.parquet | /data/sin/0.parquet -> | COMPLETE
~:/data/fb/0 | /data/sin -> /data/fb/0 | COMPLETE
~:read:/data/sin/1.parquet | /data/sin/1.parquet -> | COMPLETE
~:/data/fb/1 | /data/sin -> /data/fb/1 | COMPLETE
"""
WRITES = """
~ | -> | COMPLETE
~:/data/src | -> /data/src | COMPLETE
~:/data/ok_parquet | /data/src -> /data/ok_parquet | COMPLETE
~:/data/ok_csv | /data/src -> /data/ok_csv | COMPLETE
~:/data/ok_json | /data/src -> /data/ok_json | COMPLETE
~:/data/ok_orc | /data/src -> /data/ok_orc | COMPLETE
~:/data/ok_text | /data/src -> /data/ok_text | COMPLETE
(no rows)
~:/data/empty_parquet | /data/src -> /data/empty_parquet | COMPLETE
~:/data/empty_csv | /data/src -> /data/empty_csv | COMPLETE
~:/data/empty_json_part | /data/src -> /data/empty_json_part | COMPLETE
~:/data/empty_local | -> /data/empty_local | COMPLETE
(refused; refused after a shuffle; passed over by mode "ignore"; a type that Parquet has not, twice)
~:/data/ok_parquet | /data/src -> | COMPLETE
~:/data/ok_csv | /data/src -> | COMPLETE
~:/data/ok_json | /data/src -> | COMPLETE
~:/data/failed | /data/src -> | COMPLETE
~:/data/failed2 | /data/src -> | COMPLETE
(overwritten while it is read)
~:/data/selfy | /data/src -> /data/selfy | COMPLETE
(inference)
~:/data/selfy | /data/selfy -> | FAIL
(appended, and no rows appended; partitions overwritten, and none of them)
~:/data/ok_parquet | /data/src -> /data/ok_parquet | COMPLETE
~:/data/ok_csv | /data/src -> /data/ok_csv | COMPLETE
~:/data/dyn | /data/src -> /data/dyn | COMPLETE
~:/data/dyn | /data/src -> /data/dyn | COMPLETE
(saved as a table; INSERT ... SELECT; INSERT ... VALUES; TRUNCATE)
~:/data/warehouse/t1 | /data/src -> /data/warehouse/t1 | COMPLETE
~:/data/warehouse/t1 | /data/src -> /data/warehouse/t1 | COMPLETE
~:/data/warehouse/t1 | /data/warehouse/t1 -> /data/warehouse/t1 | COMPLETE
~:/data/warehouse/t1 | -> /data/warehouse/t1 | COMPLETE
~:/data/warehouse/t1 | -> /data/warehouse/t1 | COMPLETE
(CREATE TABLE AS SELECT; IF NOT EXISTS, and it does; DROP; CREATE TABLE of no rows)
~:/data/warehouse/t2 | /data/warehouse/t1 -> /data/warehouse/t2 | COMPLETE
~:/data/warehouse/t2 | /data/warehouse/t1 -> /data/warehouse/t2 | COMPLETE
~:/data/warehouse/t2 | /data/warehouse/t1 -> | COMPLETE
~:/data/warehouse/t2 | -> | COMPLETE
~:/data/warehouse/t3 | -> /data/warehouse/t3 | COMPLETE
(INSERT OVERWRITE DIRECTORY is nested, too)
~:/data/iod | /data/warehouse/t1 -> /data/iod | COMPLETE
~:/data/iod | /data/warehouse/t1 -> /data/iod | COMPLETE
(a cached frame: brought to the driver, written, refused)
~:read:/data/src | /data/src -> | COMPLETE
~:/data/from_cached | /data/src -> /data/from_cached | COMPLETE
~:/data/from_cached | /data/src -> | COMPLETE
(RDDs: counted, of which nothing can be told from inference; saved; failed)
~.python_map_partitions_hadoop | -> | RUNNING
~:/data/rdd_out | /data/ok_csv -> /data/rdd_out | COMPLETE
~:/data/rdd_fail | /data/ok_csv -> | FAIL
"""
MERGE = """
~ | -> | COMPLETE
~:/data/src | -> /data/src | COMPLETE
~:/data/warehouse/dt | /data/src -> /data/warehouse/dt@0 | COMPLETE
~:read:/data/src | /data/src -> | COMPLETE
~:read:/data/src | /data/src -> | COMPLETE
~:/data/d | /data/src -> /data/d | COMPLETE
(MERGE; MERGE that changes nothing; INSERT ... SELECT from itself)
~:/data/warehouse/dt | /data/d /data/warehouse/dt@0 -> /data/warehouse/dt@1 | COMPLETE
~:/data/warehouse/dt | /data/d /data/warehouse/dt@1 -> | COMPLETE
~:/data/warehouse/dt | /data/warehouse/dt@1 -> /data/warehouse/dt@2 | COMPLETE
~.execute_describe_delta_history_command | -> | COMPLETE
~.collect_limit | -> | COMPLETE
"""

GRAPHS = {
    "spark-3.5.9.csv_table": CSV_TABLE_OF_3,
    "spark-3.5.9.delta": DELTA,
    "spark-3.5.9.delta_table": DELTA_TABLE_OF_3,
    "spark-3.5.9.iceberg": ICEBERG_OF_3,
    "spark-3.5.9.parquet": PARQUET,
    "spark-4.0.5.actions": ACTIONS,
    "spark-4.0.5.connect": CONNECT,
    "spark-4.0.5.csv_table": CSV_TABLE,
    "spark-4.0.5.delta": DELTA,
    "spark-4.0.5.delta_read": DELTA_READ,
    "spark-4.0.5.delta_read_aqe_off": DELTA_READ_WITHOUT_AQE,
    "spark-4.0.5.delta_table": DELTA_TABLE,
    "spark-4.0.5.fail": FAIL,
    "spark-4.0.5.iceberg": ICEBERG,
    "spark-4.0.5.merge": MERGE,
    "spark-4.0.5.parquet": PARQUET,
    "spark-4.0.5.parquet_file": PARQUET_FILE,
    "spark-4.0.5.partitioned": PARTITIONED,
    "spark-4.0.5.stream": STREAM,
    "spark-4.0.5.two_csv": TWO_CSV,
    "spark-4.0.5.writes": WRITES,
    "spark-4.1.4.delta": DELTA,
    "spark-4.1.4.iceberg": ICEBERG,
    "spark-4.1.4.parquet": PARQUET,
    "spark-4.2.1.parquet": PARQUET,
    "spark-4.3.0.csv_table": CSV_TABLE_OF_4_3,
    "spark-4.3.0.fail": FAIL,
    "spark-4.3.0.parquet": PARQUET,
}

VERSIONS = {
    "spark-3.5.9.iceberg": {"A": "3939397649790482455", "B": "9146763196157356914", "C": "1424184256685497308"},
    "spark-4.0.5.iceberg": {"A": "8518025130622146955", "B": "7363976605634922753", "C": "4138861799545889252"},
    "spark-4.1.4.iceberg": {"A": "3356323375232574004", "B": "6066144103672047361", "C": "7227440254951917896"},
}

INFERENCE = {
    "(inference)": "~.map_partitions_parallel_collection | -> | RUNNING",
    "(inference of rows)": "~.map_partitions_sql_execution_map_partitions_file_scan | -> | RUNNING",
}


def expected(name: str, application: str) -> list[str]:
    """The lines of a recording's graph."""
    lines = [INFERENCE.get(line, line) for line in GRAPHS[name].splitlines()]
    lines = [line for line in lines if line.startswith("~")]  # the others explain
    for letter, version in VERSIONS.get(name, {}).items():
        lines = [line.replace(f"@{letter} ", f"@{version} ") for line in lines]
    return sorted(line.replace("~", application) for line in lines)
