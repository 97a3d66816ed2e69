"""Run a method on a pair of volumes and say how good it is, with the convention beside the number.

>>> import numpy as np
>>> import dcamsr_lite as dl
>>> head = np.random.default_rng(0).random((1, 32, 32), np.float32)
>>> pair = dl.load_pair(head, head, scale=4)
>>> dl.super_resolve(dl.DCAMSR(scale=4, image_size=32), pair).shape
torch.Size([1, 32, 32])
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .data.low_resolution import sample_low
from .data.normalisation import NORMALISATIONS
from .data.pairs import SCALES, Pair, Source, load_pair
from .errors import InputError, check_whole
from .kspace import center_crop
from .metrics import CONVENTION, check_finite, score
from .network.model import DCAMSR
from .network.super_resolver import SuperResolver, unwrap

Network = Callable[[Tensor, Tensor], Tensor]  # f(lr, ref) -> sr, of normalised images
Pairs = Pair | Sequence | Iterable  # of Pairs, or of rows (reference, target[, subject])


def bicubic(pair: Pair) -> Tensor:
    """Bicubic interpolation of the low-resolution magnitude image, on the target's scale.

    >>> bicubic(load_pair(torch.rand(1, 32, 30), torch.rand(1, 32, 30), scale=4)).shape
    torch.Size([1, 32, 30])

    The crop of k-space keeps pixel 0 of both grids in one place, so the samples are interpolated
    there; the usual half-pixel convention would shift the image by (scale - 1) / 2 pixels.
    """
    grid = (pair.ref.shape[-2], pair.ref.shape[-1])
    low = sample_low(pair.low, pair.zero_filled, grid, pair.scale)
    low = F.pad(low[:, None], (0, 1, 0, 1), mode="replicate")
    up = F.interpolate(low, [side + 1 for side in grid], mode="bicubic", align_corners=True)
    return center_crop(up[:, 0, :-1, :-1], pair.shape)


# What a network has to beat: a pair -> a volume in the target's units.
METHODS: dict[str, Callable[[Pair], Tensor]] = {
    "zero-fill": lambda pair: pair.zero_filled,  # the cropped k-space, padded with zeros
    "bicubic": bicubic,
}


@contextmanager
def evaluating(model: Network) -> Iterator[None]:
    """A module is in eval mode while the block runs, and in its own mode again afterwards.

    >>> layer = torch.nn.Dropout()
    >>> with evaluating(layer):
    ...     layer.training
    False
    >>> layer.training
    True
    """
    modules = model.modules() if isinstance(model, nn.Module) else ()
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:  # one that its owner keeps in eval mode stays in it
            module.training = True


def super_resolve(model: Network, pair: Pair, batch: int = 1) -> Tensor:
    """The super-resolved volume (slice, row, column) in the target's own units.

    >>> pair = load_pair(torch.rand(2, 30, 32), torch.rand(2, 30, 32), scale=4)
    >>> super_resolve(lambda lr, ref: ref, pair).shape
    torch.Size([2, 30, 32])

    ``model`` is a network or any function ``f(lr, ref) -> sr`` of normalised images, (b, 1, H/s,
    W/s) and (b, 1, H, W) -> (b, 1, H, W). A module runs on its own device and in its own precision,
    ``batch`` slices at a time; a pair of another normalisation than the network was trained with is
    said on stderr. Raises InputError when the pair's scale is not the model's, the model
    is fixed to another matrix, or its output has another shape. Not for clinical use.
    """
    check_pair(pair, model)
    return run_network(model, pair, batch)


@torch.no_grad()  # tensors of inference mode could not be changed in place by whom they are for
def run_network(model: Network, pair: Pair, batch: int = 1) -> Tensor:
    """``super_resolve`` for those who run a pair many times: nothing is said on stderr.

    >>> pair = load_pair(torch.rand(2, 30, 32), torch.rand(2, 30, 32), scale=4)
    >>> run_network(lambda lr, ref: ref, pair).shape
    torch.Size([2, 30, 32])
    """
    check_scale(model, pair.scale)
    own = next(model.parameters(), pair.lr) if isinstance(model, nn.Module) else pair.lr
    slices = zip(pair.lr.split(batch), pair.ref.split(batch), strict=True)
    sr = []
    try:
        with evaluating(model):
            for lr, ref in slices:
                # copies: a function may work in place, on what it gets or on what it gave
                images = (x.to(own, copy=True) for x in (lr, ref))
                sr.append(check_output(model(*images), ref).to("cpu", copy=True))
    except InputError:
        raise
    except ValueError as error:  # such as a token projection that is fixed to another grid
        raise InputError("model and pair", str(error), "two that fit each other") from error
    return pair.restore(torch.cat(sr))


def check_output(sr: Tensor, ref: Tensor) -> Tensor:
    """What a network gave. Raises InputError unless it is an image of the reference's shape.

    >>> check_output(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: f: found an output (1, 1, 8, 8); expected one of (1, 1, 32, 32)
    """
    if not isinstance(sr, Tensor) or sr.shape != ref.shape:
        found = tuple(sr.shape) if isinstance(sr, Tensor) else type(sr).__name__
        raise InputError("f", f"an output {found}", f"one of {tuple(ref.shape)}")
    return sr


def check_scale(model: Network, scale: int) -> None:
    """Raise InputError if the model was trained for another scale; a function of yours may be for any.

    >>> from dcamsr_lite import DCAMSR
    >>> check_scale(DCAMSR(scale=4, image_size=32), 2)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: weights: found a network for 4x; expected one for the asked 2x
    """
    if not callable(model):
        raise InputError(
            "model", type(model).__name__, "a function f(lr, ref) -> sr, as a network is"
        )
    inner = unwrap(model)
    trained = inner.config.scale if isinstance(inner, SuperResolver) else scale
    if trained != scale:
        raise InputError("weights", f"a network for {trained}x", f"one for the asked {scale}x")


def check_pair(pair: Pair, *models: Network) -> None:
    """``check_scale``, and a line on stderr if a network was trained with another normalisation.

    >>> from contextlib import redirect_stderr
    >>> pair = load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), 4, normalisation="released")
    >>> model = DCAMSR(scale=4, image_size=32)  # nothing is known of one that was just built
    >>> model.normalisation = "clean"
    >>> with redirect_stderr(sys.stdout):
    ...     check_pair(pair, model)
    warning: the network was trained with clean normalisation, the pair has the released one: ...
    """
    for model in models:
        check_scale(model, pair.scale)
    _warn_if_other_normalisation(pair, *models)


def _know_normalisation(model: Network | str) -> str | None:
    inner = unwrap(model)
    known = inner.normalisation if isinstance(inner, SuperResolver) else None
    return known if known in NORMALISATIONS else None  # a file may say anything


def _warn_if_other_normalisation(pair: Pair, *models: Network | str) -> bool:
    known = [_know_normalisation(model) for model in models]
    others = [name for name in known if name not in (None, pair.normalisation)]
    if others:
        print(
            f"warning: the network was trained with {others[0]} normalisation, the pair has the"
            f" {pair.normalisation} one: expect a lower quality",
            file=sys.stderr,
        )
    return bool(others)


def warn_if_far(model: SuperResolver, pair: Pair) -> None:
    """A line on stderr when matrix or field of view are far from the training ones."""
    inner, shape = unwrap(model), pair.shape
    smallest = largest = inner.config.image_size
    said = "{} x {}".format(*smallest)
    if inner.sides:
        smallest, largest = ((side, side) for side in inner.sides)
        said = "{} to {} pixels a side".format(*inner.sides)
    fits = zip(smallest, shape, largest, strict=True)
    if not all(0.75 * low <= n <= 1.25 * high for low, n, high in fits):
        print(
            f"warning: the matrix is {shape[0]} x {shape[1]}, the network was trained at {said}:"
            " expect a lower quality",
            file=sys.stderr,
        )
    view = pair.field_of_view
    if view and max(abs(side / 240 - 1) for side in view) > 0.25:
        size = " x ".join(f"{side:.0f}" if side >= 1 else f"{side:.2g}" for side in view)
        print(
            f"warning: the field of view is {size} mm, the network was trained at 240 x 240 mm:"
            " expect a lower quality",
            file=sys.stderr,
        )


def _is_row(item: Any) -> bool:
    """Whether this is one (reference, target), a subject behind them or not, as ``find_pairs`` says."""
    sources = isinstance(item, tuple | list) and all(isinstance(x, Source) for x in item[:2])
    return sources and (len(item) == 2 or len(item) == 3 and isinstance(item[2], str | int))


def _load_row(
    item: Pair | Sequence, scale: int | None, common_slices: bool, normalisation: str
) -> Pair:
    if isinstance(item, Pair):
        return item
    if not _is_row(item):
        expected = "Pairs, or rows (reference, target) or (reference, target, subject)"
        raise InputError("pairs", f"a {type(item).__name__} among them", expected)
    if scale is None:
        raise InputError("scale", "none, neither in the model nor in the pairs", "scale=4, say")
    return load_pair(item[0], item[1], scale, None, normalisation, common_slices)


@overload
def evaluate(
    model_or_method: Network | str,
    pairs: Pairs,
    scale: int | None = None,
    *,
    common_slices: bool = False,
) -> dict: ...


@overload
def evaluate(
    pairs: Pairs,
    scale: int,
    method: str = "dcamsr",
    model: Network | None = None,
    *,
    common_slices: bool = False,
) -> dict: ...


def evaluate(  # type: ignore[misc]  # of two orders, one has other names
    model_or_method: Any = None,
    pairs: Any = None,
    scale: Any = None,
    model: Any = None,
    *,
    method: str | None = None,
    common_slices: bool = False,
) -> dict:
    """Score a network, a method of METHODS, or any ``f(lr, ref) -> sr`` of normalised images.

    >>> disc = torch.hann_window(32)[None, :, None] * torch.hann_window(32)
    >>> found = evaluate("zero-fill", [(disc, disc)], scale=4)
    >>> found["volumes"], found["psnr"] > 20
    (1, True)

    ``pairs`` are Pairs, or rows (reference, target) or (reference, target, subject), as
    ``find_pairs`` and ``read_pairs_csv`` give them; one may come alone. Where ``scale`` is not
    given, it is the network's, or that of the Pairs; rows are read with the normalisation that the
    network was trained with. ``common_slices`` is for rows whose volumes
    have not as many slices, as in ``load_pair``. Returns method, variant (only DCAMSR has one),
    scale, volumes, psnr, ssim, nmse (means over volumes), per_volume, convention. Raises
    InputError, also for a pair of another scale or without a target.

    The order of before, ``evaluate(pairs, scale, method="dcamsr", model=None)``, works as it did.
    """
    if not (isinstance(model_or_method, str) or callable(model_or_method)):
        if callable(pairs) or callable(scale):
            found = "the pairs before the model"
            raise InputError("evaluate", found, "the order evaluate(model, pairs, scale)")
        given = [x for x in (model_or_method, pairs, scale, method) if x is not None]
        pairs, *rest = given or [()]
        scale = next((x for x in rest if not isinstance(x, str)), None)
        model_or_method = next((x for x in rest if isinstance(x, str)), "dcamsr")
    if model_or_method == "dcamsr":
        if model is None:
            words = "one, for example load('lite-4x'): evaluate(model, pairs, scale)"
            raise InputError("method dcamsr", "no model", words)
        model_or_method = model
    return _score(model_or_method, pairs, scale, common_slices)


def _score(chosen: Network | str, pairs: Pairs, scale: int | None, common_slices: bool) -> dict:
    if isinstance(chosen, str) and chosen not in METHODS:
        raise InputError("method", repr(chosen), f"dcamsr or one of {[*METHODS]}")
    inner = unwrap(chosen)
    if scale is None and isinstance(inner, SuperResolver):
        scale = inner.config.scale
    scale = scale if scale is None else check_whole("scale", scale, *SCALES)
    if isinstance(pairs, Pair) or _is_row(pairs):
        pairs = [pairs]
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise InputError("pairs", repr(pairs), "Pairs or rows (reference, target)")
    per_volume: list[dict] = []
    normalisation = _know_normalisation(chosen) or "clean"
    warned = False
    for item in pairs:
        pair = _load_row(item, scale, common_slices, normalisation)
        scale = pair.scale if scale is None else scale
        if pair.scale != scale:
            raise InputError("pair", f"one for {pair.scale}x", f"one for the asked {scale}x")
        if pair.target_image is None:
            raise InputError("pair", "no target", "a pair with one, from load_pair")
        warned = warned or _warn_if_other_normalisation(pair, chosen)  # once, not for every pair
        image = METHODS[chosen](pair) if isinstance(chosen, str) else run_network(chosen, pair)
        check_finite(f"output of {name_method(chosen)}", image)
        names: dict[str, Any] = {"reference": pair.reference_path}
        names |= {"target": pair.target_path}
        if pair.registration is not None:
            names |= {"registration": pair.registration.to_json()}
        offset = pair.offset  # no part of a magnitude, of whose maximum the metrics are
        per_volume.append(names | score(pair.target_image - offset, image - offset, scale))
    if not per_volume:
        raise InputError("pairs", "none", "one or more")
    means = {m: sum(v[m] for v in per_volume) / len(per_volume) for m in ("psnr", "ssim", "nmse")}
    variant = inner.config.variant if isinstance(inner, DCAMSR) else None
    head = {"method": name_method(chosen), "variant": variant, "scale": scale}
    head |= {"volumes": len(per_volume)}
    return head | means | {"per_volume": per_volume, "convention": CONVENTION}


def name_method(model: Network | str) -> str:
    """A network's method, a function's or a class's own name.

    >>> from dcamsr_lite import DCAMSR
    >>> name_method(DCAMSR(image_size=32)), name_method(max), name_method(torch.nn.Identity())
    ('dcamsr', 'max', 'Identity')
    """
    model = unwrap(model)
    if isinstance(model, str):
        return model
    if isinstance(model, SuperResolver):
        return model.config.method
    return getattr(model, "__name__", type(model).__name__)
