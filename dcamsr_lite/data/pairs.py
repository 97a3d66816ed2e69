"""Pairs of a reference and a target contrast: degraded, padded, normalised, and the way back.

>>> import numpy as np
>>> t1, t2 = np.random.default_rng(0).random((2, 3, 20, 24))
>>> pair = load_pair(t1, t2, scale=4)
>>> pair.lr.shape, pair.ref.shape
(torch.Size([3, 1, 6, 6]), torch.Size([3, 1, 24, 24]))
>>> torch.allclose(pair.restore(pair.target), torch.tensor(t2).float(), atol=1e-5)
True
"""

import csv
import io
import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..kspace import center_crop, center_pad, degrade, fft2c, ifft2c, zero_fill, zero_fill_image
from ..network.config import MULTIPLE
from .files import Volume, read_volume
from .hdf5 import M4RAW_NAME
from .volume import decoding

NORMALISATIONS = ("clean", "released")
CLAMP = 6.0  # the released code's, on all three images
SMALLEST = 8  # rows and columns of a full-size image
CONTRASTS = ("T1", "T2", "FLAIR", "GRE")
MAX_CSV_BYTES = 2**24

Source = str | Path | np.ndarray | Tensor | Volume
Names = tuple[Path, Path, str]  # reference, target, subject


@dataclass(frozen=True)
class Pair:
    """One reference and one target volume, as the network wants them and as they were.

    >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
    >>> pair.low.shape, pair.shape
    (torch.Size([2, 8, 8]), (16, 16))

    ``lr`` (slice, 1, H/s, W/s), ``ref`` and ``target`` (slice, 1, H, W) are normalised, on a grid
    zero-padded to a multiple of 8 and of the scale. ``mean`` and ``std`` (slice, 1, 1, 1) lead
    back: target's units = normalised * std + mean, in both normalisations (in the released one they
    are those of an LR image that is s times brighter, and nothing more has to be undone).
    ``low`` (slice, H/s, W/s) is the LR image on the target's scale; ``zero_filled``,
    ``reference_image``, ``target_image`` are (slice, rows, columns), in own units, not padded.
    An LR image that came without its original (``load_input``) has no ``target``.
    ``target_kspace`` (slice, coil, rows, columns) is that of a target from memory that was degraded
    coil by coil; that of a file would fill the memory, and can be read again.
    """

    lr: Tensor
    ref: Tensor
    target: Tensor | None
    scale: int
    mean: Tensor
    std: Tensor
    shape: tuple[int, int]
    low: Tensor
    zero_filled: Tensor
    reference_image: Tensor
    target_image: Tensor | None
    normalisation: str
    order: str
    reference_path: str | None = None
    target_path: str | None = None
    contrast: str | None = None
    field_of_view: tuple[float, float] | None = None
    affine: np.ndarray | None = None
    target_kspace: Tensor | None = None
    slice_thickness: float | None = None
    nifti: object | None = None

    def restore(self, sr: Tensor) -> Tensor:
        """From the network's output to the target's units, (slice, rows, columns), unpadded.

        >>> pair = load_pair(torch.rand(2, 17, 16), torch.rand(2, 17, 16), scale=2)
        >>> pair.restore(pair.target).shape
        torch.Size([2, 17, 16])
        """
        image = sr * self.std.to(sr) + self.mean.to(sr)
        return center_crop(image.squeeze(1), self.shape)

    @property
    def grid(self) -> Volume:
        """The full-size grid, to be handed to ``write_volume`` as ``like``.

        >>> load_pair(torch.rand(2, 9, 8), torch.rand(2, 9, 8), scale=2).grid.images.shape
        torch.Size([2, 9, 8])
        """
        return Volume(
            self.reference_image,
            contrast=self.contrast,
            field_of_view=self.field_of_view,
            affine=self.affine,
            slice_thickness=self.slice_thickness,
            nifti=self.nifti,
        )


def load_pair(
    reference: Source,
    target: Source,
    scale: int,
    order: str | None = None,
    normalisation: str = "clean",
) -> Pair:
    """Read a reference and a target on the same matrix and degrade the target.

    >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
    >>> pair.order, pair.normalisation
    ('image', 'clean')

    Files, arrays (magnitude images, in any units) or volumes, see ``read_volume``. ``order`` is how
    the target is degraded (``kspace.degrade``): by default "coils" where there is k-space, "image"
    where there are magnitudes only. ``normalisation`` is "clean" or "released", see ``normalise``.
    Raises InputError.
    """
    full, truth = _magnitude(reference, "reference"), _magnitude(target, "target")
    return _assemble(full, truth, scale, order, normalisation)


def load_input(reference: Source, image: Source, scale: int, normalisation: str = "clean") -> Pair:
    """Read a reference and the image to be sharpened: of full size, or low-resolution already.

    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 4, 4), scale=4).target is None
    True
    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=4).low.shape
    torch.Size([2, 4, 4])

    An image of the reference's size is degraded first, as in ``load_pair``. One of exactly
    1/``scale`` of it is the low-resolution image, on the target's scale; its ``target`` and
    ``target_image`` are None. Raises InputError for any other size.
    """
    full, given = _magnitude(reference, "reference"), _magnitude(image, "input")
    if given.images.shape == full.images.shape:
        return _assemble(full, given, scale, None, normalisation)
    _check_options(scale, None, normalisation)
    slices, height, width = given.images.shape
    if (slices, scale * height, scale * width) != tuple(full.images.shape):
        expected = (
            f"{_size(full.images)} as the reference has, or 1/{scale} of its rows and columns"
        )
        raise InputError(given.path or "input", _size(given.images), expected)
    return _assemble(full, given, scale, "image", normalisation, is_low=True)


def normalise(
    image: Tensor, mean: Tensor | None = None, std: Tensor | None = None, clamp: float | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract the mean and divide by the standard deviation, per slice, or by those given.

    >>> slices, mean, std = normalise(torch.rand(3, 1, 8, 8))
    >>> mean.shape, bool(slices.mean().abs() < 1e-6)
    (torch.Size([3, 1, 1, 1]), True)

    ``image`` is (..., 1, row, column); mean and (unbiased) deviation keep its axes, with size 1 in
    the last three. A blank slice, whose deviation is zero, is divided by 1.

    Of a pair, "clean" takes the LR image on the target's scale, and normalises LR and target by the
    LR's mean and deviation, the reference by its own. "released", as the authors' code, takes the
    LR image as it leaves the crop, ``scale`` times brighter, normalises LR and target by *its* mean
    and deviation, the reference by those of the reference's own such LR image, and clamps all three
    to +-6.
    """
    if mean is None:
        mean = image.mean((-3, -2, -1), keepdim=True)
    if std is None:
        std = image.std((-3, -2, -1), keepdim=True)
        # rounding of the Fourier transform is no contrast
        std = torch.where(std <= 1e-6 * mean.abs(), torch.ones_like(std), std)
    normalised = (image - mean) / std
    return normalised if clamp is None else normalised.clamp(-clamp, clamp), mean, std


def _magnitude(source: Source, role: str) -> Volume:
    volume = read_volume(source)
    low, high = float(volume.images.min()), float(volume.images.max())
    # a little undershoot comes from interpolation; more would be folded up by the LR magnitude
    if low < -0.1 * high:
        found = f"values from {low:.4g} to {high:.4g}"
        raise InputError(volume.path or role, found, "a magnitude image, in its own units")
    return volume


def _check_options(scale: int, order: str | None, normalisation: str) -> None:
    if isinstance(scale, bool) or not isinstance(scale, int) or not 2 <= scale <= 8:
        raise InputError("scale", repr(scale), "a whole number from 2 to 8")
    if order not in (None, "coils", "image"):
        raise InputError("order", repr(order), "'coils' or 'image'")
    if normalisation not in NORMALISATIONS:
        raise InputError("normalisation", repr(normalisation), f"one of {NORMALISATIONS}")


def _size(images: Tensor) -> str:
    return " x ".join(str(n) for n in images.shape) + " (slice, row, column)"


def _assemble(
    reference: Volume,
    target: Volume,
    scale: int,
    order: str | None,
    normalisation: str,
    is_low: bool = False,
) -> Pair:
    _check_options(scale, order, normalisation)
    rows, columns = reference.images.shape[-2:]
    if not is_low and target.images.shape != reference.images.shape:
        found = f"{_size(target.images)} beside a reference of {_size(reference.images)}"
        raise InputError(target.path or "target", found, "the same matrix")
    if min(rows, columns) < SMALLEST:
        found = _size(reference.images)
        raise InputError(reference.path or "reference", found, f"{SMALLEST} x {SMALLEST} or more")
    if order == "coils" and target.kspace is None:
        raise InputError(target.path or "target", "magnitude images", "k-space, or order='image'")
    order = order or ("image" if target.kspace is None else "coils")
    multiple = math.lcm(MULTIPLE, scale)
    padded = (-(-rows // multiple) * multiple, -(-columns // multiple) * multiple)

    def coils_or_image(volume: Volume) -> Tensor:
        if order == "coils" and volume.kspace is not None:
            return _pad_kspace(volume.kspace, padded)
        return center_pad(volume.images, padded)

    full = coils_or_image(target) if not is_low else None
    if full is None:
        low = center_pad(target.images, (padded[0] // scale, padded[1] // scale))
        filled = zero_fill_image(low, padded)
    else:  # slice by slice: the coils of a whole fastMRI volume may be a gigabyte
        low = torch.stack([degrade(one, scale, order) for one in full])
        filled = torch.stack([zero_fill(one, scale, order) for one in full])
    ref = center_pad(reference.images, padded).unsqueeze(1)
    truth = None if is_low else center_pad(target.images, padded).unsqueeze(1)
    if normalisation == "clean":
        clamp = None
        lr, mean, std = normalise(low.unsqueeze(1))
        ref, _, _ = normalise(ref)
    else:
        clamp = CLAMP
        lr, mean, std = normalise(scale * low.unsqueeze(1), clamp=clamp)
        bright = [degrade(one, scale, order, False) for one in coils_or_image(reference)]
        _, *statistics = normalise(torch.stack(bright).unsqueeze(1))
        ref, _, _ = normalise(ref, *statistics, clamp=clamp)
    # the output lies on the grid of full size, which an LR input does not describe
    sized = reference if is_low else target
    placed = reference if target.affine is None else sized
    return Pair(
        lr=lr,
        ref=ref,
        target=None if truth is None else normalise(truth, mean, std, clamp)[0],
        scale=scale,
        mean=mean,
        std=std,
        shape=(rows, columns),
        low=low,
        zero_filled=center_crop(filled, (rows, columns)),
        reference_image=reference.images,
        target_image=None if is_low else target.images,
        normalisation=normalisation,
        order=order,
        reference_path=reference.path,
        target_path=target.path,
        contrast=target.contrast,
        field_of_view=sized.field_of_view,
        slice_thickness=sized.slice_thickness,
        affine=placed.affine,
        nifti=placed.nifti,
        target_kspace=target.kspace if order == "coils" and target.path is None else None,
    )


def _pad_kspace(kspace: Tensor, shape: tuple[int, int]) -> Tensor:
    """Zero-pad the coil *images*; padding k-space itself would interpolate them."""
    if tuple(kspace.shape[-2:]) == shape:
        return kspace
    return torch.stack([fft2c(center_pad(ifft2c(coils), shape)) for coils in kspace])


def find_pairs(folder: str | Path, reference: str = "T1", target: str = "T2") -> list[Names]:
    """Pairs of single repetitions by M4Raw's names, repetition k with repetition k, recursively.

    >>> Path("study").mkdir(exist_ok=True)
    >>> for name in ("7_T101.h5", "7_T201.h5", "7_T202.h5"):
    ...     Path("study", name).touch()
    >>> [(t1.name, t2.name, subject) for t1, t2, subject in find_pairs("study")]
    [('7_T101.h5', '7_T201.h5', '7')]

    ``reference`` and ``target`` are two of T1, T2, FLAIR, GRE. Returns (reference, target,
    subject), sorted; the subject is the number before ``_``. Raises InputError when there is none.
    """
    for contrast in (reference, target):
        if contrast not in CONTRASTS:
            raise InputError("contrast", repr(contrast), f"one of {', '.join(CONTRASTS)}")
    files = {}
    with decoding(folder, "a folder of M4Raw files"):
        if not Path(folder).is_dir():
            raise InputError(folder, "no such folder", "a folder of M4Raw files")
        for path in sorted(Path(folder).rglob("*.h5")):
            match = M4RAW_NAME.fullmatch(path.stem)
            if match:
                files[path.parent, match[1], match[2], int(match[3])] = path
    pairs = [
        (path, files[parent, subject, target, repetition], subject)
        for (parent, subject, contrast, repetition), path in files.items()
        if contrast == reference and (parent, subject, target, repetition) in files
    ]
    if not pairs:
        expected = f"pairs such as 2022061003_{reference}01.h5 and 2022061003_{target}01.h5"
        raise InputError(folder, f"{len(files)} M4Raw files but no pair", expected)
    return pairs


def read_pairs_csv(path: str | Path) -> list[Names]:
    """Pairs from a CSV of rows ``reference,target[,distance]``, as ``find_pairs`` returns them.

    >>> for name in ("list.csv", "file1.h5", "file2.h5"):
    ...     _ = Path(name).write_text("file1,file2,0.1")
    >>> [(pd.name, fs.name, subject) for pd, fs, subject in read_pairs_csv("list.csv")]
    [('file1.h5', 'file2.h5', 'file1')]

    Names are relative to the CSV's folder, or absolute; ``.h5`` may be left out, as in the lists of
    fastMRI pairs; a first row that starts with "reference" is a title. The subject is the number
    before ``_`` of an M4Raw name, else the reference's name. Raises InputError, also for a file
    that does not exist.
    """
    path = Path(path)
    expected = "rows 'reference,target[,distance]'"
    pairs = []
    with decoding(path, expected):
        if not path.is_file() or path.stat().st_size > MAX_CSV_BYTES:
            raise InputError(path, "no such file, or more than 16 MB", expected)
        rows = csv.reader(io.StringIO(path.read_text("utf-8-sig")), strict=True)
        for number, row in enumerate(rows, 1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or number == 1 and cells[0].lower() == "reference":
                continue
            if len(cells) < 2 or not cells[0] or not cells[1]:
                raise InputError(f"{path}, row {number}", repr(row)[:80], expected)
            first, second = (_listed(path, number, cell) for cell in cells[:2])
            match = M4RAW_NAME.match(first.name)
            pairs.append((first, second, match[1] if match else first.name.split(".")[0]))
    if not pairs:
        raise InputError(path, "no pair", expected)
    return pairs


def _listed(path: Path, number: int, cell: str) -> Path:
    for name in (cell, f"{cell}.h5"):
        file = path.parent / name
        if file.is_file():
            return file
    raise InputError(f"{path}, row {number}", f"no file '{cell[:80]}'", "a file that exists")


def split_by_subject(
    pairs: list[Names], fraction: float, seed: int
) -> tuple[list[Names], list[Names]]:
    """Split pairs into training and validation without splitting a subject.

    >>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(10)]
    >>> train, validation = split_by_subject(pairs, fraction=0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)

    ``fraction`` is the share of subjects for *validation*, at least one subject on either side.
    Raises InputError for fewer than two subjects.
    """
    subjects = sorted({subject for _, _, subject in pairs})
    if len(subjects) < 2 or not 0 < fraction < 1:
        found = f"{len(subjects)} subjects and a fraction of {fraction}"
        raise InputError("split", found, "two subjects or more, a fraction between 0 and 1")
    random.Random(seed).shuffle(subjects)
    count = min(max(round(fraction * len(subjects)), 1), len(subjects) - 1)
    held = set(subjects[:count])
    train = [pair for pair in pairs if pair[2] not in held]
    return train, [pair for pair in pairs if pair[2] in held]
