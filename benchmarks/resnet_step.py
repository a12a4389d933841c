"""One optimizer step of a ResNet on matrices against torch.nn and a DataLoader as a user writes them.

Also what fetching a batch takes alone, on both sides: the share of a step in which nothing is learned.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from latebloom.engine import prepare, start
from latebloom.engine.step import Step
from latebloom.models import ResNet
from latebloom.spec import build, read_recipe

from .result import write
from .sides import compare, interleaved
from .user import UserResNet, user_batches, user_height_step

NETWORKS = {  # name -> settings of the recipe, rounds
    "64 channels, 5 blocks, batch 32": (
        ["model.channels=64", "model.blocks=5", "model.hidden=256", "batch.size=32"],
        60,
    ),
    "8 channels, 1 block, batch 4,096": ([], 40),
}
PUBLISHED = 1_027_585  # parameters of the first, in the project *Learning the m-height*


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    write("resnet_step", {name: one(settings, rounds) for name, (settings, rounds) in NETWORKS.items()})


def one(settings: list[str], rounds: int) -> dict[str, object]:
    """All sides of one network, milliseconds per step."""
    spec = build(read_recipe("m-height"), settings)
    split = spec.task.split(seed=1)
    step, other = (Step(spec, split, start(spec, split)) for _ in range(2))  # each shuffles for itself
    network, size = spec.model, spec.batch.size
    assert isinstance(network, ResNet) and size is not None
    parameters = sum(p.numel() for p in step.params.values())
    assert network.channels != 64 or parameters == PUBLISHED
    features_ND = torch.from_numpy(split.inputs_NT)[torch.from_numpy(split.train_M)]
    labels_N = torch.from_numpy(split.labels_N)[torch.from_numpy(split.train_M)].float()
    pictures_N1HW, numbers_NC = features_ND[:, :36].reshape(-1, 1, 6, 6).contiguous(), features_ND[:, 36:].contiguous()
    columns = pictures_N1HW, numbers_NC, labels_N

    def fetch(round_: int) -> tuple[Tensor, Tensor]:
        batch_B = other.batches.at(round_ + 1)
        return other.feed(other.place_N[batch_B]), other.labels_N[batch_B]

    def indexed(round_: int) -> list[Tensor]:
        batch_B = step.place_N[step.batches.at(round_ + 1)]
        return [column[batch_B] for column in columns]

    def user(batch_at: Callable[[int], list[Tensor]], *, fused: bool | None) -> Callable[[int], float]:
        theirs = UserResNet(network.channels, network.blocks, network.hidden)
        with torch.no_grad():
            for parameter, same in zip(theirs.parameters(), step.params.values(), strict=True):
                parameter.copy_(same)
        return user_height_step(theirs, batch_at, fused=fused)

    dataset = TensorDataset(*columns)
    times = interleaved(
        {
            "latebloom": lambda _: step.update(),
            "torch.nn and DataLoader as a user writes it": user(user_batches(dataset, size), fused=None),
            "the same, fused AdamW": user(user_batches(dataset, size), fused=True),
            "the same, fused AdamW, tensors indexed": user(indexed, fused=True),
            "fetching alone, latebloom": fetch,
            "fetching alone, DataLoader": user_batches(dataset, size),
        },
        rounds,
    )
    share = sum(times["fetching alone, latebloom"]) / sum(times["latebloom"])  # by sums: new shuffles count too
    return {"parameters": parameters, "share_of_fetching": round(share, 5), **compare(times, "latebloom")}


if __name__ == "__main__":
    main()
