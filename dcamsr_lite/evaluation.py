"""Run a method on a pair of volumes and say how good it is, with the convention beside the number.

>>> import numpy as np
>>> import dcamsr_lite as dl
>>> head = np.random.default_rng(0).random((1, 32, 32), np.float32)
>>> pair = dl.load_pair(head, head, scale=4)
>>> dl.super_resolve(dl.DCAMSR(scale=4, image_size=32), pair).shape
torch.Size([1, 32, 32])
"""

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .data.pairs import Pair, load_pair
from .errors import InputError
from .kspace import center_crop
from .metrics import CONVENTION, score
from .network.super_resolver import SuperResolver


def bicubic(pair: Pair) -> Tensor:
    """Bicubic interpolation of the low-resolution magnitude image, on the target's scale.

    >>> bicubic(load_pair(torch.rand(1, 32, 30), torch.rand(1, 32, 30), scale=4)).shape
    torch.Size([1, 32, 30])

    The crop of k-space keeps pixel 0 of both grids in one place, so the samples are interpolated
    there; the usual half-pixel convention would shift the image by (scale - 1) / 2 pixels.
    """
    padded = [side * pair.scale for side in pair.low.shape[-2:]]
    low = F.pad(pair.low[:, None], (0, 1, 0, 1), mode="replicate")
    up = F.interpolate(low, [side + 1 for side in padded], mode="bicubic", align_corners=True)
    return center_crop(up[:, 0, :-1, :-1], pair.shape)


# What a network has to beat: a pair -> a volume in the target's units.
METHODS: dict[str, Callable[[Pair], Tensor]] = {
    "zero-fill": lambda pair: pair.zero_filled,  # the cropped k-space, padded with zeros
    "bicubic": bicubic,
}


@torch.no_grad()  # tensors of inference mode could not be changed in place by whom they are for
def super_resolve(model: SuperResolver, pair: Pair, batch: int = 1) -> Tensor:
    """The super-resolved volume (slice, row, column) in the target's own units.

    Runs on the model's device, ``batch`` slices at a time. Raises InputError when the pair's scale
    is not the model's, or the model is fixed to another matrix. Not for clinical use.
    """
    check_scale(model, pair.scale)
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        slices = zip(pair.lr.split(batch), pair.ref.split(batch), strict=True)
        sr = [model(lr.to(device), ref.to(device)).cpu() for lr, ref in slices]
    except ValueError as error:  # such as a token projection that is fixed to another grid
        raise InputError("model and pair", str(error), "two that fit each other") from error
    finally:
        model.train(training)
    return pair.restore(torch.cat(sr))


def check_scale(model: SuperResolver, scale: int) -> None:
    """Raise InputError unless the model was trained for this scale."""
    if model.config.scale != scale:
        trained = model.config.scale
        raise InputError("weights", f"a network for {trained}x", f"one for the asked {scale}x")


def warn_if_far(model: SuperResolver, pair: Pair) -> None:
    """A line on stderr when matrix or field of view are far from the training ones."""
    trained, shape = model.config.image_size, pair.shape
    if max(abs(a / b - 1) for a, b in zip(shape, trained, strict=True)) > 0.25:
        print(
            f"warning: the matrix is {shape[0]} x {shape[1]}, the network was trained at"
            f" {trained[0]} x {trained[1]}: expect a lower quality",
            file=sys.stderr,
        )
    view = pair.field_of_view
    if view and max(abs(side / 240 - 1) for side in view) > 0.25:
        print(
            f"warning: the field of view is {view[0]:.0f} x {view[1]:.0f} mm, the network was"
            " trained at 240 x 240 mm: expect a lower quality",
            file=sys.stderr,
        )


def evaluate(pairs, scale: int, method: str = "dcamsr", model: SuperResolver | None = None) -> dict:
    """Score one method on (reference, target) volumes or Pairs.

    >>> import numpy as np
    >>> head = np.random.default_rng(0).random((1, 32, 32), np.float32)
    >>> evaluate([(head, head)], scale=4, method="zero-fill")["volumes"]
    1

    Returns method, variant, scale, volumes, psnr, ssim, nmse (means over volumes), per_volume,
    convention. ``method`` is "dcamsr", with a ``model`` of any kind, whose method and variant (only
    DCAMSR has one) are returned; or a name in METHODS. Raises InputError, also for a pair
    of another scale or without a target.
    """
    if method != "dcamsr" and method not in METHODS:
        raise InputError("method", repr(method), f"dcamsr or one of {[*METHODS]}")
    if method == "dcamsr" and model is None:
        raise InputError("method dcamsr", "no model", "one, for example load('lite-4x')")
    per_volume = []
    for item in pairs:
        pair = item if isinstance(item, Pair) else load_pair(*item, scale)
        if pair.scale != scale:
            raise InputError("pair", f"one for {pair.scale}x", f"one for the asked {scale}x")
        if pair.target_image is None:
            raise InputError("pair", "no target", "a pair with one, from load_pair")
        image = super_resolve(model, pair) if method == "dcamsr" else METHODS[method](pair)
        names = {"reference": pair.reference_path, "target": pair.target_path}
        per_volume.append(names | score(pair.target_image, image, scale))
    if not per_volume:
        raise InputError("pairs", "none", "one or more")
    means = {m: sum(v[m] for v in per_volume) / len(per_volume) for m in ("psnr", "ssim", "nmse")}
    variant = None
    if method == "dcamsr":
        method = model.config.method
        variant = model.config.variant if method == "dcamsr" else None
    head = {"method": method, "variant": variant, "scale": scale, "volumes": len(per_volume)}
    return head | means | {"per_volume": per_volume, "convention": CONVENTION}
