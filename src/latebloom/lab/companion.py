"""A process beside this one that is told things and tells things, each as one line of JSON."""

from __future__ import annotations

import json
import os
import select
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

LAST_WORDS_BYTES = 2000
MOST_WAITING_BYTES = 1 << 23  # told, and not yet taken by the pipe
_ONE_WRITE_BYTES = 4096  # a pipe that can be written to takes so many without making us wait


class Companion:
    """Runs until it is closed, or dies by itself.

    Args:
        module: What it runs.
        arguments: Its command line.
        environment: Its environment variables; by default ours.
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        self._heard = b""
        self._waiting = bytearray()

    def tell(self, told: Mapping[str, Any]) -> None:
        """Say something; to a dead one too, whose death `hear` will find."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            self._process.stdin.flush()

    def offer(self, told: Mapping[str, Any]) -> bool:
        """Say something without ever waiting; False when it is too far behind to be told more. Not beside `tell`."""
        self._waiting += json.dumps(told).encode() + b"\n"
        self._send(0.0)
        return len(self._waiting) <= MOST_WAITING_BYTES

    def hear(self, timeout_s: float) -> list[dict[str, Any]]:
        """What it said since the last call; waits so long for the first.

        Raises:
            EOFError: It has died; the message is the end of what it wrote on standard error.
        """
        assert self._process.stdout is not None
        self._send(0.0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                return []
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        if not data:
            raise EOFError(self._last_words())
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self, patience_s: float) -> bool:
        """Let it end, by the end of its standard input; kill it when it does not. Whether it ended by itself."""
        assert self._process.stdin is not None and self._process.stdout is not None
        until = time.monotonic() + patience_s
        self._send(patience_s)
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
            return True
        except BaseException as error:
            self._process.kill()
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return False
        finally:
            self._process.stdout.close()
            self._errors.close()

    def _send(self, patience_s: float) -> None:
        """What `offer` left waiting, for so long as it is taken."""
        assert self._process.stdin is not None
        pipe, until, poll = self._process.stdin.fileno(), time.monotonic() + patience_s, select.poll()
        poll.register(pipe, select.POLLOUT)
        while self._waiting and poll.poll(1000 * max(0.0, until - time.monotonic())):
            try:
                del self._waiting[: os.write(pipe, self._waiting[:_ONE_WRITE_BYTES])]
            except OSError:  # it has died, which `hear` will find
                self._waiting.clear()

    def _last_words(self) -> str:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - LAST_WORDS_BYTES))
        return self._errors.read().decode(errors="replace").strip()
