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


def start_after_he(network: nn.Module) -> None:
    """Every convolution before a ReLU keeps the size of what passes (He et al. 2015).

    With torch's own start features halve in each stage (deviation 0.36, 0.16, 0.08 in the encoder of
    ``lite``, seed 0). Little is left of the coarse path, so it learns nothing, and whole layers of
    ReLUs go silent: in one training of ``lite``, at some 2500 steps, cutting level 1 changed the
    output by 0.1, level 2 by 0.0001, level 4 by 0.00001. Only stages and residual blocks are touched;
    attention, SAM and the last convolution start as before.
    """
    for name, module in network.named_modules():
        staged = name.startswith(("encoder", "decoder", "joins")) and "adapt" not in name
        if isinstance(module, nn.Conv2d) and staged:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            module.bias.data.zero_()
            if name.endswith("conv2"):
                module.weight.data *= CALM


STARTS = {"torch": lambda network: None, "he": start_after_he}
