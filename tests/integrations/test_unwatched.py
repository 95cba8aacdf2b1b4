# SPDX-License-Identifier: Apache-2.0
"""What took part and told nothing: sockets, programs; and the seeds that a job sets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.jobs import Job, run_job

JOB = """
import asyncio, os, random, socket, subprocess, sys, threading
import numpy as np

port = int(sys.argv[1])
with lineagekit.run("sockets"):
    for _ in range(2):
        socket.create_connection(("localhost", port)).close()
    plain = socket.socket()
    assert plain.connect_ex(("127.0.0.1", port)) == 0
    plain.close()
    async def connect():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
    asyncio.run(connect())
with lineagekit.run("no sockets"):
    left, right = socket.socketpair()
    left.close(), right.close()
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.connect(("127.0.0.1", port))
    datagram.close()
    refused = socket.socket()
    try:
        refused.connect(("127.0.0.1", 1))
    except ConnectionRefusedError:
        refused.close()
with lineagekit.run("children"):
    subprocess.run(["cat", "/dev/null"], check=True)
    subprocess.run(["cat", "/dev/null", "--"], check=True)
    subprocess.run("TOKEN=hunter2secret head -c 0 /dev/null", shell=True, check=True)
    os.system("X=hunter2secret tail -c 0 /dev/null")
    os.waitpid(os.posix_spawn("/bin/true", ["/bin/true", "--password=hunter2secret"], os.environ), 0)
    async def start():
        await (await asyncio.create_subprocess_exec("sort", "/dev/null")).wait()
    asyncio.run(start())
    subprocess.run(["uname"], stdout=subprocess.DEVNULL, check=True)
with lineagekit.run("no children"):
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    subprocess.run(["python3", "-c", "pass"], check=True)
    try:
        subprocess.run(["nosuchprogram"])
    except FileNotFoundError:
        pass
with lineagekit.run("seeds"):
    random.seed(42)
    random.seed(42)
    random.seed()
    np.random.seed(7)
    np.random.default_rng(seed=9)
    np.random.default_rng()
    assert random.random() != np.random.rand() is not None
with lineagekit.run("loop"):
    for number in range(100):
        random.seed(number)
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, port: int) -> Job:
    return run_job(tmp_path_factory.mktemp("unwatched"), JOB, str(port))


def peers(job: Job, name: str) -> list[str]:
    (run,) = (fact["run"] for fact in job.of("run", job=name))
    return [f"{fact['what']} {fact['peer']}" for fact in job.of("unwatched", run=run)]


def test_a_socket_is_told_once_by_the_name_that_was_asked_for(job: Job, port: int) -> None:
    assert peers(job, "sockets") == [f"socket localhost:{port}"]


def test_pairs_datagrams_and_refusals_are_no_peers(job: Job) -> None:
    assert peers(job, "no sockets") == []


def test_a_program_is_told_by_its_name_alone(job: Job) -> None:
    programs = ["cat", "head", "tail", "/bin/true", "sort", "uname"]
    assert peers(job, "children") == [f"child {program}" for program in programs]
    assert b"hunter2" not in job.raw


def test_a_python_program_tells_of_itself(job: Job) -> None:
    assert peers(job, "no children") == []


def test_seeds_that_the_job_sets_are_told(job: Job) -> None:
    (run,) = (fact["run"] for fact in job.of("run", job="seeds"))
    seeds = [fact["seeds"] for fact in job.of("environment", run=run) if "seeds" in fact]
    assert seeds == [{"random": 42}, {"numpy": 7}, {"numpy.default_rng": 9}]


def test_seeds_of_a_loop_are_told_up_to_a_point(job: Job) -> None:
    (run,) = (fact["run"] for fact in job.of("run", job="loop"))
    seeds = [fact["seeds"] for fact in job.of("environment", run=run) if "seeds" in fact]
    assert seeds == [{"random": 0}, *({f"random.{number + 1}": number} for number in range(1, 5))]


def test_a_library_that_looks_at_the_machine_starts_no_program(tmp_path: Path) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "probe.py").write_text("import subprocess\nsubprocess.run(['uname'], stdout=subprocess.DEVNULL)\n")
    job = run_job(tmp_path, "import sys\nsys.path.insert(0, sys.argv[1])\nimport probe\n", str(library))
    assert job.of("unwatched") == []
