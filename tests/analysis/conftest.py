"""Runs in a real store, made from a curve whose story is known."""

import math

import pytest

from latebloom.detect import DelayDetector, replay
from latebloom.store import Store

SPEC = {"detector": {"kind": "grokking"}, "task": {"kind": "modular", "modulus": 97}, "steps": 20_000}


def classic(last=20_000, every=100):
    def rise(step, at):
        return 1 / 97 + 96 / 97 / (1 + math.exp(-8 * (math.log(step + 1) - math.log(at))))

    return [
        (step, {"train/accuracy": rise(step, 600), "val/accuracy": rise(step, 7000)})
        for step in range(0, last + 1, every)
    ]


@pytest.fixture
def records():
    return classic()


@pytest.fixture
def stored(tmp_path):
    def store(records, *, spec=SPEC, name="first", events=None, status="finished", reason="because", journal=()):
        detector = DelayDetector()
        events = replay(detector, records)[1] if events is None else events
        with Store(tmp_path / "runs").create(
            name=name, seed=0, spec=spec, spec_hash="c0ffee", environment={"python": "3.11"}
        ) as writer:
            for step, readings in records:
                writer.append(step, readings, [event for event in events if event.known_at == step])
            for what, facts in journal:
                writer.note(what, **facts)
            writer.state(status, records[-1][0] if records else 0, reason, {})
            return writer.run

    return store
