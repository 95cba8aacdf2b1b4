# SPDX-License-Identifier: Apache-2.0
"""The clock: a module that asks what day it is, is told with its line; durations and lines of a log are not."""

from __future__ import annotations

import pytest

from lineagekit.record.clock import clock_reads


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import datetime\ndatetime.datetime.now()", "datetime.now"),
        ("import datetime as dt\ndt.datetime.utcnow()", "datetime.utcnow"),
        ("from datetime import datetime, timezone\ndatetime.now(timezone.utc)", "datetime.now"),
        ("from datetime import date\ndays = [date.today() for _ in 'a']", "date.today"),
        ("import pandas as pd\npd.Timestamp.now(tz='UTC')", "Timestamp.now"),
        ("import pandas as pd\npd.Timestamp.today().normalize()", "Timestamp.today"),
        ("import pandas as pd\npd.Timestamp('now')", "Timestamp('now')"),
        ("import numpy as np\nnp.datetime64('today')", "datetime64('today')"),
        ("import time\ntime.strftime('%Y-%m-%d')", "time.strftime"),
        ("from time import localtime as here\nhere().tm_year", "time.localtime"),
        ("from django.utils import timezone\ntimezone.now()", "timezone.now"),
    ],
)
def test_a_reading_of_the_calendar_is_found_whatever_it_is_called(source: str, name: str) -> None:
    assert list(clock_reads(source.encode())) == [(2, name)]


@pytest.mark.parametrize(
    "source",
    [
        "import time; began = time.time(); time.perf_counter() - began",
        "import time; time.strftime('%Y', time.gmtime(0))",
        "from datetime import datetime; datetime(2026, 1, 2); datetime.fromtimestamp(0)",
        "import logging, datetime; logging.info('%s', datetime.datetime.now())",
        "from datetime import datetime; print(f'{datetime.now():%H}')",
        "import numpy as np; np.datetime64('2026-01-02')",
        "class Mine: pass\nMine().now(); Mine().today()",
        "def today(): pass\ntoday()",
        "def (",
        "\0",
    ],
)
def test_what_is_no_reading_of_the_calendar_is_not_told(source: str) -> None:
    assert list(clock_reads(source.encode())) == []


def test_each_line_is_told_once_and_in_order() -> None:
    source = b"from datetime import date\na = date.today()\nb, c = date.today(), date.today()\n"
    assert list(clock_reads(source)) == [(2, "date.today"), (3, "date.today")]
