"""How a step changes the parameters: Muon for the matrices inside the layers, AdamW for everything else.

Knows parameters and gradients; knows nothing of networks, texts or budgets.

Muon (Jordan et al. 2024) takes the direction of a matrix's momentum and makes its singular values about equal, so that
rare directions are learned as fast as common ones. With G the gradient and k Newton-Schulz iterations N:

    M <- mu M + (1 - mu) G          U = N^k(mu M + (1 - mu) G)          W <- (1 - rate decay) W - rate scale U

The scale makes an entry of the update about as large as AdamW's (0.2 in the root mean square: Liu et al. 2025), so one
learning rate serves both. AdamW is that of Loshchilov and Hutter (2019). Matrices decay, vectors do not.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from .workers import ALONE, Workers

MOMENTUM = 0.95
UPDATE_SIZE = 0.2
"""Root mean square of an entry of AdamW's update, about, in units of the rate."""
COEFFICIENTS = ((8.0934, -23.6205, 17.4462), (3.6366, -2.7219, 0.5365), (2.6613, -1.9772, 0.4526))
"""a, b and c of each iteration: the first polynomial is nearest to 1 on [0.01, 1] (in the largest error), the next one
on what the first makes of that interval, and so on (the construction of Amsel et al. 2025). With these, three
iterations do what took five."""


def orthogonalised(matrices: Tensor) -> Tensor:
    """Bring the singular values of each (rows, columns) matrix of a stack (N, rows, columns) near to 1.

    Those above a hundredth of the matrix's Frobenius norm end between 0.73 and 1.27 (in float32). Newton-Schulz
    iterations X <- X P with P = a I + b A + c A A and A = X' X apply a x + b x^3 + c x^5 to each singular value x.
    All P are polynomials of the first A, so that the large X is read twice only: A becomes P A P, and X is
    multiplied by the product of all P at the end.
    """
    wide = matrices.shape[-2] < matrices.shape[-1]
    tall: Tensor = matrices.mT if wide else matrices
    tall = tall / (torch.linalg.matrix_norm(tall, keepdim=True) + 1e-7)
    gram = tall.mT @ tall
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    factor = product = identity
    for a, b, c in COEFFICIENTS:
        if factor is not identity:
            gram = factor @ gram @ factor
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c) + a * identity
        product = factor if product is identity else product @ factor
    tall = tall @ product
    return tall.mT if wide else tall


class Optimizer:
    """Changes parameters by their gradients.

    Args:
        parameters: names and parameters; matrices whose name starts with "layers." are given to Muon.
        weight_decay: decoupled, for matrices.
        betas: of AdamW.
        precision: the number format of the Newton-Schulz products.
        workers: threads that share the matrices.
        parts: into so many stacks the matrices of one shape are divided, whoever computes them.
    """

    def __init__(
        self,
        parameters: Iterable[tuple[str, nn.Parameter]],
        *,
        weight_decay: float,
        betas: tuple[float, float],
        precision: torch.dtype = torch.float32,
        workers: Workers = ALONE,
        parts: int = 1,
    ) -> None:
        self.weight_decay, self.betas, self.precision = weight_decay, betas, precision
        self._workers, self._parts = workers, parts
        named = dict(parameters)
        self._inner = {name: p for name, p in named.items() if p.dim() == 2 and name.startswith("layers.")}
        self._momentum = {name: torch.zeros_like(p) for name, p in self._inner.items()}
        self._others = {name: p for name, p in named.items() if name not in self._inner}
        # torch's function and not its class, which imports torch's compiler: a second of every run's start.
        self._steps = {name: torch.zeros(1, device=p.device) for name, p in self._others.items()}
        self._means = {name: torch.zeros_like(p) for name, p in self._others.items()}
        self._squares = {name: torch.zeros_like(p) for name, p in self._others.items()}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change all parameters at that learning rate, and forget the gradients."""
        self._adamw(rate, [name for name, p in self._others.items() if p.dim() == 2], self.weight_decay)
        self._adamw(rate, [name for name, p in self._others.items() if p.dim() != 2], 0.0)
        self._muon(rate)
        for parameter in (*self._others.values(), *self._inner.values()):
            parameter.grad = None

    def _adamw(self, rate: float, names: list[str], weight_decay: float) -> None:
        adamw(
            [self._others[name] for name in names],
            [gradient_of(self._others[name]) for name in names],
            [self._means[name] for name in names],
            [self._squares[name] for name in names],
            [],
            [self._steps[name] for name in names],
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=rate,
            weight_decay=weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def _muon(self, rate: float) -> None:
        shapes: dict[tuple[int, ...], list[str]] = {}
        for name, parameter in self._inner.items():
            shapes.setdefault(tuple(parameter.shape), []).append(name)
        # Matrices of one shape as a stack: fewer, larger products.
        stacks = [names[part :: self._parts] for names in shapes.values() for part in range(self._parts)]
        self._workers.map(lambda names: self._muon_of(names, rate), sorted(filter(None, stacks), key=len, reverse=True))

    def _muon_of(self, names: list[str], rate: float) -> None:
        """Change matrices of one shape."""
        directions = torch.stack([self._direction(name) for name in names]).to(self.precision)
        updates = orthogonalised(directions).float()
        size = UPDATE_SIZE * math.sqrt(max(updates.shape[1:]))
        for name, update in zip(names, updates, strict=True):
            self._inner[name].mul_(1 - rate * self.weight_decay).add_(update, alpha=-rate * size)

    def _direction(self, name: str) -> Tensor:
        """The momentum with the gradient taken in, and the gradient once more (Nesterov)."""
        gradient = gradient_of(self._inner[name])
        self._momentum[name].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(self._momentum[name], MOMENTUM)

    def state(self) -> dict[str, Tensor]:
        """What it remembers of earlier gradients, by name; the tensors themselves, not copies."""
        groups = {"momentum": self._momentum, "step": self._steps, "exp_avg": self._means, "exp_avg_sq": self._squares}
        return {f"{group}.{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])

    def forget(self) -> None:
        """Start anew."""
        for tensor in self.state().values():
            tensor.zero_()


def add_gradients(parameters: Sequence[nn.Parameter], of_parts: Sequence[Sequence[Tensor]]) -> None:
    """Give each parameter the sum of its gradients, in the order of the parts."""
    for parameter, *gradients in zip(parameters, *of_parts, strict=True):
        parameter.grad = functools.reduce(torch.add, gradients)


def gradient_of(parameter: nn.Parameter) -> Tensor:
    """A parameter's gradient, once there is one."""
    assert parameter.grad is not None
    return parameter.grad
