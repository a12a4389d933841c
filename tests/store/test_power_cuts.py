"""Real power cuts on a real ext4: the kernel forgets what it has not written, and the disk is mounted again."""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from latebloom.base.errors import StoreError
from latebloom.store import Store, durable
from store import story

CUTS = 200
EXT4_IOC_SHUTDOWN = 0x8004587D
JOURNAL_FLUSHED, NOTHING_FLUSHED = 1, 2


@pytest.fixture
def disk(memory: Path) -> Iterator[Path]:
    """A small ext4 in a file, mounted."""
    image, mounted = memory / "image", memory / "disk"
    mounted.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, mounted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to mount an ext4 image: {error}")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


@pytest.mark.slow
def test_a_checkpoint_reported_as_saved_survives_real_power_cuts(disk: Path, memory: Path) -> None:
    results = [life_and_power_cut(disk / str(n), memory, random.Random(n)) for n in range(CUTS)]
    assert [wrong for _, wrong in results if wrong] == []
    after = sum(count > 0 for count, _ in results)
    during = sum(0 < count < 3 for count, _ in results)
    assert during > 0  # of three; else the cuts came too late to try anything
    print(f"{CUTS} power cuts, {after} after a checkpoint was reported as saved ({during} before the last), 0 lost")


@pytest.mark.slow
def test_without_fsync_a_real_power_cut_loses_what_was_reported_as_saved(
    disk: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(durable, "_fdatasync", lambda fd: None)
    assert any(life_and_power_cut(disk / str(n), memory, random.Random(n))[1] for n in range(CUTS))


def life_and_power_cut(root: Path, memory: Path, rng: random.Random) -> tuple[int, str]:
    """Live, cut the power at some time, look. Returns how many checkpoints were reported, and what is wrong."""
    disk = root.parent
    read_fd, write_fd = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            story.live(root, lambda value: os.write(write_fd, f"{value[0]} {value[1]}\n".encode()))
        finally:
            os._exit(0)
    os.close(write_fd)
    time.sleep(rng.uniform(0, 0.03))
    folder = os.open(disk, os.O_RDONLY)
    saved = [int(line.split()[1]) for line in drain(read_fd) if line.startswith("saved")]
    fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", rng.choice([JOURNAL_FLUSHED, NOTHING_FLUSHED])))
    os.close(folder)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(read_fd)
    subprocess.run(["umount", disk], check=True)
    subprocess.run(["mount", "-o", "loop", memory / "image", disk], check=True)
    wrong = wrong_with(root, saved)
    if root.exists():
        shutil.rmtree(root)
    return len(saved), wrong


def wrong_with(root: Path, saved: list[int]) -> str:
    try:
        runs = Store(root).runs()
        if not runs:
            return "the run is gone" if saved else ""
        with Store(root).open(runs[0].id) as writer:
            step, blobs = writer.recovered or (-1, {})
            if step < max(saved, default=-1) or any("damaged" in notice for notice in writer.notices):
                return f"saved {saved}, recovered {step}: {writer.notices}"
            if step >= 0 and blobs != story.blobs(step):
                return f"wrong bytes at step {step}"
        story.live(root)
        for step, readings in Store(root).find("latest").records():
            if repr(readings) != repr(story.readings(step)):
                return f"wrong readings at step {step}"
    except StoreError as error:
        return str(error)
    return ""


def drain(fd: int) -> list[str]:
    """The lines that can be read without waiting."""
    os.set_blocking(fd, False)
    data = b""
    while True:
        try:
            chunk = os.read(fd, 1 << 16)
        except BlockingIOError:
            break
        if not chunk:
            break
        data += chunk
    return data.decode().splitlines()
