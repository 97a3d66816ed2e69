"""The k-space explorer: a box on k-space to drag, and the image that this box alone would give.

The kernel sends one slice's k-space; the browser computes every image and number (samples.js).

>>> import torch
>>> explorer = explore_kspace(torch.rand(32, 24))
>>> explorer.box = [12, 9, 8, 6]
>>> explorer.shape, explorer.image().shape
('box', torch.Size([32, 24]))
>>> explorer.save_html("kspace.html")
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from traitlets import Bool, Enum, Float, Int, List, TraitError, validate

from ... import metrics
from ...data.background import find_offsets
from ...data.files import read_volume
from ...data.matching import tell_notes
from ...data.pairs import SMALLEST, Pair, Source
from ...data.volume import Volume
from ...errors import InputError
from ...kspace import fft2c, ifft2c, rss
from ...panels import draw_panel, lay_out
from ..shared.base import SYNC, Explorer, show_reason
from ..shared.packing import pack, unpack
from ..shared.static import script, style
from ..tours import center_box, tour_kspace

SHAPES = ("box", "lines", "disc")
WINDOWS = ("none", "hann", "tukey")
MATRICES = ("zero-filled", "acquired")
MOST_NOISE = 0.2  # of the image's maximum
KSPACE_BYTES = 4 * 2**20  # 5.6 MB of a saved page in base64, which stays below 6 MB


class KSpaceExplorer(Explorer):
    """What ``explore_kspace`` returns: a widget that also shows as a picture and saves as a page.

    >>> KSpaceExplorer(message="nothing to show")
    nothing to show

    The reader's setting, shared with the browser, which saves it when the pointer is lifted:

    - ``box`` [row, column, height, width] in k-space samples, its upper left corner first;
    - ``shape``: "box"; "lines", all of the readout (rows) and ``width`` phase-encoding lines
      (columns); "disc", the ellipse in the box;
    - ``noise``: deviation of the real and of the imaginary part of every sample of every coil, as a
      share of the full image's maximum, 0 to 0.2, always the same draw;
    - ``window``: "none", "hann", or "tukey" with ``taper``, the share of the box that falls off
      (0: none, 1: Hann's);
    - ``matrix``: "zero-filled" to full size, or "acquired", the box's own small matrix, brighter by
      sqrt(all samples / samples of the box) unless ``rescale``;
    - ``point`` [row, column] of the image, ``along`` "row" or "column": where the profile lies.

    Raises TraitError for a value that is not there.
    """

    _esm = script("kspace")
    _css = style("kspace/explorer.css")
    _kept = ("box", "shape", "noise", "window", "taper", "matrix", "rescale", "point", "along")

    box = List(Int(), [0, 0, 1, 1], minlen=4, maxlen=4).tag(**SYNC)
    shape = Enum(SHAPES, "box").tag(**SYNC)
    noise = Float(0.0, min=0.0, max=MOST_NOISE).tag(**SYNC)
    window = Enum(WINDOWS, "none").tag(**SYNC)
    taper = Float(0.5, min=0.0, max=1.0).tag(**SYNC)
    matrix = Enum(MATRICES, "zero-filled").tag(**SYNC)
    rescale = Bool(True).tag(**SYNC)
    point = List(Int(), [0, 0], minlen=2, maxlen=2).tag(**SYNC)
    along = Enum(("row", "column"), "row").tag(**SYNC)

    @validate("box", "point")
    def _is_there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if self.info:
            row, column, height, width = value if name == "box" else (*value, 1, 1)
            rows, columns = self.info["shape"]
            inside = 0 <= row < row + height <= rows and 0 <= column < column + width <= columns
            if not inside:
                raise TraitError(f"{name} {value} is not in this explorer: {self!r}")
        return value

    def __repr__(self) -> str:
        if not self.info:
            return super().__repr__()
        rows, columns = self.info["shape"]
        return f"{super().__repr__()}, {rows} x {columns} samples, coils: {self.info['coils']}"

    def kspace(self) -> Tensor:
        """The full k-space that is explored: (coil, rows, columns) complex128.

        >>> explore_kspace(torch.rand(32, 24)).kspace().shape
        torch.Size([1, 32, 24])

        Raises LookupError when there is none.
        """
        if "kspace" not in self.images:
            raise LookupError("nothing to transform: the explorer is empty")
        return torch.complex(*unpack(self.images["kspace"]).double().unbind(1))

    def weights(self) -> Tensor:
        """What every sample of k-space is multiplied by: (rows, columns), zero outside the box.

        >>> explorer = explore_kspace(torch.rand(32, 24))
        >>> explorer.box = [12, 9, 8, 6]
        >>> explorer.weights().sum()
        tensor(48., dtype=torch.float64)
        """
        row, column, height, width = self.covered()
        down, along = _distance(height), _distance(width)
        if self.shape == "lines":
            down = torch.zeros_like(down)
        if self.shape == "disc":
            radius = (down[:, None].square() + along.square()).sqrt()
            values = self._fall(radius) * (radius <= 1)
        else:
            values = self._fall(down)[:, None] * self._fall(along)
        weights = torch.zeros(self.info["shape"], dtype=torch.float64)
        weights[row : row + height, column : column + width] = values
        return weights

    def image(self) -> Tensor:
        """The image on screen: (rows, columns), or (height, width) of the box when "acquired".

        >>> explorer = explore_kspace(torch.rand(32, 24))
        >>> explorer.matrix = "acquired"
        >>> explorer.image().shape
        torch.Size([8, 6])

        Coils are combined by root-sum-of-squares after the crop, as in ``kspace.degrade``.
        """
        kspace = self._measured()
        if self.matrix == "zero-filled":
            return rss(ifft2c(kspace))
        row, column, height, width = self.covered()
        small = rss(ifft2c(kspace[..., row : row + height, column : column + width]))
        return small * self._gain() / self._brightening()

    def judged(self) -> Tensor:
        """What ``quality`` judges, (rows, columns): the zero-filled image, as bright as on screen.

        >>> explorer = explore_kspace(torch.ones(32, 24) + torch.eye(32, 24))
        >>> explorer.matrix, explorer.rescale = "acquired", False
        >>> round(float(explorer.judged().mean() / explorer.image().mean()), 3)
        1.0
        """
        return rss(ifft2c(self._measured())) * self._gain()

    def quality(self) -> dict[str, float]:
        """PSNR, SSIM, NMSE, brightness, and the error by band, against the full image.

        >>> sorted(explore_kspace(torch.rand(32, 24)).quality())
        ['brightness', 'inside', 'measured', 'nmse', 'outside', 'psnr', 'removed', 'ssim']

        Conventions as in ``metrics``, for one slice. ``inside`` (noise, the window) and ``outside``
        (lost) are the squared error of the coils' samples, in the box and outside it, as shares of
        the energy of k-space. The magnitude mixes the two: ``measured`` and ``removed`` are those of
        ``judged``, as in ``metrics.band_error``, and sum to the NMSE. Brightness is the mean over
        that of the full image, where this is above a tenth of its maximum.
        """
        kspace, kept = self.kspace(), self.weights() > 0
        full, image = rss(ifft2c(kspace)), self.judged()
        bands = fft2c(image - full).abs().square() / full.square().sum()
        error = (self._measured() * self._gain() - kspace).abs().square()
        error /= kspace.abs().square().sum()
        head = full > 0.1 * full.max()
        return {
            "psnr": metrics.psnr(full[None], image[None]),
            "ssim": metrics.ssim(full[None], image[None]),
            "nmse": metrics.nmse(full[None], image[None]),
            "brightness": float(image[head].mean() / full[head].mean()),
            "inside": float(error[:, kept].sum()),
            "outside": float(error[:, ~kept].sum()),
            "measured": float(bands[kept].sum()),
            "removed": float(bands[~kept].sum()),
        }

    def _arrays(self) -> dict[str, Tensor]:
        return {"image": self.image(), "kspace": self.kspace(), "weights": self.weights()}

    def _draw(self):
        """k-space with the box, the image, its difference from the full one, and the profile."""
        from matplotlib.patches import Ellipse, Rectangle

        full, shown, image = rss(ifft2c(self.kspace())), self.judged(), self.image()
        peak, white = float(full.max()), float(full.quantile(0.995))
        words, ratios = self.info["title"], (1, 1, 1, 1.25)
        figure, axes = lay_out(4, 2.9, 3.4, words=words, width_ratios=ratios)

        strength = rss(self.kspace())
        log = (strength / strength.max()).clamp_min(1e-4).log10()
        kept = float((self.weights() > 0).double().mean())
        label = "log10 of the magnitude over its largest"
        title = f"k-space, {100 * kept:.3g} % kept"
        draw_panel(axes[0], title, log, "magnitude", 0, low=-4, label=label)
        row, column, height, width = self.covered()
        edge: dict[str, Any] = dict(fill=False, color="white", linewidth=1.5)
        middle = (column + (width - 1) / 2, row + (height - 1) / 2)
        outline = Rectangle((column - 0.5, row - 0.5), width, height, **edge)
        axes[0].add_patch(
            Ellipse(middle, width, height, **edge) if self.shape == "disc" else outline
        )

        quality, label = self.quality(), "% of the full image's maximum"
        title = f"{self.matrix}, {quality['psnr']:.1f} dB, SSIM {quality['ssim']:.3f}"
        draw_panel(axes[1], title, 100 * image / peak, limit=100 * white / peak, label=label)
        error = 100 * (shown - full) / peak
        limit = max(1.0, float(error.abs().max()))
        draw_panel(axes[2], "minus the full image", error, "signed", limit, label=label)

        along = 0 if self.along == "row" else 1
        at = self.point[along]
        for curve, name, line in ((full, "full k-space", "--"), (shown, "the box alone", "-")):
            axes[3].plot(100 * curve.select(along, at).numpy() / peak, line, label=name)
        axes[3].set_title(f"profile along {self.along} {at}, {label}", fontsize=8)
        axes[3].set_xlabel("column" if along == 0 else "row", fontsize=7)
        axes[3].tick_params(labelsize=7)
        axes[3].legend(fontsize=7)
        return figure

    def covered(self) -> tuple[int, int, int, int]:
        """The box that counts: of "lines", the last axis of k-space, the readout is whole.

        >>> explorer = explore_kspace(torch.rand(32, 24))
        >>> explorer.box, explorer.shape = [12, 9, 8, 6], "lines"
        >>> explorer.covered()
        (0, 9, 32, 6)
        """
        row, column, height, width = self.box
        lines = self.shape == "lines"
        return (0, column, self.info["shape"][0], width) if lines else (row, column, height, width)

    def _fall(self, distance: Tensor) -> Tensor:
        taper = {"none": 0.0, "hann": 1.0, "tukey": self.taper}[self.window]
        if taper == 0:
            return torch.ones_like(distance)
        return 0.5 + 0.5 * torch.cos(torch.pi * ((distance - 1 + taper) / taper).clamp(0, 1))

    def _measured(self) -> Tensor:
        kspace = self.kspace()
        if self.noise:
            peak = rss(ifft2c(kspace)).max()
            kspace = kspace + self.noise * peak * white_noise(kspace.shape)
        return kspace * self.weights()

    def _brightening(self) -> float:
        _, _, height, width = self.covered()
        rows, columns = self.info["shape"]
        return (rows * columns / (height * width)) ** 0.5

    def _gain(self) -> float:
        return 1.0 if self.rescale or self.matrix == "zero-filled" else self._brightening()


def _distance(n: int) -> Tensor:
    """0 at a box's centre, 1 half a sample beyond its farthest, so that no sample in it is lost."""
    return (torch.arange(n, dtype=torch.float64) - n // 2).abs() / ((n + 1) / 2)


def white_noise(shape: tuple[int, ...]) -> Tensor:
    """Complex samples, both parts normal with deviation 1: the browser's draw, always the same.

    >>> white_noise((2, 3)).dtype
    torch.complex128

    Uniform numbers of mulberry32, which counts, so that any part can be drawn; then Box-Muller.
    """
    t = (np.arange(1, 2 * int(np.prod(shape)) + 1, dtype=np.uint32)) * np.uint32(0x6D2B79F5)
    t = (t ^ (t >> np.uint32(15))) * (t | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    first, second = (((t ^ (t >> np.uint32(14))).astype(np.float64) + 0.5) / 2**32).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
    return torch.from_numpy((radius * np.exp(1j * angle)).reshape(shape))


@show_reason("image and slice")
def explore_kspace(pair_or_image: Pair | Source, slice: int | None = None) -> KSpaceExplorer:
    """Drag a box on the k-space of one slice, by default of the brightest, and watch its image.

    >>> explore_kspace(torch.rand(3, 32, 32), slice=1).info["slice"]
    1

    Takes a Pair, and explores its target: the coils' k-space where it was degraded coil by coil
    (``order="coils"``), else that of the magnitude image. Or takes what ``read_volume`` takes: a
    file, a Volume, a magnitude image (rows, columns) or volume (slice, rows, columns), or complex
    k-space (slice, coil, rows, columns). More coils than a page of 6 MB can hold are compressed, and
    a note says so. Raises InputError, and in a notebook also shows the reason.
    """
    source = pair_or_image
    if isinstance(source, Pair):
        volume = _target(source)
    else:
        tell_notes(volume := read_volume(source))
    return _open(volume, slice)


def _open(volume: Volume, slice: int | None) -> KSpaceExplorer:
    images = volume.images
    index = int(images.mean((1, 2)).argmax()) if slice is None else slice
    if not 0 <= index < len(images):
        raise InputError("slice", str(index), f"0 to {len(images) - 1}")
    image, shape = images[index], list(images.shape[-2:])
    if min(shape) < SMALLEST or shape[0] * shape[1] * 8 > KSPACE_BYTES:
        expected = f"{SMALLEST} x {SMALLEST} or more, {KSPACE_BYTES // 8} pixels at most"
        raise InputError("image", f"{shape[0]} x {shape[1]}", expected)
    if float(image.max()) <= 0 or float(image.min()) < -0.1 * float(image.max()):
        found = f"values from {float(image.min()):.4g} to {float(image.max()):.4g}"
        raise InputError(f"slice {index}", found, "a magnitude image, in its own units")
    image = image - find_offsets(images)[index]  # as a pair is cropped
    own = volume.kspace is None
    coils = fft2c(image)[None] if volume.kspace is None else volume.kspace[index]
    kspace, notes = (coils, []) if own else _compressed(coils)
    kspace = torch.stack([kspace.real, kspace.imag], 1)
    explorer = KSpaceExplorer(
        info={
            "title": f"{volume.contrast or 'image'}, {shape[0]} x {shape[1]}",
            "coils": len(kspace),
            "origin": "k-space of the magnitude image"
            if own
            else "k-space coil by coil, as in the file or the simulation",
            "notes": notes,
            "files": [Path(volume.path).name] if volume.path else [],
            "slice": index,
            "slices": len(images),
            "shape": shape,
        },
        images={"kspace": pack(kspace, "float32")},
        box=center_box(shape, 4),
        point=_edge(image),
        tour=tour_kspace(shape),
    )
    explorer.let_turn(lambda other: _open(volume, other))
    return explorer


def _target(pair: Pair) -> Volume:
    if pair.target_image is None:
        raise InputError("pair", "no target", "a full-size target, whose k-space can be cropped")
    if pair.order == "coils" and pair.target_path:
        return read_volume(pair.target_path)
    return Volume(pair.target_image, pair.target_kspace, pair.target_path, pair.contrast)


def _compressed(kspace: Tensor) -> tuple[Tensor, list[str]]:
    """As few combinations of coils as fit, those of the largest energy (a rotation: rss stays)."""
    coils, rows, columns = kspace.shape
    fit = KSPACE_BYTES // (rows * columns * 8)
    if coils <= fit:
        return kspace, []
    rotation, strength, _ = torch.linalg.svd(kspace.reshape(coils, -1), full_matrices=False)
    share = float(strength[:fit].square().sum() / strength.square().sum())
    combined = torch.einsum("cv,crk->vrk", rotation[:, :fit].conj(), kspace)
    return combined, [
        f"{coils} coils compressed to {fit}, which hold {100 * share:.2f} % of energy"
    ]


def _edge(image: Tensor) -> list[int]:
    """The steepest place along a row: a profile through it shows an edge."""
    rise = (image[:, 2:] - image[:, :-2]).abs()
    row, column = divmod(int(rise.argmax()), rise.shape[1])
    return [row, column + 1]
