# SPDX-License-Identifier: Apache-2.0
"""`python -m lineagekit_spark`: the words that `spark-submit` needs, so that a job without Python is recorded.

$ spark-submit $(python -m lineagekit_spark --namespace shop --name daily) --class shop.Daily shop.jar
$ spark-submit $(python -m lineagekit_spark --url https://lineage.example.com) --deploy-mode cluster ...
"""

from __future__ import annotations

import argparse
import shlex
import sys

from lineagekit_spark.submit import conf


def main() -> int:
    """Print them, or say what is wrong."""
    asked = _parser().parse_args()
    wishes = {"transport": "http", "url": asked.url} if asked.url else {}
    try:
        settings = conf(
            asked.namespace,
            name=asked.name,
            jar=asked.jar,
            scala=asked.scala,
            delta_full_events=asked.delta_full_events,
            **wishes,
        )
    except (OSError, ValueError) as error:
        print(f"lineagekit_spark: {error}", file=sys.stderr)
        return 2
    print(shlex.join(word for key, value in settings.items() for word in ("--conf", f"{key}={value}")))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lineagekit_spark", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--namespace", default="", help="of the jobs; if not said, the name of the git repository")
    parser.add_argument("--name", default="", help="of the application, for the name of its file of events")
    parser.add_argument("--jar", default="", help="the agent, if not the one that is found")
    parser.add_argument("--scala", default="", choices=["2.12", "2.13"], help="of a Spark that is not beside pyspark")
    parser.add_argument("--url", default="", help="of an endpoint for OpenLineage: for cluster mode and Spark Connect")
    parser.add_argument("--delta-full-events", action="store_true", help="switch adaptive execution off")
    return parser


if __name__ == "__main__":
    sys.exit(main())
