# SPDX-License-Identifier: Apache-2.0
"""Hook tables: for each library, which of its functions read and write data.

>>> TABLES["pandas.io.parquet"]  # doctest: +SKIP
'lineagekit_python.pandas:parquet'
"""

from __future__ import annotations

TABLES: dict[str, str] = {
    "aiobotocore.client": "lineagekit_python.botocore:aio_client",
    "aiohttp.client": "lineagekit_python.http:aiohttp",
    "aiohttp.client_reqrep": "lineagekit_python.http:aiohttp_responses",
    "botocore.client": "lineagekit_python.botocore:client",
    "cloudpickle.cloudpickle": "lineagekit_python.pickles:pickle",
    "deltalake.table": "lineagekit_python.deltalake:table",
    "deltalake.writer": "lineagekit_python.deltalake:writing",
    "deltalake.writer.writer": "lineagekit_python.deltalake:writing",
    "dill._dill": "lineagekit_python.pickles:pickle",
    "duckdb": "lineagekit_python.duckdb:module",
    "h5py._hl.files": "lineagekit_python.h5py:files",
    "httpx._client": "lineagekit_python.http:httpx",
    "httpx2._client": "lineagekit_python.http:httpx",
    "joblib.numpy_pickle": "lineagekit_python.pickles:joblib",
    "lightgbm.basic": "lineagekit_python.lightgbm:basic",
    "lightgbm.engine": "lineagekit_python.lightgbm:engine",
    "lxml.etree": "lineagekit_python.lxml:etree",
    "mlflow.store.model_registry.file_store": "lineagekit_python.mlflow:registry",
    "mlflow.store.model_registry.rest_store": "lineagekit_python.mlflow:registry",
    "mlflow.store.model_registry.sqlalchemy_store": "lineagekit_python.mlflow:registry",
    "mlflow.store.tracking.file_store": "lineagekit_python.mlflow:tracking",
    "mlflow.store.tracking.rest_store": "lineagekit_python.mlflow:tracking",
    "mlflow.store.tracking.sqlalchemy_store": "lineagekit_python.mlflow:tracking",
    "numpy": "lineagekit_python.numpy:arrays",
    "numpy.random": "lineagekit_python.seeds:numpy",
    "os": "lineagekit_python.children:system",
    "pandas.io.parquet": "lineagekit_python.pandas:parquet",
    "pandas.io.sql": "lineagekit_python.pandas_sql:sql",
    "pickle": "lineagekit_python.pickles:pickle",
    "polars.dataframe": "lineagekit_python.polars_sql:frame",
    "polars.dataframe.frame": "lineagekit_python.polars:frame",
    "polars.io.avro": "lineagekit_python.polars:avro",
    "polars.io.csv.functions": "lineagekit_python.polars:csv",
    "polars.io.database._executor": "lineagekit_python.polars_sql:executor",
    "polars.io.database._utils": "lineagekit_python.polars_sql:engines",
    "polars.io.ipc.functions": "lineagekit_python.polars:ipc",
    "polars.io.json.read": "lineagekit_python.polars:json",
    "polars.io.lines": "lineagekit_python.polars:lines",
    "polars.io.ndjson": "lineagekit_python.polars:ndjson",
    "polars.io.parquet.functions": "lineagekit_python.polars:parquet",
    "polars.io.spreadsheet.functions": "lineagekit_python.polars:spreadsheet",
    "polars.lazyframe.frame": "lineagekit_python.polars:lazy",
    "psycopg.cursor": "lineagekit_python.psycopg:cursors",
    "psycopg2": "lineagekit_python.psycopg:connecting",
    "py4j.clientserver": "lineagekit_spark.hooks:connections",
    "pyarrow": "lineagekit_python.pyarrow:files",
    "pyarrow.csv": "lineagekit_python.pyarrow:csv",
    "pyarrow.dataset": "lineagekit_python.pyarrow:dataset",
    "pyarrow.feather": "lineagekit_python.pyarrow:feather",
    "pyarrow.ipc": "lineagekit_python.pyarrow:ipc",
    "pyarrow.json": "lineagekit_python.pyarrow:json",
    "pyarrow.orc": "lineagekit_python.pyarrow:orc",
    "pyarrow.parquet.core": "lineagekit_python.pyarrow:parquet",
    "pyspark.java_gateway": "lineagekit_spark.hooks:gateway",
    "random": "lineagekit_python.seeds:python",
    "requests.sessions": "lineagekit_python.http:requests",
    "safetensors": "lineagekit_python.safetensors:files",
    "sklearn.base": "lineagekit_python.sklearn:base",
    "sklearn.metrics": "lineagekit_python.sklearn:metrics",
    "sklearn.model_selection._validation": "lineagekit_python.sklearn:validation",
    "sklearn.utils.parallel": "lineagekit_python.sklearn:parallel",
    "socket": "lineagekit_python.sockets:sockets",
    "sqlalchemy": "lineagekit_python.sqlalchemy:events",
    "sqlalchemy.engine.cursor": "lineagekit_python.sqlalchemy:results",
    "sqlalchemy.engine.default": "lineagekit_python.sqlalchemy:dialects",
    "sqlite3": "lineagekit_python.sqlite:connecting",
    "sqlite3.dbapi2": "lineagekit_python.sqlite:connecting",
    "subprocess": "lineagekit_python.children:subprocess",
    "torch.jit._serialization": "lineagekit_python.torch:jit",
    "torch.optim.optimizer": "lineagekit_python.torch:optimizer",
    "torch.random": "lineagekit_python.seeds:torch",
    "torch.serialization": "lineagekit_python.torch:serialization",
    "urllib.request": "lineagekit_python.http:urllib",
    "xgboost.core": "lineagekit_python.xgboost:core",
    "xgboost.training": "lineagekit_python.xgboost:train",
}
"""Module -> `module:function` that patches it once it is loaded (see `lineagekit.agent.hooks`)."""


def __getattr__(name: str) -> object:
    """`LineagekitTransport`, under which name openlineage-python loads it; that package is imported only then."""
    if name == "LineagekitTransport":
        from lineagekit_python.transport import LineagekitTransport

        return LineagekitTransport
    raise AttributeError(f"module 'lineagekit_python' has no attribute {name!r}")
