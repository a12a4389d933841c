"""Sweeps of tiny runs, made to be killed, and what is counted afterwards."""

import os
import select
import signal
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn

import pytest

from latebloom.base.component import from_dict
from latebloom.lab.engines import local, nursery
from latebloom.lab.signals import ASKED_BY
from latebloom.lab.sweep import sweep
from latebloom.spec import RunSpec, Study, identity
from latebloom.store import Store, StoredRun, StoredStudy, durable

NAME = "deaths"
ARMS: dict[str, dict[str, Any]] = {
    "light": {"optimizer": {"weight_decay": 0.1}},
    "heavy": {"optimizer": {"weight_decay": 1.0}},
}
GREEDY = {"greedy": {"batch": {"size": 5000}}}  # more examples than there are: refused by the data, not by the recipe
EXPLOSIVE = {"explosive": {"optimizer": {"learning_rate": 1e30}}}
MONSTROUS = {"monstrous": {"model": {"width": 10**9}}}  # no machine has memory for it

ALIVE_S = 20.0  # how long what was left behind may take to end, on a busy machine


def tiny_study(seeds: int = 2, arms: dict[str, dict[str, Any]] = ARMS, **changes: Any) -> Study:
    """Every arm with so many seeds, 0.1 s each."""
    settings: dict[str, Any] = {
        "steps": 12,
        "task": {"kind": "modular", "operation": "add", "modulus": 7},
        "model": {"kind": "mlp", "width": 24},
        "optimizer": {"kind": "adamw", "learning_rate": 0.01},
        "batch": {"size": 16},
        "evaluation": {"every": 3},
        "checkpoints": {"every": 4, "best": []},
    }
    return Study(NAME, settings=settings | changes, arms=arms, axes=({"seed": list(range(seeds))},))


LONG = {"steps": 100_000, "evaluation": {"every": 10}, "checkpoints": {"every": 100, "best": []}}  # until asked to stop


# A nursery that starts at once


class ForkedNursery:
    """Stands in for `subprocess.Popen`: the same program, forked from here, where torch is loaded, in milliseconds."""

    def __init__(self, command: list[str], **streams: Any) -> None:
        assert command[1:] == ["-P", "-m", nursery.__name__]
        told, telling = os.pipe()
        hearing, heard = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            self._serve(told, heard)
        os.close(told)
        os.close(heard)
        self.stdin, self.stdout = os.fdopen(telling, "wb"), os.fdopen(hearing, "rb")

    def communicate(self, timeout: float = 60) -> None:
        with suppress(BrokenPipeError):
            self.stdin.close()
        deadline = time.monotonic() + timeout
        while select.select([self.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            if not os.read(self.stdout.fileno(), 1 << 16):
                self.stdout.close()
                os.waitpid(self.pid, 0)
                return
        raise subprocess.TimeoutExpired("nursery", timeout)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def _serve(self, told: int, heard: int) -> NoReturn:
        try:
            os.setsid()
            os.dup2(told, 0)
            os.dup2(heard, 1)
            os.closerange(3, 1000)  # as a program has it that was started anew
            durable.observe = durable._nobody
            for number in ASKED_BY:
                signal.signal(number, signal.SIG_DFL)
            nursery.main()
        finally:
            os._exit(0)


def fork_nurseries(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here to the end of the test."""
    known = {"Popen": ForkedNursery, "PIPE": subprocess.PIPE, "TimeoutExpired": subprocess.TimeoutExpired}
    monkeypatch.setattr(local, "subprocess", SimpleNamespace(**known))


# A coordinator to be killed


class Coordinator:
    """A sweep in a forked child, and all processes that come from it.

    They are found by a word that they inherit: as the name of the process if they were forked, and in the
    environment if they were started as a program.
    """

    def __init__(self, root: Path, study: Study, *, act: Callable[[], object] | None = None, **options: Any) -> None:
        self.word = f"lb-{os.urandom(4).hex()}"
        self.pid = os.fork()
        if not self.pid:
            self._coordinate(act or (lambda: swept(root, study, **options)))

    def wait(self) -> int:
        """Its exit code; negative if it was killed."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def is_over(self) -> bool:
        """Whether it ended, without waiting for it."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self) -> None:
        """As `kill -9` does, and wait until it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def nursery(self) -> list[int]:
        """The process that starts workers."""
        return [pid for pid, parent in self._family().items() if parent == self.pid]

    def workers(self) -> list[int]:
        """The processes that train."""
        family = self._family()
        return [pid for pid, parent in family.items() if parent in family and parent != self.pid]

    def left(self) -> list[int]:
        """Its nursery and its workers, whether or not it is alive itself."""
        return [pid for pid in self._family() if pid != self.pid]

    def _family(self) -> dict[int, int]:
        """The parents of all that carry the word."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                name, _, rest = (folder / "stat").read_text().partition(" (")[2].rpartition(") ")
                is_ours = name == self.word
                if not is_ours and nursery.__name__.encode() in (folder / "cmdline").read_bytes():
                    is_ours = f"LATEBLOOM_WORD={self.word}\0".encode() in (folder / "environ").read_bytes()
            except OSError:  # it ended, or is somebody else's
                continue
            state, parent = rest.split()[:2]
            if is_ours and state != "Z":
                found[int(folder.name)] = int(parent)
        return found

    def _coordinate(self, act: Callable[[], Any]) -> NoReturn:
        code = 99
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            Path("/proc/self/comm").write_text(self.word)
            os.environ["LATEBLOOM_WORD"] = self.word
            code = act().exit_code
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)


def swept(root: Path, study: Study, *, workers: int = 2, **options: Any) -> Any:
    """Sweep it, or go on with it."""
    return sweep(study, store=root, workers=workers, **options)


def send(number: signal.Signals, pids: list[int]) -> int:
    """Send a signal to those of the processes that still exist; how many got it."""
    count = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            count += 1
    return count


def state_of(pid: int) -> str:
    """The letter that the kernel has for the state of a process: T stopped, Z dead; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return ""


# What is counted


class Count(NamedTuple):
    """How a sweep ended, counted from the folders of its runs."""

    planned: int
    done: int  # planned runs whose folder says that they are finished
    twice: int  # folders beyond the first of one spec, and runs trained again after they had finished
    strange: int  # folders that no plan knows, or knows with another spec
    stuck: int  # runs that say they are running, and no process has them
    damaged: int  # runs or checkpoints that cannot be read


def count(root: Path) -> Count:
    """Count what there is in the store of one study that no coordinator is at work on."""
    planned = StoredStudy(root, NAME).planned
    runs = Store(root).runs()
    ids, keys = {one.run for one in planned}, Counter(map(key_of, runs))
    return Count(
        planned=len(planned),
        done=len({run.id for run in runs if run.status == "finished"} & ids),
        twice=keys.total() - len(keys) + sum(map(trained_again, runs)),
        strange=len({(run.id, key_of(run)) for run in runs} - {(one.run, one.key) for one in planned}),
        stuck=sum(run.status in ("running", "crashed") for run in runs),
        damaged=sum(is_damaged(run) for run in runs),
    )


def key_of(run: StoredRun) -> str:
    """The key that a plan has for this spec: beginning a run writes its chance accuracy in."""
    spec = {**run.spec, "detector": {**run.spec["detector"], "chance": None}}
    return identity(from_dict(RunSpec, spec), without={"name"})


def undisturbed(planned: int) -> Count:
    """What `count` gives when all is well."""
    return Count(planned, planned, 0, 0, 0, 0)


def trained_again(run: StoredRun) -> bool:
    """Whether steps were taken after the run had said that it is finished.

    A worker killed between that word in the journal and the run's new status leaves a run that is opened once more;
    then there is nothing left to do, and it says so again.
    """
    journal = iter(run.journal())
    for entry in journal:
        if entry["what"] == "stopped" and entry["status"] == "finished":
            return any(later["what"] in ("saved", "resumed") and later["step"] < entry["step"] for later in journal)
    return False


def is_damaged(run: StoredRun) -> bool:
    """Whether anything of it cannot be read."""
    for checkpoint in run.checkpoints():
        run.load(checkpoint.step)
    run.curves()
    return bool(run.damage or [entry for entry in run.journal() if "quarantine" in entry.get("text", "")])


def ends(root: Path) -> dict[str, tuple[str, bytes]]:
    """By planned key the SHA-256 of the last state, and the readings, of each finished run."""
    found = {}
    for one in StoredStudy(root, NAME).planned:
        path = root / one.run
        if path.exists() and (run := StoredRun(path)).status == "finished":
            state = [entry["state_sha256"] for entry in run.journal() if "state_sha256" in entry][-1]
            found[one.key] = (state, (path / "readings.jsonl").read_bytes())
    return found


def what(root: Path) -> Counter[str]:
    """How often what stands in the study's journal."""
    return Counter(entry["what"] for entry in StoredStudy(root, NAME).journal())
