"""k-space: the Fourier pair, cropping, and how a low-resolution image is made.

Every function takes and returns torch tensors whose last two axes are ``row, column`` (in k-space:
readout, phase encode); a coil axis, where there is one, stands just before them. The zero frequency
of an axis of length ``n`` sits at index ``n // 2``, for even and odd ``n``.

>>> import torch
>>> image = torch.rand(64, 64)
>>> degrade(image, scale=4).shape
torch.Size([16, 16])
"""

from collections.abc import Sequence

import torch
from torch import Tensor

AXES = (-2, -1)
ORDERS = ("coils", "image")


def _widen(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))  # there is no FFT of half precision


def fft2c(image: Tensor) -> Tensor:
    """Centred orthonormal 2-D Fourier transform: image -> k-space.

    >>> x = torch.rand(5, 8)
    >>> torch.allclose(ifft2c(fft2c(x)).real, x, atol=1e-6)
    True
    """
    shifted = torch.fft.ifftshift(_widen(image), dim=AXES)
    return torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=AXES)


def ifft2c(kspace: Tensor) -> Tensor:
    """Centred orthonormal inverse 2-D Fourier transform: k-space -> complex image.

    >>> ifft2c(fft2c(torch.ones(4, 4))).abs()[0, 0]
    tensor(1.)
    """
    shifted = torch.fft.ifftshift(_widen(kspace), dim=AXES)
    return torch.fft.fftshift(torch.fft.ifft2(shifted, norm="ortho"), dim=AXES)


def rss(coil_images: Tensor, dim: int = -3) -> Tensor:
    """Root-sum-of-squares over the coil axis ``dim``: (..., coil, h, w) -> (..., h, w), real.

    >>> rss(torch.tensor([[[3.0]], [[4.0]]]))
    tensor([[5.]])
    """
    if not (coil_images.is_complex() or coil_images.is_floating_point()):
        coil_images = coil_images.float()  # the square of a small whole number wraps around
    return coil_images.abs().square().sum(dim).sqrt()


def center_crop(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Cut the centre ``shape`` out of the last two axes; index ``n // 2`` stays the centre.

    >>> center_crop(torch.arange(5)[None], (1, 3))
    tensor([[1, 2, 3]])

    Raises ValueError when ``shape`` is larger than the array.
    """
    (height, width), (rows, columns) = x.shape[-2:], shape
    if rows > height or columns > width:
        raise ValueError(f"center_crop: cannot cut {rows} x {columns} out of {height} x {width}")
    top, left = height // 2 - rows // 2, width // 2 - columns // 2
    return x[..., top : top + rows, left : left + columns]


def center_pad(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Surround the last two axes by zeros up to ``shape``: the inverse of ``center_crop``.

    >>> center_pad(torch.ones(1, 1), (1, 4))
    tensor([[0., 0., 1., 0.]])

    Raises ValueError when ``shape`` is smaller than the array.
    """
    (height, width), (rows, columns) = x.shape[-2:], shape
    if rows < height or columns < width:
        raise ValueError(f"center_pad: {height} x {width} does not fit into {rows} x {columns}")
    top, left = rows // 2 - height // 2, columns // 2 - width // 2
    margins = (left, columns - width - left, top, rows - height - top)
    return torch.nn.functional.pad(x, margins)


def crop_kspace(kspace: Tensor, scale: int) -> Tensor:
    """Keep the centre ``1 / scale`` of each axis: 25 % of k-space at 2x, 6.25 % at 4x (section 3).

    >>> crop_kspace(torch.ones(8, 8), 2).shape
    torch.Size([4, 4])
    """
    height, width = kspace.shape[-2:]
    if scale < 1 or min(height, width) < scale:
        raise ValueError(f"crop_kspace: scale {scale} does not fit a {height} x {width} k-space")
    return center_crop(kspace, (height // scale, width // scale))


def _coil_kspace(data: Tensor, order: str) -> Tensor:
    """(..., coil, h, w) k-space, from multi-coil k-space or from a magnitude image."""
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}, expected one of {ORDERS}")
    if not data.is_complex():  # a magnitude image is its own single coil
        return fft2c(data).unsqueeze(-3)
    if data.ndim < 3:
        raise ValueError(f"k-space has shape {tuple(data.shape)}, expected (..., coil, h, w)")
    return data if order == "coils" else fft2c(rss(ifft2c(data))).unsqueeze(-3)


def degrade(
    data: Tensor, scale: int, order: str = "coils", restore_brightness: bool = True
) -> Tensor:
    """Make the low-resolution image: crop the centre of k-space, go back, take the magnitude.

    >>> flat = torch.full((64, 64), 7.0)
    >>> degrade(flat, scale=4)[8, 8], degrade(flat, scale=4, restore_brightness=False)[8, 8]
    (tensor(7.), tensor(28.))

    ``data`` is complex k-space (..., coil, h, w) or a real magnitude image (..., h, w); the result
    is real, (..., h // scale, w // scale). ``order="coils"``, as the released code does, crops every
    coil and combines afterwards; ``order="image"``, as the paper's text has it, combines first and
    crops the spectrum of the magnitude image. An orthonormal crop brightens the image by about
    ``scale``; unless ``restore_brightness`` is False the result is on the scale of the full image.
    """
    kspace = _coil_kspace(data, order)
    cropped = crop_kspace(kspace, scale)
    image = rss(ifft2c(cropped))
    if not restore_brightness:
        return image
    samples_kept = cropped.shape[-1] * cropped.shape[-2] / (kspace.shape[-1] * kspace.shape[-2])
    return image * samples_kept**0.5


def zero_fill(data: Tensor, scale: int, order: str = "coils") -> Tensor:
    """The honest floor: the cropped k-space, padded with zeros to full size, and transformed back.

    >>> zero_fill(torch.full((64, 64), 7.0), scale=4)[8, 8]
    tensor(7.)

    Takes what ``degrade`` takes; returns (..., h, w) on the scale of the full image.
    """
    kspace = _coil_kspace(data, order)
    filled = center_pad(crop_kspace(kspace, scale), kspace.shape[-2:])
    return rss(ifft2c(filled))


def zero_fill_image(low: Tensor, shape: Sequence[int]) -> Tensor:
    """Zero-fill from a magnitude low-resolution image alone: (..., h, w) -> (..., *shape).

    >>> zero_fill_image(torch.full((16, 16), 7.0), (64, 64))[8, 8]
    tensor(7.)

    The phase of the coils is gone, so this is about 0.5 dB worse than ``zero_fill``.
    """
    growth = (shape[0] * shape[1] / (low.shape[-2] * low.shape[-1])) ** 0.5
    return ifft2c(center_pad(fft2c(low), shape)).abs() * growth


def upsample_fourier(low: Tensor, scale: int) -> Tensor:
    """Zero-fill a real, signed low-resolution image: (..., h, w) -> (..., h * scale, w * scale).

    >>> upsample_fourier(torch.full((16, 16), -7.0), 4)[8, 8]
    tensor(-7.)

    A cropped k-space keeps pixel 0 of both grids in one place, and so does this, where ``h`` and ``w``
    are even; where they are odd both keep the middle pixel. Bilinear upsampling centres the small
    pixels instead, which shifts the image by (scale - 1) / 2 pixels. Compiled and exported networks
    do without complex numbers.
    """
    if torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():
        return _upsample_by_products(low, scale)
    height, width = low.shape[-2:]
    return ifft2c(center_pad(fft2c(low), (height * scale, width * scale))).real * scale


def _upsample_by_products(low: Tensor, scale: int) -> Tensor:
    """The same without complex numbers, which ONNX does not have: a pair of matrices for each axis.

    With A and B the complex matrices of rows and columns, Re(A x B') = Re A x Re B' - Im A x Im B'.
    """
    (a, a_imag), (b, b_imag) = (make_upsampling(n, scale) for n in low.shape[-2:])
    a, a_imag, b, b_imag = (x.to(low) for x in (a, a_imag, b, b_imag))
    return a @ low @ b.transpose(0, 1) - a_imag @ low @ b_imag.transpose(0, 1)


def make_upsampling(n: int, scale: int) -> tuple[Tensor, Tensor]:
    """Zero-filling along one axis as a matrix (n * scale, n), real and imaginary part, float64.

    >>> make_upsampling(1, 2)[0]
    tensor([[1.],
            [1.]], dtype=torch.float64)
    """
    at, of = (torch.arange(m, dtype=torch.float64) - m // 2 for m in (n * scale, n))
    turns = (at[:, None] / scale - of) / n  # of one period, for the frequency 1
    phase = 2 * torch.pi * turns[..., None] * of  # the frequencies are numbered as the pixels
    return phase.cos().mean(-1), phase.sin().mean(-1)


def shift(image: Tensor, rows: float, columns: float) -> Tensor:
    """Move the content down and right, by parts of a pixel too: a phase ramp in k-space.

    >>> shift(torch.eye(4), 1, 0).round().abs().int()
    tensor([[0, 0, 0, 1],
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0]], dtype=torch.int32)

    (..., row, column), real -> the same shape; what leaves on one side enters on the other.
    """
    down, right = (torch.fft.fftshift(torch.fft.fftfreq(n)) for n in image.shape[-2:])
    turns = rows * down[:, None] + columns * right
    return ifft2c(fft2c(image) * torch.exp(-2j * torch.pi * turns)).real


def resample(image: Tensor, off: tuple[float, float], steps: tuple[float, float]) -> Tensor:
    """Sample the Fourier series of an image at pixels of another size, which keep the middle one.

    >>> image = torch.rand(8, 8)
    >>> torch.allclose(resample(image, (1, 0.5), (1, 1)), shift(image, 1, 0.5), atol=1e-5)
    True

    (..., row, column), real -> the same shape. The content is moved by ``off`` (rows, columns), then
    pixel ``n // 2 + j`` is what lies ``j * step`` from the middle: the magnification is 1 / ``step``.
    """
    rows, columns = (
        _sample_series(n, move, step).to(image)
        for n, move, step in zip(image.shape[-2:], off, steps, strict=True)
    )
    return rows @ image @ columns.mT


def _sample_series(count: int, off: float, step: float) -> Tensor:
    """The real matrix (count, count) that takes an axis to its Fourier series' values elsewhere."""
    index = torch.arange(count, dtype=torch.float64)
    places = (index - count // 2) * step + count // 2 - off
    waves = torch.fft.fftshift(torch.fft.fftfreq(count, dtype=torch.float64))
    turns = (places[:, None, None] - index[:, None]) * waves
    return torch.exp(2j * torch.pi * turns).mean(-1).real


def restore_measured(image: Tensor, low: Tensor) -> Tensor:
    """Data consistency: put the measured centre of k-space, ``low``, in place of the image's own.

    >>> image, low = torch.randn(16, 16), torch.randn(8, 8)
    >>> measured = center_crop(fft2c(restore_measured(image, low)), (8, 8))
    >>> torch.allclose(measured, 2 * fft2c(low), atol=1e-5)
    True

    (..., h, w) and (..., h / s, w / s), as upsampled and degraded: samples of the large image are
    ``s`` times those of the small one. Exact for complex and for real, signed images.

    A low-resolution *magnitude* is no crop of the magnitude's k-space, so that even the true image is
    changed by this, and no output can come closer to the truth than the truth so changed. On a
    simulated head (``VALIDATION_SEED``, 128 x 128) that ceiling is 45.2 dB at 2x and 37.6 dB at 4x
    for ``order="image"``, but 34.9 and 31.0 dB for ``order="coils"``, whose combination is not linear.
    Both images must have been normalised alike ("clean"; in "released" they are not).
    """
    shape = low.shape[-2:]
    growth = (image.shape[-2] * image.shape[-1] / (shape[0] * shape[1])) ** 0.5
    missing = growth * fft2c(low) - center_crop(fft2c(image), shape)
    if image.is_complex():
        return image + ifft2c(center_pad(missing, image.shape[-2:]))
    # Every sample of a real image has a mirror image, and taking the real part shares the difference
    # between the two. At the edge of an even crop the mirror image lies outside: count that twice.
    twice = torch.zeros(shape, device=image.device, dtype=image.dtype)
    twice[:1] = 1 - shape[0] % 2
    twice[:, :1] = twice[:, :1].clamp_min(1 - shape[1] % 2)
    return image + ifft2c(center_pad(missing * (1 + twice), image.shape[-2:])).real
