"""From a stored run to what is known of a jump of its training loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...analysis.jump import Explanation, Jump, Window, explain, find_jumps
from ...analysis.jump.window import Floats
from ...base.errors import DataError, DivergedError
from ...base.record import Curve
from ...engine import pack
from ...store import Store, StoredRun, default_root
from .forks import fork, variants
from .record import Recorder
from .sharp import sharpness, unit
from .stretch import Comparison, Source, Stretch, groups

READING, VAL_READING = "train/loss", "val/loss"
QUIET = 50  # steps before the jump that say what is usual
DENSE = 200  # steps before the jump from which every update is read
AFTER = 50  # steps after the top
BEFORE_FOOT, AFTER_TOP = 7, 3  # steps at which the curvature is taken

Say = Callable[[str], None]


def explain_jump(
    wanted: str = "latest",
    step: int | None = None,
    *,
    forks: bool = False,
    store: str | Path | None = None,
    say: Say = lambda text: None,
) -> Explanation:
    """Why the training loss of a stored run jumped: which of seven explanations survive.

    The stretch from the checkpoint before the jump is trained once more, compared with what is stored bit for bit, and
    read after every update. Nothing is written.

    Args:
        wanted: `latest`, a name, an id or a part of one.
        step: Where the jump is; by default the largest rise of `train/loss`.
        forks: Also train the stretch with one thing changed at a time: what does the jump depend on?
        store: Folder of runs, as for `run`.
        say: Told what is being done.

    Raises:
        StoreError: No such run, or nothing to begin from.
        DataError: The training loss never jumps, or not there.
    """
    stored = Store(store or default_root()).find(wanted)
    curves = stored.curves()
    if READING not in curves:
        raise DataError(f"run {stored.id} has no {READING}; there is nothing that could jump")
    jumps = find_jumps(curves[READING])
    jump = _wanted(stored, curves[READING], jumps, step)
    source = Source.before(stored, jump.previous_step, QUIET)
    # The reading after the highest one is the first that says the top is over.
    until = next((int(s) for s in curves[READING].steps if s > jump.step), jump.step + AFTER)
    say(f"training steps {source.step:,} to {until + AFTER:,} once more")
    window = _read(source, max(source.step, jump.previous_step - DENSE), until + AFTER)
    found = explain(window, jump.previous_step, until)
    say(f"the curvature around step {found.top_step:,}")
    near, curvature = _curvature(source, found, int(window.steps_S[-1]))
    found = explain(
        window._replace(sharpness=curvature, sharpness_unit=unit(Stretch(source))), jump.previous_step, until
    )
    found = found._replace(jumps=jumps)
    if forks:
        found = found._replace(forks=[])
        for variant in variants(source.spec):
            say(f"the same from step {near.step:,} with {variant.changed}")
            found.forks.append(fork(near, variant, found))
    return found


def _wanted(stored: StoredRun, curve: Curve, jumps: list[Jump], step: int | None) -> Jump:
    if step is None:
        if jumps:
            return max(jumps, key=lambda one: one.rise)
        raise DataError(
            f"{READING} of run {stored.id} never rises out of its noise by half or more. If you see a jump, "
            "name its step."
        )
    known = [jump for jump in jumps if jump.previous_step <= step <= jump.step]
    if known:
        return known[0]
    place = int(np.searchsorted(curve.steps, step))
    if not 0 < place < len(curve.steps):
        raise DataError(
            f"step {step:,} is not between the readings of run {stored.id}; they end at {curve.steps[-1]:,}"
        )
    return Jump(
        int(curve.steps[place]), int(curve.steps[place]), int(curve.steps[place - 1]),
        float(curve.values[place - 1]), float(curve.values[place]),
    )  # fmt: skip


def _read(source: Source, first: int, until: int) -> Window:
    """The stretch, read after every update from a step on, beside what the run has stored of it."""
    stretch, same = Stretch(source), Comparison(source)
    while stretch.state.step < first:
        stretch.update()
        same.look(stretch)
    recorder = Recorder(stretch.state.params, lambda: stretch.losses("train"), lambda: stretch.losses("val"))
    stored = [same.stored.get(first, {})]
    recorder.read(first)
    while stretch.state.step < until:
        try:
            batch_loss, rate = stretch.update()
        except DivergedError:
            break  # the jump ends in no number; what there is leads up to it
        recorder.read(stretch.state.step, batch_loss, rate)
        stored.append(same.look(stretch))
    window = recorder.window(
        READING,
        batches_per_pass=max(
            1, round(len(source.split.train_M) / (source.spec.batch.size or len(source.split.train_M)))
        ),
        groups=groups(source.split),
        replay=same.told(),
    )
    events, excluded = _events(source.stored, first, until, same.told().is_exact)
    return window._replace(
        recorded_S=_with(window.train_S, [one.get(READING, math.nan) for one in stored]),
        recorded_val_S=_with(window.val_S, [one.get(VAL_READING, math.nan) for one in stored]),
        events=tuple(events),
        excluded=tuple(excluded),
    )


def _with(read_S: Floats | None, stored: list[float]) -> Floats:
    """What was read here, with what the run has stored in its place where it has."""
    assert read_S is not None
    return np.where(np.isfinite(stored), stored, read_S)


def _events(stored: StoredRun, first: int, last: int, is_exact: bool) -> tuple[list[tuple[int, str]], list[str]]:
    """What the run's journal says of these steps. What an exact replay did not go through cannot have made the jump."""
    found = []
    for entry in stored.journal():
        step = entry.get("step")
        if entry.get("what") == "resumed" and isinstance(step, int) and first <= step <= last:
            found.append((step, "the run was stopped and resumed"))
    if is_exact:
        return [], [
            f"{what} at step {step:,}, but the replay was not and is the same bit for bit" for step, what in found
        ]
    return found, []


def _curvature(source: Source, found: Explanation, until: int) -> tuple[Source, dict[int, float]]:
    """The curvature at some steps around the jump, and the state shortly before it to fork from."""
    fork_at = max(source.step, found.onset_step - QUIET)
    foot = np.linspace(max(source.step, found.onset_step - QUIET // 2), found.onset_step, BEFORE_FOOT)
    down = np.linspace(found.top_step + 1, until, AFTER_TOP)
    wanted = {int(step) for step in [*foot, found.top_step, *down] if source.step <= step <= until}
    stretch, near, curvature = Stretch(source), source, dict[int, float]()
    while True:
        step = stretch.state.step
        if step == fork_at and step > source.step:
            near = source._replace(step=step, blobs=pack(stretch.state))
        if step in wanted:
            curvature[step] = sharpness(stretch)
        if step >= until:
            return near, curvature
        stretch.update()
