"""Question a trained network by experiment: change its reference or target, cut its attention, compare.

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32)
>>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
>>> blind = Intervention("blank", cuts=(Cut("channel", "uniform", levels=(4,)),))
>>> print(blind)
reference blank; channel attention uniform at level 4
>>> run_intervention(model, pair, 0, blind).output.shape
torch.Size([32, 32])

An ``Intervention`` names everything that is tried, ``edit`` makes the pair that the network then
gets, ``cut`` the network, and ``run_intervention`` says what it costs.
"""

import json
from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor

from ..data.pairs import Pair
from ..errors import InputError, check_between, check_one_of
from ..evaluation import Network, check_pair, run_network
from ..kspace import degrade, shift, zero_fill
from ..metrics import band_error, has_signal, psnr, ssim
from ..phantom.head import FIELDS_OF_VIEW
from ..phantom.subjects import OTHER_SEED, OTHER_SLICES, simulated_reference
from .cuts import Cut, cut
from .image_edits import WHITE, Lesion, blur, build, paint, read_fields, rotate
from .reuse import Kept, reusing

REFERENCES = {
    "own": "own reference",
    "blank": "reference blank",
    "noise": "reference replaced by noise",
    "other": "reference of another subject",
    "target": "reference replaced by the target itself",
}


@dataclass(frozen=True)
class Intervention:
    """Everything that is tried at once, in words when printed.

    >>> print(Intervention(shift=(2, -1), rotate=5, blur=1.5))
    reference shifted 2 px down and 1 px left, turned by 5 degrees, blurred by 1.5 px
    >>> print(Intervention())
    nothing changed

    ``reference`` is "own", "blank", "noise" (with ``seed``), "other" (another subject) or "target".
    Then, in this order, the reference gets its lesions, is blurred (Gaussian, deviation in pixels),
    turned (degrees, counter-clockwise) and shifted (rows, columns, in pixels or parts of them).
    Raises InputError.
    """

    reference: str = "own"
    seed: int = 0
    shift: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0
    blur: float = 0.0
    lesions: tuple[Lesion, ...] = ()
    cuts: tuple[Cut, ...] = ()

    def __post_init__(self):
        check_one_of("reference", self.reference, REFERENCES)
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise InputError("seed", repr(self.seed), "a whole number from 0")
        if not isinstance(self.shift, tuple | list) or len(self.shift) != 2:
            raise InputError("shift", repr(self.shift), "(rows, columns) in pixels")
        for number in self.shift:
            check_between("shift", number, -1e4, 1e4)
        check_between("rotate", self.rotate, -360, 360)
        check_between("blur", self.blur, 0, 1e3)
        object.__setattr__(self, "shift", tuple(self.shift))
        for name, kind in (("lesions", Lesion), ("cuts", Cut)):
            found = getattr(self, name)
            if not isinstance(found, tuple | list) or not all(isinstance(x, kind) for x in found):
                raise InputError(name, repr(found), f"a tuple of {kind.__name__}")
            object.__setattr__(self, name, tuple(found))

    @property
    def edits_reference(self) -> bool:
        """Whether the network gets another reference than its own."""
        moved = any(self.shift) or self.rotate or self.blur
        painted = any(lesion.image == "reference" for lesion in self.lesions)
        return self.reference != "own" or bool(moved) or painted

    @property
    def edits_target(self) -> bool:
        """Whether target and low-resolution image are other ones."""
        return any(lesion.image == "target" for lesion in self.lesions)

    @property
    def needs_target(self) -> bool:
        """Whether a pair without target cannot be tried so."""
        return self.edits_target or self.reference == "target"

    def __str__(self) -> str:
        moves = []
        if any(self.shift):
            words = zip(self.shift, (("up", "down"), ("left", "right")), strict=True)
            way = [f"{abs(x):g} px {names[x > 0]}" for x, names in words if x]
            moves.append(f"shifted {' and '.join(way)}")
        if self.rotate:
            moves.append(f"turned by {self.rotate:g} degrees")
        if self.blur:
            moves.append(f"blurred by {self.blur:g} px")
        choice = REFERENCES[self.reference] if self.reference != "own" else ""
        first = ", ".join(
            [choice or "reference " + moves[0], *moves[not choice :]] if moves else []
        )
        parts = [first or choice, *map(str, self.lesions)]
        return "; ".join(filter(None, [*parts, *map(str, self.cuts)])) or "nothing changed"

    def as_dict(self) -> dict:
        """Plain lists and dicts, as JSON has them.

        >>> Intervention(shift=(1, 0)).as_dict()["shift"]
        [1, 0]
        """
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, given: dict) -> "Intervention":
        """The way back; what is not given keeps its default. Raises InputError.

        >>> print(Intervention.from_dict({"cuts": [{"branch": "spatial", "state": "off"}]}))
        spatial attention off
        """
        given = read_fields(cls, given)
        for name, kind in (("lesions", Lesion), ("cuts", Cut)):
            if not isinstance(given.get(name, []), list | tuple):
                raise InputError(name, repr(given[name]), "a list of dicts")
            if name in given:
                given[name] = tuple(build(kind, item) for item in given[name])
        return cls(**given)


# --- what the network gets ------------------------------------------------------------------------


def edit(
    pair: Pair, slice: int, intervention: Intervention, other: Pair | int | None = None
) -> Pair:
    """One slice as the network gets it: what is not edited is the pair's own, to the bit.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(2, 32, 32), torch.rand(2, 32, 32), scale=4)
    >>> edited = edit(pair, 1, Intervention("blank"))
    >>> float(edited.ref.abs().max()), torch.equal(edited.lr, pair.lr[1:])
    (0.0, True)

    ``other`` is another subject: a Pair of the same matrix, or the seed of a simulated one (by
    default one that no training has seen). An edited reference is normalised as ``load_pair`` does
    it, of a magnitude image. A lesion in the target is in the low-resolution image, too: it gets
    the lesion's degraded trace added. Raises InputError, also for what needs a target without one.
    """
    if not 0 <= slice < len(pair.lr):
        raise InputError("slice", str(slice), f"0 to {len(pair.lr) - 1}")
    if pair.target_image is None and intervention.needs_target:
        raise InputError("pair", "no target", "a pair with one, from load_pair")
    one = pair.take_slice(slice)
    if intervention.edits_reference:
        one = one.with_reference(_edit_reference(one, slice, intervention, other, len(pair.lr)))
    if intervention.edits_target:
        one = _edit_target(one, intervention)
    return one


def _edit_reference(
    one: Pair, index: int, intervention: Intervention, other, slices: int
) -> Tensor:
    own = one.reference_image[0].float()
    if intervention.reference == "blank":
        image = torch.zeros_like(own)
    elif intervention.reference == "noise":  # the magnitude that a scanner gives without a head
        generator = torch.Generator().manual_seed(intervention.seed)
        image = torch.randn(2, *own.shape, generator=generator).square().sum(0).sqrt()
    elif intervention.reference == "other":
        image = _other(one, index, slices, other)
    elif intervention.reference == "target" and one.target_image is not None:
        image = one.target_image[0].float()
    else:
        image = own
    # one grey scale for all: normalisation takes the brightness away again
    white = image.quantile(WHITE)
    image = image * (own.quantile(WHITE) / white if white > 0 else 1)
    for lesion in intervention.lesions:
        image = paint(image, lesion) if lesion.image == "reference" else image
    image = blur(image, intervention.blur) if intervention.blur else image
    image = rotate(image, intervention.rotate) if intervention.rotate else image
    image = shift(image, *intervention.shift) if any(intervention.shift) else image
    return image.clamp_min(0)[None]  # a magnitude: interpolation undershoots


def _edit_target(one: Pair, intervention: Intervention) -> Pair:
    before = one.target_image.float()
    image = before[0]
    for lesion in intervention.lesions:
        image = paint(image, lesion) if lesion.image == "target" else image
    image = image.clamp_min(0)[None]
    # exact for magnitudes; of coil data the coils are gone, so the lesion's own trace is added
    low, low_before = (degrade(x, one.scale, "image") for x in (image, before))
    filled, filled_before = (zero_fill(x, one.scale, "image") for x in (image, before))
    low = (one.low + low - low_before).clamp_min(0)
    filled = one.zero_filled + filled - filled_before
    return one.with_target(image, low, filled)


def _other(one: Pair, index: int, slices: int, other: Pair | int | None) -> Tensor:
    """The slice of another subject.

    A simulated one has a field of view that the simulation can make, 100 to 1000 mm, also where the
    pair's is another; and no more than 18 slices, of which the one at the same relative height is
    taken: each costs a quarter of a second and 40 MB at 256 x 256.
    """
    if isinstance(other, Pair):
        if index >= len(other.lr) or other.shape != one.shape:
            found = f"{len(other.lr)} slices of {other.shape[0]} x {other.shape[1]}"
            raise InputError("other", found, f"slice {index}, {one.shape[0]} x {one.shape[1]}")
        return other.reference_image[index].float()
    seed = OTHER_SEED if other is None else other
    view = min(FIELDS_OF_VIEW[1], max(FIELDS_OF_VIEW[0], *(one.field_of_view or (240.0,))))
    few = min(slices, OTHER_SLICES)
    return simulated_reference(seed, one.shape, few, view)[(2 * index + 1) * few // (2 * slices)]


# --- what comes out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What an intervention gave. Images (row, column) in their own units, as the network had them.

    ``psnr`` in dB, ``ssim`` and ``bands`` (metrics.band_error, shares of the target's energy) of this
    one slice, whose largest value is the peak; ``change`` in dB is the PSNR minus that without
    intervention. Without a target, or where it is blank, they are None. ``kept`` is what parts of the
    network computed, where that was asked for.
    """

    intervention: Intervention
    reference: Tensor
    low: Tensor
    target: Tensor | None
    output: Tensor
    psnr: float | None = None
    ssim: float | None = None
    bands: dict[str, float] | None = None
    change: float | None = None
    kept: Kept | None = field(default=None, repr=False, compare=False)

    def row(self) -> dict:
        """One row of a table.

        >>> image = torch.rand(16, 16)
        >>> Outcome(Intervention("blank"), image, image, None, image).row()["tried"]
        'reference blank'
        """
        bands = self.bands or {}
        return {
            "tried": str(self.intervention),
            "psnr_db": self.psnr,
            "delta_psnr_db": self.change,
            "ssim": self.ssim,
            "error_measured": bands.get("measured"),
            "error_removed": bands.get("removed"),
        }


def run_intervention(
    model: Network,
    pair: Pair,
    slice: int,
    intervention: Intervention | None = None,
    other: Pair | int | None = None,
    base: Outcome | None = None,
    keep: bool = False,
) -> Outcome:
    """One slice with this intervention, and what it costs against the same network left alone.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> run_intervention(dl.DCAMSR(scale=4, image_size=32), pair, 0).change
    0.0

    ``base`` is the result without intervention, where it is known already; without it, a pair of
    another normalisation than the network was trained with is said on stderr. With ``keep``, the
    result as a base saves later interventions what they do not change: the same numbers, sooner, for
    up to 256 MB. With a lesion in the target, the target is the one with the lesion. Raises
    InputError, and ValueError for cuts of what is not in the network. The model is left as it was.
    """
    if base is None:
        check_pair(pair, model)
    return find_outcome(model, pair, slice, intervention, other, base, keep)


def find_outcome(
    model: Network,
    pair: Pair,
    slice: int,
    intervention: Intervention | None = None,
    other: Pair | int | None = None,
    base: Outcome | None = None,
    keep: bool = False,
) -> Outcome:
    """``run_intervention`` for those who have checked the pair: nothing is said on stderr.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> find_outcome(dl.DCAMSR(scale=4, image_size=32), pair, 0).change
    0.0
    """
    intervention = intervention or Intervention()
    if base is None and intervention != Intervention():
        base = find_outcome(model, pair, slice, keep=True)
    one = edit(pair, slice, intervention, other)
    kept = getattr(base, "kept", None) if base else Kept() if keep else None
    with cut(model, intervention.cuts), reusing(model, kept):
        output = run_network(model, one).float()
    target = None if one.target_image is None else one.target_image.float()
    outcome = Outcome(
        intervention,
        one.reference_image[0].float(),
        one.zero_filled[0].float(),
        None if target is None else target[0],
        output[0],
        kept=kept if keep else None,
    )
    if target is None or not has_signal(target) or (base is not None and base.psnr is None):
        return outcome
    quality = psnr(target, output)
    return replace(
        outcome,
        psnr=quality,
        ssim=ssim(target, output),
        bands=band_error(target, output, one.scale),
        change=0.0 if base is None else quality - base.psnr,
    )
