"""The optimizer against torch's own, against the singular value decomposition, and against its own past."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from charlstm.training import optimizer, planning
from charlstm.training.optimizer import Optimizer, orthogonalised


def matrices(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    """Three random matrices whose singular values spread over a factor of ten thousand."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(-4, 0, columns)
    return torch.randn(3, rows, columns, generator=generator) * scales


@pytest.mark.parametrize("shape", [(32, 8), (8, 32), (16, 16)])
def test_singular_values_come_near_to_one(shape: tuple[int, int]) -> None:
    given = matrices(*shape)
    before = torch.linalg.svdvals(given) / torch.linalg.matrix_norm(given)[:, None]
    after = torch.linalg.svdvals(orthogonalised(given))
    assert (before > 0.011).sum() > 10
    assert after[before > 0.011].min() > 0.7
    assert after.max() < 1.3


@pytest.mark.parametrize("shape", [(32, 8), (8, 32)])
def test_the_singular_vectors_stay(shape: tuple[int, int]) -> None:
    """Against the decomposition in float64: U' X V is diagonal and positive where X has the vectors of U and V."""
    given = matrices(*shape)
    left, _, right = torch.linalg.svd(given.double(), full_matrices=False)
    kept = left.mT @ orthogonalised(given).double() @ right.mT
    assert torch.allclose(kept, torch.diag_embed(kept.diagonal(dim1=-2, dim2=-1)), atol=1e-3)
    assert (kept.diagonal(dim1=-2, dim2=-1) > 0).all()


def test_the_plan_counts_with_as_many_iterations() -> None:
    assert len(optimizer.COEFFICIENTS) == planning.ITERATIONS


def network() -> nn.ModuleDict:
    """Parameters with the names that a TorchNetwork gives them."""
    torch.manual_seed(0)
    return nn.ModuleDict(
        {"embedding": nn.Embedding(5, 4), "layers": nn.ModuleList([nn.LSTM(4, 6)]), "head": nn.Linear(6, 5)}
    )


def give_gradients(module: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_the_layers_matrices_move_as_torchs_muon_moves_them_and_the_rest_as_its_adamw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    coefficients = (3.4445, -4.7750, 2.0315)  # torch's can do with the same ones in each iteration only
    monkeypatch.setattr(optimizer, "COEFFICIENTS", (coefficients,) * 3)
    ours, theirs = network(), network()
    optimizer_ = Optimizer(ours.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99), precision=torch.bfloat16)
    inner = [p for name, p in theirs.named_parameters() if name.startswith("layers.") and p.dim() == 2]
    others = [p for p in theirs.parameters() if not any(p is q for q in inner)]
    muon = torch.optim.Muon(
        inner, lr=0.01, weight_decay=0.1, momentum=optimizer.MOMENTUM, ns_steps=3,
        ns_coefficients=coefficients, adjust_lr_fn="match_rms_adamw",
    )  # fmt: skip
    adam = torch.optim.AdamW(
        [
            {"params": [p for p in others if p.dim() == 2], "weight_decay": 0.1},
            {"params": [p for p in others if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=0.01,
        betas=(0.9, 0.99),
    )
    for step in range(5):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer_.step(0.01)
        muon.step()  # type: ignore[no-untyped-call]
        adam.step()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        tolerance = 2e-3 if name.startswith("layers.") and mine.dim() == 2 else 1e-6  # bfloat16 inside
        torch.testing.assert_close(mine, other, rtol=0, atol=tolerance)


def test_an_update_of_a_matrix_is_about_as_large_as_adamws() -> None:
    module = nn.ModuleDict({"layers": nn.ModuleList([nn.LSTM(64, 64)])})
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    steps = Optimizer(module.named_parameters(), weight_decay=0.0, betas=(0.9, 0.99))
    give_gradients(module, 0)
    steps.step(1.0)
    changed = dict(module.named_parameters())["layers.0.weight_hh_l0"] - before["layers.0.weight_hh_l0"]
    assert 0.1 < float(changed.detach().square().mean().sqrt()) < 0.3


def test_restored_moments_go_on_as_if_never_left() -> None:
    whole, cut = network(), network()
    going = Optimizer(whole.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    first = Optimizer(cut.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    second = Optimizer(cut.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    for step in range(6):
        if step == 3:
            second.restore({name: tensor.clone() for name, tensor in first.state().items()})
        give_gradients(whole, step)
        give_gradients(cut, step)
        going.step(0.01)
        (first if step < 3 else second).step(0.01)
    for mine, other in zip(cut.parameters(), whole.parameters(), strict=True):
        np.testing.assert_array_equal(mine.detach().numpy(), other.detach().numpy())


def test_moments_that_are_forgotten_have_no_effect() -> None:
    used, fresh = network(), network()
    forgetful = Optimizer(used.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    give_gradients(used, 0)
    forgetful.step(0.01)
    forgetful.forget()
    used.load_state_dict(fresh.state_dict())
    new = Optimizer(fresh.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    for module, steps in ((used, forgetful), (fresh, new)):
        give_gradients(module, 1)
        steps.step(0.01)
    for mine, other in zip(used.parameters(), fresh.parameters(), strict=True):
        np.testing.assert_array_equal(mine.detach().numpy(), other.detach().numpy())


def test_gradients_are_forgotten_after_a_step() -> None:
    module = network()
    steps = Optimizer(module.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99))
    give_gradients(module, 0)
    steps.step(0.01)
    assert all(parameter.grad is None for parameter in module.parameters())
