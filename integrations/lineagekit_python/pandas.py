# SPDX-License-Identifier: Apache-2.0
"""pandas: Parquet, which it hands to C++ by name. All else it opens through Python's own `open`.

>>> parquet(sys.modules["pandas.io.parquet"])  # doctest: +SKIP
"""

from __future__ import annotations

from lineagekit_python.entry import reader, writer

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import ModuleType

_ENGINES = ("PyArrowImpl", "FastParquetImpl")


def parquet(module: ModuleType) -> None:
    """`pandas.io.parquet`: one class for each engine."""
    for engine in _ENGINES:
        reader(module, f"{engine}.read", (1, "path"), door="pandas.read_parquet", format="parquet")
        writer(module, f"{engine}.write", (2, "path"), door="pandas.to_parquet", format="parquet", table=(1, "df"))
