"""Trackers that are easy to read, and trackers that do everything wrong. Named as `integrations.sinks:Class`."""

import json
import os
import time
from pathlib import Path
from typing import Any


class Writes:
    """Writes down every call in the file `$SINK`."""

    def __init__(self) -> None:
        self.path = Path(os.environ["SINK"])

    def put(self, *call: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(call) + "\n")

    def start(self, run: Any) -> str:
        self.put("start", run._asdict())
        return "the file"

    def log(self, step: int, readings: Any) -> None:
        self.put("log", step, readings)

    def event(self, event: Any) -> None:
        self.put("event", event._asdict())

    def finish(self, status: str) -> None:
        self.put("finish", status)


class Raises(Writes):
    """Receives a reading, and raises, each time."""

    def log(self, step: int, readings: Any) -> None:
        self.put("log", step)
        raise RuntimeError("no such server")


class RaisesAtOnce(Writes):
    def start(self, run: Any) -> str:
        raise ConnectionError("no route to host")


class RaisesAtTheEnd(Writes):
    def finish(self, status: str) -> None:
        raise TimeoutError("gave up on the upload")


class HangsAtStart(Writes):
    def start(self, run: Any) -> str:
        self.put("start")
        time.sleep(3600)
        return ""


class HangsInTheMiddle(Writes):
    def log(self, step: int, readings: Any) -> None:
        self.put("log", step)
        if step >= 6:
            time.sleep(3600)


class HangsAtTheEnd(Writes):
    def finish(self, status: str) -> None:
        self.put("finish")
        time.sleep(3600)


class Dies(Writes):
    def log(self, step: int, readings: Any) -> None:
        self.put("log", step)
        os.write(2, b"segmentation fault, or so")
        os._exit(139)


class Prints(Writes):
    """Prints on standard output, as programs do."""

    def log(self, step: int, readings: Any) -> None:
        print("{not our protocol", flush=True)
        os.write(1, b"nor this\n")
        self.put("log", step)
