"""In which settings the arms of an experiment differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .outcome import Outcome, Scalar

CHANGES_NO_BIT = ("name", "seed", "checkpoints", "measures", "wall_time_limit_s")  # seeds are compared one by one
HOW_WATCHED = ("steps", "evaluation", "stopping", "detector")  # how long and by what a run was judged
SUSTAINED = ("detector.window_evaluations", "detector.share")
MEMORIZED = ("detector.memorized_at", "detector.train_reading")
GENERALIZED = ("detector.generalized_at", "detector.val_reading")

Differs = dict[str, dict[str, Scalar | None]]
"""Of each setting in which arms differ, its value by arm; None where it has none, `1, 0.1` where runs of one differ."""


def differs(arms: Mapping[str, Sequence[Outcome]]) -> Differs:
    """Every setting in which two runs of the experiment differ. Arms whose settings are not known are left out.

    A run of an earlier version lacks settings that came later, whose default is off: lacking one and having it at 0
    say the same. But no seed is none, and 0 is one.
    """
    known = {arm: [one.settings for one in runs] for arm, runs in arms.items() if all(one.settings for one in runs)}
    keys = dict.fromkeys(key for runs in known.values() for settings in runs for key in settings)
    found: Differs = {}
    for key in sorted(key for key in keys if key.split(".")[0] not in CHANGES_NO_BIT):
        lacking = any(key not in settings for runs in known.values() for settings in runs) and not key.endswith("seed")
        values = {
            arm: dict.fromkeys((settings.get(key) or None) if lacking else settings.get(key) for settings in runs)
            for arm, runs in known.items()
        }
        if len({value for of_arm in values.values() for value in of_arm}) > 1:
            found[key] = {
                arm: next(iter(of_arm)) if len(of_arm) == 1 else ", ".join(map(str, of_arm))
                for arm, of_arm in values.items()
            }
    return found


def changed(differing: Differs, arm: str, baseline: str) -> list[str]:
    """The settings in which one arm differs from another."""
    return [key for key, values in differing.items() if values.get(arm) != values.get(baseline)]


def why_other_event(event: str, differing: Differs, arm: Sequence[Outcome], baseline: Sequence[Outcome]) -> str | None:
    """Why the same word means another event in some run of the two arms; None if it means the same in all."""
    name, other = arm[0].arm, baseline[0].arm
    for key in (*SUSTAINED, *(MEMORIZED if event == "memorized" else GENERALIZED)):
        values = differing.get(key, {})
        meant = {one.settings.get(key) for one in (*arm, *baseline)}
        if name in values and other in values and len(meant) > 1:
            return f"the event is not the same, {key} is {values[name]} in {name} and {values[other]} in {other}"
    return None
