"""Hugging Face: `Trainer(callbacks=[GrokkingCallback()])`.

A `Trainer` measures no training accuracy. Give `probe`, some training examples: they are read after each evaluation, at
the same weights. (Or give the trainer `eval_dataset={"train": some, "test": others}`: its `eval_train_accuracy` is
understood as well.) What was read is kept in the trainer's own `log_history`, which is in its checkpoints, so that a
resumed training is judged as one that never stopped, and `latebloom diagnose trainer_state.json` sees the probe too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .extra import needed
from .follower import Stop
from .names import named
from .recorder import Recorder

_hf = needed(("transformers",), "huggingface")

PROBE = "probe_train_accuracy"


class GrokkingCallback(_hf.TrainerCallback):  # type: ignore[name-defined, misc]
    """Follow a training, say what it shows, and stop it if asked to.

    Args:
        log, mapping, say: As for `Recorder`.
        stop: As for `Recorder`; the training ends one step after it holds.
        probe: One batch of training examples as the model takes them, with their `labels`, e.g. the first 512 through
            the collator. Not for models that are spread over processes (FSDP, DeepSpeed ZeRO-3).
        accuracy: From the model's output and the labels to a number; by default the share of labels that the largest
            logit is right about. Labels of -100 do not count.

    Attributes:
        recorder: What is known; on all processes but the first it says and writes nothing.
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        probe: Mapping[str, Any] | None = None,
        accuracy: Callable[[Any, Any], float] | None = None,
        **options: Any,
    ) -> None:
        self.recorder = Recorder(log, mapping=mapping, stop=stop, **options)
        self.probe, self._accuracy = probe, accuracy or share_right

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Recall what was read before the checkpoint that is gone on from."""
        if not state.is_world_process_zero:  # it follows as well, so that all processes stop at the same step
            self.recorder.be_quiet()
        for logs in state.log_history:
            if logs["step"] <= state.global_step:
                self._log(logs["step"], logs)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Take what was logged. An evaluation comes here, and a second time as `on_evaluate`."""
        self._log(state.global_step, logs or {})

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Read the probe beside the evaluation, once, however many sets were evaluated."""
        if self.probe is None or model is None:
            return
        if any(logs["step"] == state.global_step and PROBE in logs for logs in state.log_history[-20:]):
            return
        logs = {PROBE: probed(model, self.probe, self._accuracy), "step": state.global_step}
        state.log_history.append({"epoch": state.epoch, **logs})
        self._log(state.global_step, logs)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """All of the steps before this one has come."""
        if self.recorder.why_stop(before=state.global_step) is not None:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say what the training shows."""
        self.recorder.close()

    def _log(self, step: int, logs: Mapping[str, Any]) -> None:
        if "train_runtime" in logs and "loss" not in logs:
            return  # the sum at the end; its `train_loss` is a mean over the whole training
        given = {name: value for name, value in logs.items() if name not in ("step", "epoch")}
        self.recorder.log(step, named("train", {name: x for name, x in given.items() if isinstance(x, (int, float))}))


def probed(model: Any, probe: Mapping[str, Any], accuracy: Callable[[Any, Any], float]) -> float:
    """The accuracy on a batch, in evaluation mode, which leaves the model as it was."""
    import torch

    device = next(model.parameters()).device
    inputs = {name: value.to(device) if hasattr(value, "to") else value for name, value in probe.items()}
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            return float(accuracy(model(**inputs), inputs["labels"]))
    finally:
        for module, mode in modes.items():
            module.training = mode


def share_right(output: Any, labels: Any) -> float:
    """The share of labels, -100 aside, that the largest logit is right about; next tokens are shifted by the user."""
    logits = output["logits"] if isinstance(output, Mapping) else getattr(output, "logits", output)
    counted = labels != -100
    return float((logits.argmax(-1) == labels)[counted].double().mean())
