"""a + b mod 23 on 70 % of all pairs: fitted within 50 updates, understood after about 120. A training of seconds."""

import torch
from torch import Tensor, nn

P = 23


class Net(nn.Module):
    """Two linear layers with a square between them."""

    def __init__(self, width: int = 128, dropout: float = 0.0) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(2 * P, width, bias=False), nn.Linear(width, P, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.outer(self.dropout(self.inner(inputs) ** 2))


def sums(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs and labels for training, inputs and labels for validation."""
    a, b = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
    hot = nn.functional.one_hot
    inputs, labels = torch.cat([hot(a.flatten(), P), hot(b.flatten(), P)], 1).float(), (a + b).flatten() % P
    mixed = torch.randperm(P * P, generator=torch.Generator().manual_seed(seed))
    train, val = mixed.split([370, P * P - 370])
    return inputs[train], labels[train], inputs[val], labels[val]


def net(seed: int = 0, dropout: float = 0.0) -> Net:
    torch.manual_seed(seed)
    return Net(dropout=dropout)


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=2.0)


def share(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(-1) == labels).double().mean()
