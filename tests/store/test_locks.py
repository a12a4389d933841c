import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from faults.harness import run_until_call
from latebloom.base.errors import StoreError
from latebloom.store import Store
from store import story

RACERS, ROUNDS = 12, 20


def fork(act: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    return child


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def run_id(memory: Path) -> str:
    with Store(memory).create(**story.WHO) as writer:
        writer.append(0, story.readings(0))
        return writer.run.id


def test_of_many_writers_exactly_one_wins(memory: Path, run_id: str) -> None:
    for _ in range(ROUNDS):
        assert race(memory, run_id) == b"r" * (RACERS - 1) + b"w"


def race(root: Path, run_id: str) -> bytes:
    """Let many processes open one run at once; one letter for each, sorted: `w`on, `r`efused, `?` for anything else."""
    start_read, start_write = os.pipe()
    done_read, done_write = os.pipe()
    hold_read, hold_write = os.pipe()

    def compete() -> None:
        os.close(start_write)
        os.close(hold_write)
        os.read(start_read, 1)  # returns when the parent closes its end: all start at once
        try:
            with Store(root).open(run_id):
                os.write(done_write, b"w")
                os.read(hold_read, 1)  # keeps the lock until everybody has tried
        except StoreError as error:
            os.write(done_write, b"r" if "is being written by" in str(error) else b"?")

    children = [fork(compete) for _ in range(RACERS)]
    os.close(start_write)
    results = b""
    while len(results) < RACERS:
        results += os.read(done_read, RACERS)
    os.close(hold_write)
    for child in children:
        os.waitpid(child, 0)
    for fd in (start_read, done_read, done_write, hold_read):
        os.close(fd)
    return bytes(sorted(results))


def test_a_second_writer_is_told_who_the_first_is(memory: Path, run_id: str) -> None:
    with Store(memory).open(run_id):
        with pytest.raises(StoreError) as caught:
            Store(memory).open(run_id)
        for part in (run_id, f"process {os.getpid()} on {os.uname().nodename} since 20", "stop that process"):
            assert part in str(caught.value)
    Store(memory).open(run_id).close()


def test_readers_see_running_then_crashed_and_never_keep_a_writer_out(memory: Path, run_id: str) -> None:
    store = Store(memory)
    with store.open(run_id) as writer:
        writer.state("running", 1)
        assert store.find(run_id).status == "running"
    assert store.find(run_id).status == "crashed"

    def look_without_pause() -> None:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            store.find(run_id)

    lookers = [fork(look_without_pause) for _ in range(2)]
    for _ in range(30):
        store.open(run_id).close()
    for looker in lookers:
        os.waitpid(looker, 0)


def test_a_dead_owner_frees_the_run_at_once(memory: Path, run_id: str) -> None:
    def hold() -> None:
        with Store(memory).open(run_id) as writer:
            writer.state("running", 0)
            time.sleep(60)

    owner = fork(hold)
    wait_for(lambda: Store(memory).find(run_id).status == "running")
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    start = time.monotonic()
    assert Store(memory).find(run_id).status == "crashed"
    Store(memory).open(run_id).close()
    assert time.monotonic() - start < 1


def test_a_stopped_owner_is_not_robbed(memory: Path, run_id: str) -> None:
    def hold() -> None:
        with Store(memory).open(run_id) as writer:
            writer.state("running", 0)
            time.sleep(60)

    owner = fork(hold)
    try:
        # The lock is held a moment before it says by whom.
        wait_for(lambda: f'"pid": {owner},' in (memory / run_id / "lock").read_text())
        os.kill(owner, signal.SIGSTOP)
        for _ in range(3):
            with pytest.raises(StoreError, match=f"process {owner}"):
                Store(memory).open(run_id)
        assert Store(memory).find(run_id).status == "running"
    finally:
        os.kill(owner, signal.SIGKILL)
        os.waitpid(owner, 0)


def test_a_child_of_the_owner_neither_keeps_the_lock_nor_writes(memory: Path, run_id: str) -> None:
    """A data loader's worker outlives its trainer; flock alone would be held by it."""
    refused_read, refused_write = os.pipe()

    def own_and_die() -> None:
        writer = Store(memory).open(run_id)

        def outlive() -> None:
            try:
                writer.append(1, {"a": 1.0})
            except StoreError as error:
                os.write(refused_write, b"y" if "belongs to the parent" in str(error) else b"n")
            time.sleep(20)

        grandchild = fork(outlive)
        os.write(refused_write, f" {grandchild}".encode())
        wait_for(lambda: Store(memory).find(run_id).path.joinpath("lock").exists())
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

    owner = fork(own_and_die)
    os.waitpid(owner, 0)
    said = os.read(refused_read, 100).decode()
    grandchild = int("".join(c for c in said if c.isdigit()))
    try:
        os.kill(grandchild, 0)  # still alive
        assert "y" in said
        Store(memory).open(run_id).close()
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_program_started_by_the_owner_does_not_keep_the_lock(memory: Path, run_id: str) -> None:
    with Store(memory).open(run_id):
        program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"], close_fds=False)
    try:
        Store(memory).open(run_id).close()
    finally:
        program.kill()
        program.wait()


def test_a_child_that_ends_does_not_free_the_lock_of_its_parent(memory: Path, run_id: str) -> None:
    with Store(memory).open(run_id) as writer:
        os.waitpid(fork(writer.close), 0)
        with pytest.raises(StoreError, match="is being written"):
            Store(memory).open(run_id)
        writer.append(1, {"a": 1.0})


def test_a_failure_while_opening_leaves_no_lock_behind(memory: Path, run_id: str) -> None:
    from faults.harness import failing

    k = 0
    while True:
        k += 1
        with failing(k, 5) as seen, suppress(StoreError):
            Store(memory).open(run_id).close()
        outcome = run_until_call(0, lambda report: Store(memory).open(run_id).close())
        assert not outcome.error, outcome.error
        if not seen.failed:
            break
    assert k > 10


def test_a_closed_writer_refuses_and_can_be_closed_again(memory: Path, run_id: str) -> None:
    writer = Store(memory).open(run_id)
    writer.close()
    writer.close()
    for act in (
        lambda: writer.append(1, {"a": 1.0}),
        lambda: writer.save(1, {}, labels=[], readings={}),
        lambda: writer.state("finished", 1),
        lambda: writer.keep([]),
        lambda: writer.note("x"),
    ):
        with pytest.raises(StoreError, match="is closed here"):
            act()


def test_the_lock_file_stays(memory: Path, run_id: str) -> None:
    """Unlinking it would let two writers lock two files of one name."""
    path = memory / run_id / "lock"
    inode = path.stat().st_ino
    Store(memory).open(run_id).close()
    assert path.stat().st_ino == inode
