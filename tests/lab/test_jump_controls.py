"""Loops in which exactly one explanation of the jump is true, because it is built in: it must be what survives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from latebloom.analysis.jump import Explanation, Groups, Window, explain
from latebloom.base.errors import DataError, SpecError
from latebloom.lab.jump import Recorder, record

AT, STEPS, RATE, BATCH = 120, 180, 0.01, 20


class Loop:
    """Linear regression by SGD on 200 examples in 20 groups, quiet by step 60. What happens at step 120 is added."""

    def __init__(self, examples: int = 200, groups: int = 20) -> None:
        self.draw = torch.Generator().manual_seed(0)
        self.x_MD = torch.randn(examples, 20, generator=self.draw, dtype=torch.float64)
        self.truth_D = torch.randn(20, generator=self.draw, dtype=torch.float64)
        self.y_M = self.x_MD @ self.truth_D + torch.randn(examples, generator=self.draw, dtype=torch.float64)
        self.group_M = torch.arange(examples) % groups
        self.val_V = torch.arange(0, examples, 2)
        self.w_D = torch.zeros(20, dtype=torch.float64)
        self.recorder = Recorder(
            {"first": torch.ones(1, 1, dtype=torch.float64), "w": self.w_D},
            self.losses,
            lambda: self.losses()[self.val_V],
            last="w",
        )

    def losses(self) -> torch.Tensor:
        return (self.x_MD @ self.w_D - self.y_M).square()

    def batch(self, step: int) -> torch.Tensor:
        return torch.randint(len(self.y_M), (BATCH,), generator=self.draw)

    def update(self, step: int) -> float:
        chosen_B = self.batch(step)
        left_B = self.x_MD[chosen_B] @ self.w_D - self.y_M[chosen_B]
        self.w_D -= RATE * 2 * self.x_MD[chosen_B].T @ left_B / BATCH
        return float(left_B.square().mean())

    def window(self, **given: Any) -> Window:
        self.recorder.read(0)
        for step in range(1, STEPS + 1):
            batch_loss = self.update(step)
            self.recorder.read(step, batch_loss, RATE)
        names = tuple(str(i) for i in range(int(self.group_M.max()) + 1))
        parted = Groups(names, self.group_M.numpy(), self.group_M[self.val_V].numpy())
        calm: dict[str, Any] = {"sharpness": {AT - 5: 0.1, STEPS: 0.1}, "sharpness_unit": "that of SGD"}
        return self.recorder.window(groups={"group": parted}, batches_per_pass=10, **{**calm, **given})


def explained(window: Window) -> Explanation:
    return explain(window, AT - 5, STEPS)


def survivors(found: Explanation) -> str:
    return "".join(finding.letter for finding in found.surviving)


class AverageOnly(Loop):
    """From step 120 on a quarter of the inputs is dropped for the loss that is reported, not for the updates."""

    def update(self, step: int) -> float:
        reported = super().update(step)
        if step < AT:
            return reported
        chosen_B = self.batch(step)
        kept_BD = torch.rand(BATCH, 20, generator=self.draw) > 0.25
        return float(((self.x_MD[chosen_B] * kept_BD) @ self.w_D - self.y_M[chosen_B]).square().mean())


class Kick(Loop):
    """One update of the length of the weights, in a direction that has nothing to do with them."""

    def update(self, step: int) -> float:
        reported = super().update(step)
        if step == AT:
            kick_D = torch.randn(20, generator=self.draw, dtype=torch.float64)
            kick_D -= self.w_D * (kick_D @ self.w_D) / (self.w_D @ self.w_D)
            self.w_D += kick_D / kick_D.norm() * self.w_D.norm()
        return reported


class Shrinks(Loop):
    """Steps of equal length: at random, but for those from 120 to 160, which all go towards zero."""

    def __init__(self) -> None:
        super().__init__()
        self.w_D += self.truth_D

    def update(self, step: int) -> float:
        way_D = -self.w_D if AT < step < 160 else torch.randn(20, generator=self.draw, dtype=torch.float64)
        self.w_D += 0.02 * way_D / way_D.norm()
        return float("nan")


class Cliff(Loop):
    """Five examples of one group cost 400 more from step 120 on, with no gradient; all others go on."""

    past = False

    def losses(self) -> torch.Tensor:
        extra_M = torch.zeros(len(self.y_M), dtype=torch.float64)
        extra_M[(self.group_M == 3).nonzero()[:5, 0]] = 400.0 * self.past
        return super().losses() + extra_M

    def update(self, step: int) -> float:
        self.past = step >= AT
        return super().update(step)


class OtherTargets(Loop):
    """All targets change their sign after update 120."""

    def update(self, step: int) -> float:
        reported = super().update(step)
        if step == AT:
            self.y_M = -self.y_M
        return reported


CHANGED = ((AT, "targets change their sign"),)


@pytest.mark.parametrize(
    ("loop", "given", "letter"),
    [
        (AverageOnly, {}, "a"),
        (Kick, {}, "b"),
        (Shrinks, {}, "d"),
        (Cliff, {}, "e"),
        (OtherTargets, {"events": CHANGED}, "g"),
    ],
)
def test_the_explanation_that_is_built_in_survives_and_the_others_are_refuted(
    loop: Callable[[], Loop], given: dict[str, Any], letter: str
) -> None:
    window = loop().window(**given)
    if loop is AverageOnly:
        window = window._replace(reading="running mean", recorded_S=window.running_S)
    found = explained(window)
    assert survivors(found) == letter
    assert {finding.verdict for finding in found.findings if finding.letter != letter} == {"refuted"}
    assert AT - 3 <= found.onset_step <= found.top_step and found.top > found.before


def test_a_change_that_nobody_declared_leaves_nothing_that_survives() -> None:
    """Control: the same loop as above, without its event."""
    assert survivors(explained(OtherTargets().window())) == ""


def test_a_change_long_before_the_jump_does_not_explain_it() -> None:
    assert survivors(explained(OtherTargets().window(events=((30, "batch size"),)))) == ""


def test_a_change_of_the_learning_rate_is_seen_without_being_declared() -> None:
    window = OtherTargets().window()
    rate_S = window.rate_S.copy()
    rate_S[AT:] *= 3
    found = explained(window._replace(rate_S=rate_S))
    assert "g" in survivors(found) and "learning rate 0.01 to 0.03 at step 120" in found.findings[-1].because


@pytest.mark.parametrize(("before", "after", "survives"), [(1.3, 0.4, True), (0.7, 0.4, False), (1.3, 1.5, False)])
def test_curvature_must_be_beyond_the_threshold_before_and_lower_after(
    before: float, after: float, survives: bool
) -> None:
    found = explained(Kick().window(sharpness={AT - 5: before, STEPS: after}))
    assert ("c" in survivors(found)) == survives


class OneSided(Loop):
    """Two halves with opposite truths; from step 120 on only the first is trained on."""

    def __init__(self, share_of_first: float) -> None:
        super().__init__(groups=2)
        self.y_M = torch.where(self.group_M == 0, 1.0, -1.0) * (self.x_MD @ self.truth_D)
        first, second = (self.group_M == 0).nonzero()[:, 0], (self.group_M == 1).nonzero()[:, 0]
        count = round(100 * share_of_first)
        self.val_V = torch.cat([first[:count], second[: 100 - count]])

    def batch(self, step: int) -> torch.Tensor:
        drawn_B = super().batch(step)
        return drawn_B - drawn_B % 2 if step > AT else drawn_B


def _val_change(found: Explanation) -> float:
    assert found.val_top is not None and found.val_before is not None
    return found.val_top - found.val_before


def test_a_validation_set_of_other_proportions_is_found_out() -> None:
    unequal, equal = (explained(OneSided(share).window()) for share in (0.9, 0.5))
    assert _val_change(unequal) < 0 and "f" in survivors(unequal)
    assert _val_change(equal) > 0 and "f" not in survivors(equal)


def test_what_was_not_read_is_not_refuted() -> None:
    window = Kick().window(sharpness={}, sharpness_unit="no threshold is known")
    found = explained(window._replace(val_losses_SV=None))
    untested = {finding.letter: finding.because for finding in found.findings if finding.verdict == "not testable here"}
    assert untested == {"c": "no threshold is known", "f": "no validation loss was read"}


def test_the_unit_of_the_loss_changes_no_verdict() -> None:
    window = Cliff().window()
    assert window.val_losses_SV is not None
    other = window._replace(
        losses_SM=window.losses_SM * np.float32(1e-4),
        val_losses_SV=window.val_losses_SV * np.float32(1e-4),
        recorded_S=window.recorded_S * 1e-4,
    )
    assert [f.verdict for f in explained(window).findings] == [f.verdict for f in explained(other).findings]


def test_where_nothing_rises_there_is_nothing_to_explain() -> None:
    window = Loop().window()
    falling = window._replace(recorded_S=np.linspace(2, 1, len(window.steps_S)))
    with pytest.raises(DataError, match="does not rise from step 0 to 180"):
        explain(falling)


def test_the_running_mean_is_over_one_pass() -> None:
    window = Loop().window()
    assert np.isnan(window.running_S[0])
    assert window.running_S[50] == pytest.approx(window.batch_S[41:51].mean())


def test_an_explanation_survives_json() -> None:
    import json

    found = explained(Kick().window())
    again = Explanation.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again.to_json() == found.to_json()
    with pytest.raises(DataError, match="no explanation of a jump"):
        Explanation.from_json({"schema": 1})


def test_more_single_losses_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST_NUMBERS", 1000)
    with pytest.raises(SpecError, match="Save checkpoints more often"):
        Loop().window()
