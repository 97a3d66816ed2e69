"""How the weights start, so that every level has a voice from the first step on.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> _ = torch.manual_seed(0)
>>> sizes = {}
>>> for start in ("torch", "he"):
...     model = DCAMSR(image_size=64, start=start)
...     sizes[start] = model.decoder.deep(model.decoder.down(torch.randn(1, 32, 16, 16))).std()
>>> bool(sizes["he"] > 5 * sizes["torch"])
True
"""

from torch import nn

CALM = 0.1  # a residual block starts near the identity


def he(network: nn.Module) -> None:
    """Every convolution before a ReLU keeps the size of what passes (He et al. 2015).

    torch's own start makes features about 2.5 times smaller in each convolution with its ReLU. Down
    the coarse path and up again little is left: the coarse levels then change the output by a
    thousandth of what the finest does, learn nothing, and whole layers of ReLUs go silent. Only
    stages and residual blocks are touched; attention, SAM and the last convolution start as before.
    """
    for name, module in network.named_modules():
        staged = name.startswith(("encoder", "decoder", "joins")) and "adapt" not in name
        if isinstance(module, nn.Conv2d) and staged:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
            if name.endswith("conv2"):
                module.weight.data *= CALM


STARTS = {"torch": lambda network: None, "he": he}
