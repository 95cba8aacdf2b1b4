# SPDX-License-Identifier: Apache-2.0
"""`lineagekit run -- CMD`: any command as a run. Its streams, terminal, signals and exit code are its own.

    $ lineagekit run -- python train.py
    $ lineagekit run --job load --input raw.csv --output db.dump -- ./load.sh

A Python program is recorded without a change to it; of any other command, what is declared here. When it has ended,
its data is hashed before this returns, so that the next step cannot overwrite what has no digest yet.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from lineagekit.agent import handover, targets
from lineagekit.agent.border import border
from lineagekit.agent.origin import repository_of, working_folder
from lineagekit.agent.process import RUN, Process, open_process
from lineagekit.agent.run import COMMANDED, SAID, Run
from lineagekit.agent.session import LAUNCHER

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

NOT_FOUND, NOT_RUNNABLE = 127, 126
"""Exit codes that a shell gives for a command that cannot be started."""

STARTED = 31.0
"""Seconds without news after which others are told that a command goes on: more than a run's START is held back."""

_INTERPRETERS = (
    "python",
    "pypy",
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "Rscript",
    "node",
    "perl",
    "ruby",
    "julia",
    "php",
)
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")


def main(words: Sequence[str]) -> int:
    """Run a command and return what it returned."""
    options = _parser().parse_args(words)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        _parser().error('no command: expected one after "--". Example: lineagekit run -- python train.py')
    process = open_process()
    if process is None:
        return _end_as(*_execute(command, dict(os.environ)))
    from lineagekit.agent.trace import Trace

    run = _begin(process, options, command)
    trace = Trace(run) if options.trace else None
    code, death = _execute(trace.around(command) if trace else command, _environment(process, run))
    with border("command"):
        if trace:
            trace.report()
        targets.say_output(run, options.output, {})
    run.end(*_outcome(code, death))
    if not options.no_wait:
        _settle(process, run, quiet=options.quiet)
    else:
        handover.hand_over(process, waits=False)
    return _end_as(code, death)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lineagekit run",
        usage="lineagekit run [OPTIONS] -- COMMAND [ARGUMENTS]",
        description="Record what a command reads and writes; it runs as without.",
        epilog="Example: lineagekit run --job train -- python train.py --rate 0.1",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--job", default="", metavar="NAME", help="what to call it; its program's path if not said")
    add("--namespace", default="", metavar="NAME", help="whose job it is; the repository's name if not said")
    add("--input", action="append", default=[], metavar="PATH", help="something that it reads")
    add("--output", action="append", default=[], metavar="PATH", help="something that it writes")
    add("--no-wait", action="store_true", help="do not wait until its data is hashed")
    add("--trace", action="store_true", help="let the kernel be the witness: print what was opened and not recorded")
    add("-q", "--quiet", action="store_true", help="say nothing on standard error")
    add("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _begin(process: Process, options: argparse.Namespace, command: list[str]) -> Run:
    run = Run(process, options.job, how="command", rank=SAID if options.job else COMMANDED)
    with border("begin"):
        run.namespace = options.namespace or run.namespace
        run.parent = os.environ.get(RUN, "").partition(",")[0]
        folder = working_folder()
        run.place = {
            "job": _guess_job(command),
            "namespace": os.path.basename(repository_of(folder)) or "default",
            "cwd": folder,
            "entry": "",
            "argv": command,
        }
        run.begin()
        targets.say_input(run, options.input, {})
    return run


def _guess_job(command: list[str]) -> str:
    """The program's name, or the script that an interpreter is given; a Python job tells better itself."""
    program = os.path.basename(command[0])
    script = next((word for word in command[1:] if not word.startswith("-")), "")
    return script if program.rstrip("0123456789.") in _INTERPRETERS and os.path.isfile(script) else program


def _environment(process: Process, run: Run) -> dict[str, str]:
    told = {RUN: run.id, LAUNCHER: str(os.getpid()), "LINEAGEKIT_STORE": process.config.store_folder}
    return {**os.environ, **told}


def _execute(command: list[str], environ: dict[str, str]) -> tuple[int, int]:
    """Start it, pass signals on, wait; its exit code, and the signal that it died of or 0."""
    watched = {getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)} | {signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who inherits it as ignored is never told of a child's end
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    usual = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]
    try:
        pid = os.posix_spawnp(command[0], command, environ, setsigmask=before, setsigdef=usual)
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        found = not isinstance(error, FileNotFoundError)
        print(f"lineagekit run: cannot start {command[0]!r}: {error.strerror}", file=sys.stderr)
        return NOT_RUNNABLE if found else NOT_FOUND, 0
    try:
        return _wait(pid, watched, environ.get("LINEAGEKIT_STORE", ""))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(pid: int, watched: set[Any], store: str) -> tuple[int, int]:
    is_told = not store
    while True:
        number, by_kernel = _next_signal(watched, None if is_told else STARTED)
        if not number:  # so long a run is known to others before its end
            is_told = True
            with border("start"):
                handover.tell_of_start(store)
            continue
        if number != signal.SIGCHLD:
            if not by_kernel:  # what the terminal sends, the command has got itself
                os.kill(pid, number)
            continue
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return (0, os.WTERMSIG(status)) if os.WIFSIGNALED(status) else (os.WEXITSTATUS(status), 0)


def _next_signal(watched: set[Any], patience: float | None) -> tuple[int, bool]:
    """Number, and whether the kernel or the terminal sent it; 0 where none came in time."""
    if hasattr(signal, "sigtimedwait"):
        found = signal.sigwaitinfo(watched) if patience is None else signal.sigtimedwait(watched, patience)
        return (found.si_signo, found.si_code > 0) if found else (0, False)
    return signal.sigwait(watched), sys.stdin is not None and sys.stdin.isatty()


def _outcome(code: int, death: int) -> tuple[str, str, int]:
    if death:
        stopped = death in (signal.SIGINT, signal.SIGTERM)
        known = {number.value: number.name for number in signal.Signals}  # not all of those for real time
        return "ABORT" if stopped else "FAIL", f"killed by {known.get(death, f'signal {death}')}", 128 + death
    return ("FAIL", f"exit code {code}", code) if code else ("COMPLETE", "", 0)


def _settle(process: Process, run: Run, *, quiet: bool) -> None:
    """Have this run's data hashed now, in view of who waits for it."""
    with border("settle"):
        if process.settle_how() == "off" or not handover.has_full_package():
            return
        handover.settle_in_view(process.config.store_folder, "--run", run.id, *(["--quiet"] if quiet else []))


def _end_as(code: int, death: int) -> int:
    """End the way that the command ended: by the same signal, if it was one."""
    if death:
        sys.stdout.flush()
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if death != signal.SIGKILL:
            signal.signal(death, signal.SIG_DFL)
        os.kill(os.getpid(), death)
        return 128 + death  # we live: the first process of a container, or one that has it blocked
    return code
