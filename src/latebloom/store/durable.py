"""Every touch of the file system, in one place: reading, listing, writing durably, appending, locking.

Durable means that the data survives a power cut once the call has returned; atomic means that nobody ever
sees a half. They are different promises, and the order write, fsync, rename, fsync of the folder gives both.

`observe` is called right before each real operation with its name and path. Tests replace it to kill the
process or to raise an `OSError` at the k-th call; nothing else may.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..base.errors import NoRoomError, StoreError

CHUNK_BYTES = 1 << 16  # one write() of a large file: small enough that a kill in the middle of one is ordinary
MOST_BYTES = 1 << 26  # the longest file read whole without being told its size

_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class DamageError(StoreError):
    """What is stored is not what was written. Unlike a failing disk, asking again gives the same answer."""


def _nobody(operation: str, path: Path) -> None:
    """Observe nothing."""


observe: Callable[[str, Path], None] = _nobody


def read(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """A whole regular file; symbolic links are refused, pipes do not block.

    Raises:
        DamageError: It is missing, not a regular file, or longer than `most_bytes`.
    """
    with _doing("read", path), _opened(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as fd:
        size = _regular(path, fd)
        if size > most_bytes:
            raise DamageError(f"{path} is {size:,} bytes long, more than the {most_bytes:,} it may have.")
        with open(fd, "rb", buffering=0, closefd=False) as file:
            return file.readall()


def read_chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from `start` up to `end` (its end, if None), piece by piece in bounded memory."""
    with _doing("open", path):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _regular(path, fd)
        while end is None or start < end:
            with _doing("read", path):
                chunk = os.pread(fd, CHUNK_BYTES if end is None else min(CHUNK_BYTES, end - start), start)
            if not chunk:
                return
            start += len(chunk)
            yield chunk
    finally:
        os.close(fd)


def size(path: Path) -> int:
    """The length of a regular file in bytes."""
    with _doing("stat", path):
        found = path.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise DamageError(f"{path} is not a regular file; links and devices are not followed.")
    return found.st_size


def exists(path: Path) -> bool:
    """Whether anything has this name."""
    with _doing("stat", path):
        return os.path.lexists(path)


def names(folder: Path) -> list[str]:
    """The names in a folder, sorted; none if there is no such folder."""
    with _doing("list", folder):
        try:
            with os.scandir(folder) as entries:
                return sorted(entry.name for entry in entries)
        except FileNotFoundError:
            return []


def folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, links not followed, sorted; none if there is no such folder."""
    with _doing("list", folder):
        try:
            with os.scandir(folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []


def make_folder(path: Path, *, parents: bool = True) -> bool:
    """Make a folder, and its parents, durably. Returns False if it was there already."""
    with _doing("mkdir", path):
        try:
            path.mkdir()
        except FileExistsError:
            return False
        except FileNotFoundError:
            if not parents or path.parent == path:
                raise
        else:
            sync_folder(path.parent)
            return True
    make_folder(path.parent)
    return make_folder(path, parents=False)  # /proc says "not found" whatever there is


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet, and its data durably; its name needs `sync_folder`.

    After a failure the file is to be thrown away: a second fsync of it would report success for data that
    the kernel has already dropped.
    """
    with _doing("create", path):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            with _doing("write", path, len(data) - start):
                _write_all(fd, data[start : start + CHUNK_BYTES])
        with _doing("fsync", path, len(data)):
            os.fsync(fd)
    except BaseException:
        with suppress(OSError):
            os.close(fd)
        raise
    with _doing("close", path):
        os.close(fd)


def replace(path: Path, data: bytes) -> None:
    """Put `data` under this name, durably and atomically: readers see the old file or the new one."""
    temporary = path.with_name(f".tmp-{path.name}-{nonce()}")
    try:
        write_new(temporary, data)
        rename(temporary, path)
    except StoreError:
        with suppress(StoreError):
            remove(temporary)
        raise
    sync_folder(path.parent)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name; lasting only after `sync_folder`."""
    with _doing("rename", target):
        source.rename(target)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    with _doing("fsync", folder), _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as fd:
        os.fsync(fd)


def remove(path: Path) -> None:
    """Remove a file or link."""
    with _doing("unlink", path):
        path.unlink()


def remove_tree(folder: Path) -> None:
    """Remove a folder and what is in it; links in it are removed, not followed."""
    below = folders(folder)
    for name in names(folder):
        if name in below:
            remove_tree(folder / name)
        else:
            remove(folder / name)
    with _doing("rmdir", folder):
        folder.rmdir()


def try_remove_tree(folder: Path) -> None:
    """Remove a folder if that is possible: for cleaning up after a failure, which is reported itself."""
    with suppress(StoreError):
        remove_tree(folder)


def nonce() -> str:
    """Six random hexadecimal digits."""
    return os.urandom(3).hex()


class Log:
    """A file that only grows, opened for appending.

    `size` counts the bytes that stand; what a failed append left behind it is cut off before the next one,
    so that two lines are never glued together. With `when_needed`, the first line makes the file if there is none.
    """

    def __init__(self, path: Path, *, when_needed: bool = False) -> None:
        self.path = path
        self.size, self._has_leftover = 0, False
        self._fd: int | None = None  # -1 once it is closed
        self._has_lasting_name = not when_needed  # else its folder has to be synced with it
        if not when_needed or exists(path):
            self._made()

    def append(self, line: bytes) -> None:
        """Hand one line to the operating system in one write(): it survives a kill, not yet a power cut."""
        fd = self._made()
        self._cut_leftover()
        self._has_leftover = True  # until proven otherwise, whatever interrupts the next lines
        with _doing("append", self.path, len(line)):
            _write_all(fd, line)
        self.size += len(line)
        self._has_leftover = False

    def cut(self, size: int) -> None:
        """Forget everything after the first `size` bytes; done before the next append or sync."""
        self.size, self._has_leftover = size, True

    def sync(self) -> int:
        """Make the log survive a power cut and return its length in bytes."""
        if self._fd is None:
            return 0
        self._cut_leftover()
        with _doing("fdatasync", self.path):
            _fdatasync(self._fd)
        if not self._has_lasting_name:
            sync_folder(self.path.parent)
            self._has_lasting_name = True
        return self.size

    def close(self) -> None:
        """Close the file; again is fine."""
        fd, self._fd = self._fd, -1
        if fd is not None and fd >= 0:
            os.close(fd)

    def _made(self) -> int:
        if self._fd is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            with _doing("create", self.path):
                self._fd = os.open(self.path, flags, 0o666)
            self.size = _regular(self.path, self._fd)
        return self._fd

    def _cut_leftover(self) -> None:
        if self._has_leftover and self._fd is not None:
            with _doing("truncate", self.path):
                os.ftruncate(self._fd, self.size)
            self._has_leftover = False


def try_lock(path: Path) -> int | None:
    """Take the lock of this file and return its descriptor, or None while another open file has it.

    The kernel frees it when the process dies in any way. flock, not fcntl: an fcntl lock is lost as soon as
    any descriptor of the file is closed. The file is never unlinked: a second one could be locked beside it.
    """
    with _doing("lock", path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        except OSError:
            os.close(fd)
            raise
        return fd


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock; False if there is no such file.

    Asks for a shared lock for an instant, so a writer starting in that instant has to try again.
    """
    with _doing("lock", path):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


def overwrite(path: Path, fd: int, data: bytes) -> None:
    """Replace the content of an open file in place: for the lock, whose content only informs."""
    with _doing("write", path, len(data)):
        os.ftruncate(fd, 0)
        os.pwrite(fd, data, 0)


@contextmanager
def _doing(operation: str, path: Path, size: int = 0) -> Iterator[None]:
    """Announce an operation, and explain its failure."""
    try:
        observe(operation, path)
        yield
    except OSError as error:
        if operation in _LOOKING and error.errno in _NOT_OURS:
            raise DamageError(f"{path} {_NOT_OURS[error.errno]}.") from error
        refused = NoRoomError if error.errno in _NO_ROOM else StoreError
        raise refused(_explain(operation, path, size, error)) from error


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_LOOKING = ("read", "open", "stat", "list")
_NOT_OURS = {
    errno.ENOENT: "is missing",
    errno.ENOTDIR: "is missing or not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.ELOOP: "is a symbolic link, which is not followed",
    errno.ENXIO: "is not a regular file",
}


def _explain(operation: str, path: Path, size: int, error: OSError) -> str:
    code = errno.errorcode.get(error.errno or 0, "?")
    what = f"Cannot {operation} {path}: {os.strerror(error.errno or 0)} ({code})."
    kept = "What was saved before is intact."
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            needed = f"{size:,} bytes were needed, " if size else ""
            return f"{what} {needed}{_free(path)} are free. Make room, then resume. {kept}"
        case errno.EROFS:
            return f"{what} Remount the file system writable or choose another folder, then resume. {kept}"
        case errno.EACCES | errno.EPERM:
            return f"{what} Allow this user (id {os.geteuid()}) to use it, or choose another folder."
        case errno.EIO:
            return f"{what} The disk or its connection fails; look into the kernel's log, then resume. {kept}"
        case errno.ENOENT:
            return f"{what} The folder has vanished or was moved while it was in use."
    return what


def _free(path: Path) -> str:
    for folder in path.parents:
        with suppress(OSError):
            disk = os.statvfs(folder)
            return f"{disk.f_bavail * disk.f_frsize:,} bytes"
    return "an unknown number of bytes"


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def _regular(path: Path, fd: int) -> int:
    """The length of an open file, which must be a regular one."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise DamageError(f"{path} is not a regular file.")
    return found.st_size


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
