# SPDX-License-Identifier: Apache-2.0
"""Runs that a person opens: whose an access is, in blocks, functions, threads and tasks, and never a guess."""

from __future__ import annotations

from tests.agent.conftest import Job


def names(job: Job) -> dict[str, str]:
    """Run -> job name."""
    return {fact["run"]: fact["job"] for fact in job.facts("run")}


def written_by(job: Job) -> dict[str, str]:
    """Path -> the job that wrote it."""
    known = names(job)
    return {path: known[fact["run"]] for path, fact in zip(job.paths("written"), job.facts("written"), strict=True)}


WRITE = "def write(name):\n    with open(name, 'w') as file:\n        file.write(name)\n"


def test_a_block_is_a_run_and_the_process_stays_silent(job: Job) -> None:
    job.run(WRITE + "with lineagekit.run('train', owner='risk') as run:\n    write('a')\n")
    (run,) = job.facts("run")
    assert (run["job"], run["how"], run["rank"], run["extra"]) == ("train", "with", 2, {"owner": "risk"})
    assert written_by(job) == {"a": "train"}


def test_what_is_outside_of_a_block_belongs_to_the_process(job: Job) -> None:
    job.run(WRITE + "write('before')\nwith lineagekit.run('train'): write('in')\nwrite('after')\n")
    assert written_by(job) == {"before": "job.py", "in": "train", "after": "job.py"}
    process, train = job.facts("run")
    assert train["parent"] == process["run"]


def test_a_block_works_without_autolog(job: Job) -> None:
    job.run("import lineagekit\n" + WRITE + "write('a')\nwith lineagekit.run('train'): write('b')\n", autolog=False)
    assert written_by(job) == {"b": "train"}


def test_a_block_in_a_block_is_its_child(job: Job) -> None:
    job.run(WRITE + "with lineagekit.run('outer'):\n with lineagekit.run('inner'): write('a')\n write('b')\n")
    assert written_by(job) == {"a": "inner", "b": "outer"}
    outer, inner = job.facts("run")
    assert inner["parent"] == outer["run"]


def test_a_block_that_fails_says_so_and_the_error_goes_on(job: Job) -> None:
    job.run("try:\n with lineagekit.run('train'): 1 / 0\nexcept ZeroDivisionError: print('caught')\n")
    (end,) = job.facts("end")
    assert (end["state"], end["error"]) == ("FAIL", "ZeroDivisionError: division by zero")


def test_a_block_that_is_interrupted_is_aborted(job: Job) -> None:
    job.run("try:\n with lineagekit.run('train'): raise KeyboardInterrupt\nexcept KeyboardInterrupt: pass\n")
    assert [end["state"] for end in job.facts("end")] == ["ABORT"]


def test_a_thread_belongs_to_the_only_run_that_is_open(job: Job) -> None:
    job.run(
        WRITE
        + """
import threading
with lineagekit.run('train'):
    thread = threading.Thread(target=write, args=('a',)); thread.start(); thread.join()
"""
    )
    assert written_by(job) == {"a": "train"}


def test_between_two_open_runs_a_thread_of_neither_is_ambiguous(job: Job) -> None:
    job.run(
        WRITE
        + """
import threading
from concurrent.futures import ThreadPoolExecutor
both = threading.Barrier(3)
def run(name):
    with lineagekit.run(name):
        write(name); both.wait(); both.wait()
threads = [threading.Thread(target=run, args=(name,)) for name in ('one', 'two')]
for thread in threads: thread.start()
both.wait()
write('whose')
both.wait()
for thread in threads: thread.join()
"""
    )
    assert written_by(job) == {"one": "one", "two": "two"}
    (fact,) = job.facts("ambiguous")
    assert {names(job)[run] for run in fact["among"]} == {"one", "two"}
    assert (fact["role"], fact["path"]) == ("output", str(job.folder / "whose"))


def test_tasks_at_once_keep_their_runs_apart(job: Job) -> None:
    job.run(
        WRITE
        + """
import asyncio
async def task(name):
    with lineagekit.run(name):
        await asyncio.sleep(0.01)
        await asyncio.to_thread(write, name)
async def main(): await asyncio.gather(*(task(f'job-{i}') for i in range(5)))
asyncio.run(main())
"""
    )
    assert written_by(job) == {f"job-{i}": f"job-{i}" for i in range(5)}


def test_a_function_is_a_job_and_each_call_a_run(job: Job) -> None:
    job.run(
        WRITE
        + """
@lineagekit.job
def features(out='a', *, rows: int = 5, frame=None):
    "Docstring."
    write(out)
    return out
assert features() == 'a' and features('b', frame=object()) == 'b'
assert features.__name__ == 'features' and features.__doc__ == 'Docstring.'
"""
    )
    assert written_by(job) == {"a": "features", "b": "features"}
    assert [fact["params"] for fact in job.facts("params")] == [
        {"out": "a", "rows": 5, "frame": None},
        {"out": "b", "rows": 5},
    ]
    assert len({fact["run"] for fact in job.facts("end")}) == 2


def test_coroutines_and_generators_are_jobs_too(job: Job) -> None:
    job.run(
        WRITE
        + """
import asyncio
@lineagekit.job('fetch', owner='web')
async def fetch(): write('a')
@lineagekit.job
def rows():
    write('b'); yield 1
@lineagekit.job
async def stream():
    write('c'); yield 1
async def main():
    await fetch()
    return [row async for row in stream()]
assert list(rows()) == [1] and asyncio.run(main()) == [1]
"""
    )
    assert written_by(job) == {"a": "fetch", "b": "rows", "c": "stream"}


def test_a_run_that_was_never_left_ends_with_its_process(job: Job) -> None:
    job.run(WRITE + "run = lineagekit.run('train').__enter__()\nwrite('a')\n")
    assert written_by(job) == {"a": "train"}
    assert [end["state"] for end in job.facts("end")] == ["COMPLETE"]


def test_calls_take_any_target_and_return_it(job: Job) -> None:
    job.write("x.csv", "1\n")
    job.run(
        """
        from pathlib import Path
        class Dataset: namespace, name = 'snowflake://org-account', 'db.schema.table'
        dataset = Dataset()
        assert lineagekit.input('x.csv') == 'x.csv'
        assert lineagekit.input(Path('x.csv')) == Path('x.csv')
        assert lineagekit.input(dataset) is dataset
        assert lineagekit.input(['x.csv', 's3a://raw/orders']) == ['x.csv', 's3a://raw/orders']
        lineagekit.output('postgresql://u:p@crm/db.public.customers')
        lineagekit.input('missing.csv'); lineagekit.input(object())
        """
    )
    assert job.paths("read") == ["x.csv", "missing.csv"]
    named = [(fact["role"], fact["namespace"], fact["name"]) for fact in job.facts("dataset")]
    assert named == [
        ("input", "snowflake://org-account", "db.schema.table"),
        ("input", "s3://raw", "orders"),
        ("output", "postgres://crm:5432", "db.public.customers"),
        ("input", "inmemory://", "object"),
    ]


def test_a_metric_says_of_what_and_on_what(job: Job) -> None:
    job.write("eval.csv", "1\n")
    job.run(
        """
        open('model.bin', 'w').write('m')
        lineagekit.model('model.bin', name='churn', version='42')
        lineagekit.metric('auc', 0.87, of='model.bin', on='eval.csv', higher_is_better=True)
        """
    )
    (metric,), (model,) = job.facts("metric"), job.facts("model")
    assert (metric["name"], metric["value"], metric["higher_is_better"]) == ("auc", 0.87, True)
    assert (metric["of"], metric["on"]) == (str(job.folder / "model.bin"), str(job.folder / "eval.csv"))
    assert (model["path"], model["name"], model["version"]) == (str(job.folder / "model.bin"), "churn", "42")


def test_a_data_frame_is_an_input_by_its_shape(job: Job) -> None:
    job.run("import pandas as pd\nlineagekit.input(pd.DataFrame({'a': [1, 2]}), name='orders')\n")
    (fact,) = job.facts("dataset")
    assert (fact["name"], fact["rows"], fact["columns"]) == ("orders", 2, [["a", "int64"]])


def test_an_event_of_somebody_else_is_kept_as_it_is(job: Job) -> None:
    job.run("lineagekit.emit({'eventType': 'START', 'x': [1, None]})\nlineagekit.emit('{\"a\": 1}')\n")
    assert [fact["event"] for fact in job.facts("event")] == [{"eventType": "START", "x": [1, None]}, {"a": 1}]


def test_the_content_of_a_data_frame_is_named_on_request(job: Job) -> None:
    job.run("import pandas as pd\nlineagekit.output(pd.DataFrame({'a': [1, 2]}), name='orders', content=True)\n")
    (fact,) = job.facts("dataset")
    assert [digest.partition(":")[0] for digest in fact["digests"]] == ["lkt1", "lks1"]


def test_jobs_that_end_in_another_order_than_they_began_leave_nothing_behind(job: Job) -> None:
    job.run(
        WRITE
        + """
from itertools import zip_longest
@lineagekit.job
def short(): yield 1
@lineagekit.job
def long():
    yield 1
    yield 2
for _ in zip_longest(short(), long()): pass
write('after')
"""
    )
    assert written_by(job) == {"after": "job.py"}


def test_a_block_that_another_thread_leaves_is_over_for_all(job: Job) -> None:
    job.run(
        WRITE
        + """
import threading
block = lineagekit.run('train'); block.__enter__()
thread = threading.Thread(target=block.__exit__, args=(None, None, None)); thread.start(); thread.join()
write('after')
"""
    )
    assert written_by(job) == {"after": "job.py"}


def test_whatever_can_be_called_can_be_a_job(job: Job) -> None:
    job.run(
        """
from functools import partial
class Pipeline:
    @lineagekit.job
    @classmethod
    def of_class(cls, rows): return cls.__name__, rows
    @lineagekit.job
    @staticmethod
    def of_none(rows): return rows
assert Pipeline.of_class(1) == ('Pipeline', 1) and Pipeline.of_none(2) == 2
assert lineagekit.job(partial(max, 1))(2) == 2
"""
    )
    assert sorted(run["job"] for run in job.facts("run")) == ["Pipeline.of_class", "Pipeline.of_none", "max"]


def test_a_run_says_its_end_though_a_file_cannot_be_looked_at(job: Job) -> None:
    job.run(
        WRITE
        + """
with lineagekit.run('train') as run:
    write('a')
    run.ledger._doubts['nul\\0'] = None
"""
    )
    assert [end["state"] for end in job.facts("end")] == ["COMPLETE"]


def test_what_is_said_of_an_input_is_made_fit_and_never_loses_it(job: Job) -> None:
    job.run("lineagekit.input('raw.csv', about=object, password='hunter2')\n")
    [said] = job.facts("read")
    assert (said["about"], said["password"]) == ("<class 'object'>", "***")
