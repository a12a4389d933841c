"""The container: checksums against published vectors, and every damage to a small real file."""

import base64
import os
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latebloom.base.errors import StoreError
from latebloom.store.tensorboard import read_scalars
from latebloom.store.tensorboard.frame import LONGEST_RECORD_BYTES, Found, crc32c, frame, masked, scan

# Written by SummaryWriter of torch 2.13.0 with tensorboard 2.21.0: purge_step=2, five scalars and one histogram.
SUMMARY = base64.b64decode(
    """
    SAAAAAAAAAD+kkidCWM85R+YwNpBGg1icmFpbi5FdmVudDoyUi4KLHRlbnNvcmJvYXJkLnN1bW1hcnkud3JpdGVyLmV2ZW50X2ZpbGVfd3Jp
    dGVy6h3teRoAAAAAAAAAEpvYLQk4Q+UfmMDaQRACGg1icmFpbi5FdmVudDoy8kbbsg8AAAAAAAAAbVMrCQm9Q+UfmMDaQRACOgIIAZU0ktQe
    AAAAAAAAANncEjIJAAAAQPxU2UEqEwoRCgpMb3NzL3RyYWluFQAAkEDY3IU/IAAAAAAAAAAp7alQCQAAQED8VNlBEAEqEwoRCgpMb3NzL3Ry
    YWluFQAAwH/Y5ckBIwAAAAAAAACwn3dDCQAAQED8VNlBEAEqFgoUCg1BY2N1cmFjeS90ZXN0Fc3MzD1eGSAAJAAAAAAAAABCK4BNCQAAgED8
    VNlBEIC8wZYLKhMKEQoKTG9zcy90cmFpbhUAAID/ahj7JGsAAAAAAAAAh++m4QkAAABA/FTZQRABKl4KXAoHd2VpZ2h0cypRCQAAAAAAAPA/
    EQAAAAAAAPA/GQAAAAAAAPA/IQAAAAAAAPA/KQAAAAAAAPA/MhAAAAAAAADwPwAAAAAAAABAOhAAAAAAAAAAAAAAAAAAAPA/pNSk2w==
    """
)


@pytest.fixture
def file(memory: Path) -> Path:
    path = memory / "events.out.tfevents.1700000000.host.1.0"
    path.write_bytes(SUMMARY)
    return path


def bounds() -> list[tuple[int, int]]:
    """Where the records of the file begin and end, by their lengths alone."""
    found, at = [], 0
    while at < len(SUMMARY):
        end = at + 16 + struct.unpack_from("<Q", SUMMARY, at)[0]
        found.append((at, end))
        at = end
    return found


def data(start: int, end: int) -> bytes:
    return SUMMARY[start + 12 : end - 4]


def points(path: Path) -> set[tuple[str, int, str]]:
    """Every scalar that is read, the value as text so that NaN equals itself."""
    curves = read_scalars(path).curves.items()
    return {(t, int(s), str(v)) for t, c in curves for s, v in zip(c.steps, c.values, strict=True)}


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"123456789", 0xE3069283),
        (b"", 0),
        (bytes(32), 0x8A9136AA),  # from here on RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_checksum_is_the_published_one(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@settings(deadline=None)
@given(st.binary(max_size=70) | st.integers(1015, 2060).map(lambda n: os.urandom(n)))
def test_the_checksum_of_any_length_is_the_remainder_of_a_division(data: bytes) -> None:
    """By definition: bit by bit, lowest first, by Castagnoli's polynomial."""
    rest = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            lowest = (rest ^ byte >> bit) & 1
            rest = rest >> 1 ^ 0x82F63B78 * lowest
    assert crc32c(data) == rest ^ 0xFFFFFFFF


def test_a_file_of_the_real_package_is_its_records_framed_again(file: Path) -> None:
    assert [found.data for found in scan(file)] == [data(*each) for each in bounds()]
    assert b"".join(frame(data(*each)) for each in bounds()) == SUMMARY


def test_a_file_cut_off_at_any_byte_gives_the_records_before_and_says_what_is_left_over(file: Path) -> None:
    for length in range(len(SUMMARY)):
        file.write_bytes(SUMMARY[:length])
        whole = [each for each in bounds() if each[1] <= length]
        over = length - whole[-1][1] if whole else length
        expected = [Found(data(*each)) for each in whole] + [Found(None, "torn", over)] * (over > 0)
        assert list(scan(file)) == expected


def test_every_flipped_bit_costs_one_record_or_the_rest_and_is_told(file: Path) -> None:
    whole, everything = bounds(), points(file)
    for bit in range(len(SUMMARY) * 8):
        flipped = bytearray(SUMMARY)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        [hit] = [n for n, (start, end) in enumerate(whole) if start <= bit // 8 < end]
        start, end = whole[hit]
        expected = [Found(data(*each)) for each in whole]
        if bit // 8 < start + 12:
            expected[hit:] = [Found(None, "length", len(SUMMARY) - start)]
        else:
            expected[hit] = Found(None, "checksum", end - start)
        assert list(scan(file)) == expected
        if bit % 8 == 0:  # the whole way too: nothing that was not written, and a word about it
            assert points(file) <= everything
            assert any(("damaged" in line) or ("checksum" in line) for line in read_scalars(file).report)


def test_without_its_checksums_a_flipped_bit_would_change_a_value(file: Path) -> None:
    """Control."""
    everything = points(file)
    start, end = bounds()[3]
    wrong = bytearray(data(start, end))
    wrong[-1] ^= 1
    file.write_bytes(SUMMARY[:start] + frame(bytes(wrong)) + SUMMARY[end:])
    assert not points(file) <= everything


def test_a_record_too_long_to_hold_is_stepped_over_without_being_read(file: Path) -> None:
    """A sparse gigabyte, which would take long to read and much memory to hold."""
    length = struct.pack("<Q", 1 << 30)
    start, end = bounds()[3]
    with file.open("r+b") as written:
        written.seek(len(SUMMARY))
        written.write(length + struct.pack("<I", masked(length)))
        written.seek((1 << 30) + 4, os.SEEK_CUR)
        written.write(SUMMARY[start:end])
    tracemalloc.start()
    found = list(scan(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[-2:] == [Found(None, "long", (1 << 30) + 16), Found(data(start, end))]
    assert peak < LONGEST_RECORD_BYTES
    assert any("stepped over 1 record of more than" in line for line in read_scalars(file).report)


@pytest.mark.parametrize("length", [LONGEST_RECORD_BYTES, 1 << 40, 1 << 63, (1 << 64) - 1])
def test_a_length_that_the_file_does_not_have_is_taken_for_a_record_being_written(file: Path, length: int) -> None:
    """With the right checksum: what a hostile file would do to make a reader reserve memory."""
    head = struct.pack("<Q", length)
    file.write_bytes(SUMMARY + head + struct.pack("<I", masked(head)) + b"x" * 100)
    assert list(scan(file))[-1] == Found(None, "torn", 112)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"brain.Event:2", b"\xff" * 100, SUMMARY[1:]])
def test_what_is_no_event_file_gives_nothing_and_no_traceback(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    scalars = read_scalars(file)
    assert scalars.curves == {}
    assert len(scalars.report) == (2 if content else 1)


def test_a_link_or_a_pipe_is_refused(file: Path) -> None:
    link, pipe = file.with_name("tfevents.1"), file.with_name("tfevents.2")
    link.symlink_to(file)
    os.mkfifo(pipe)
    for path in (link, pipe, file.with_name("missing")):
        with pytest.raises(StoreError):
            read_scalars(path)
    assert points(file.parent) == points(file)
    report = read_scalars(file.parent).report
    assert sum("is not a regular file" in line for line in report) == 2
