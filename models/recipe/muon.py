"""Muon (Jordan et al., 2024): momentum whose matrices are made orthogonal before they are applied. Parameters may be stacks of matrices."""
import torch


def orthogonalize(gradient, steps):
    """Newton-Schulz iteration towards the nearest orthogonal matrix."""
    x = gradient / (gradient.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    for _ in range(steps):
        a = x @ x.mT
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=.95, decay=.01, steps=5, dtype=torch.float32):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, decay=decay, steps=steps, dtype=dtype))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalize(parameter.grad.lerp(momentum, group["momentum"]).to(group["dtype"]), group["steps"])
                parameter.mul_(1 - group["lr"] * group["decay"])
                parameter.add_(update, alpha=-group["lr"] * max(1, update.shape[-2] / update.shape[-1]) ** .5)
