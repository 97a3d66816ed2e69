"""Varied slices: both contrasts move alike, nothing is blurred, and lr belongs to the target."""

import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite.data.augmentation import (
    KINDS,
    change_curve,
    choose_kinds,
    draw_geometry,
    measure_warp,
    vary,
    warp,
)
from dcamsr_lite.kspace import center_crop, degrade, fft2c, ifft2c
from dcamsr_lite.training.dataset import cut_slices


def smooth(image: torch.Tensor) -> torch.Tensor:
    """A magnitude image with next to nothing at the edge of k-space."""
    frequency = [torch.arange(-n // 2, n // 2) * 2 / n for n in image.shape[-2:]]  # 1: the edge
    lens = torch.exp(-((frequency[0][:, None] / 0.3) ** 2) - (frequency[1] / 0.3) ** 2)
    return ifft2c(fft2c(image) * lens).abs()


def heads(*shape: int) -> torch.Tensor:
    """Two random images with dark margins."""
    image = torch.zeros(2, *shape)
    rows, columns = (n // 4 for n in shape)
    image[:, rows:-rows, columns:-columns] = torch.rand(2, shape[0] // 2, shape[1] // 2)
    return smooth(image)


def close(a: torch.Tensor, b: torch.Tensor, share: float) -> bool:
    return bool((a - b).norm() <= share * b.norm())


@pytest.mark.parametrize("shape", [(64, 64), (48, 64)])
def test_no_geometry_returns_the_image(shape):
    image = heads(*shape)
    assert close(warp(image), image, 1e-3)
    assert close(warp(image, displacement=torch.zeros(2, 5, 5)), image, 1e-3)


def test_there_and_back_blurs_nothing():
    image = heads(96, 64)
    turned = warp(image, angle=12)
    assert not close(turned, image, 0.2)
    assert close(warp(turned, angle=-12), image, 0.02)
    zoomed = warp(image, zoom=(0.9, 1.05))
    assert close(warp(zoomed, zoom=(1 / 0.9, 1 / 1.05)), image, 0.02)


def test_every_parameter_does_what_it_says():
    image = torch.zeros(1, 64, 64)
    image[0, 24:40, 28:36] = 1  # 16 rows, 8 columns, about the middle
    image = smooth(image)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")

    def spread(moved):
        mass = moved[0] / moved.sum()
        middle = (mass * rows).sum(), (mass * columns).sum()
        wide = ((mass * (x - m) ** 2).sum() for x, m in zip((rows, columns), middle, strict=True))
        return *middle, *wide

    middle_row, middle_column, high, wide = spread(image)
    moved = spread(warp(image, shift=(0.1, -0.05)))
    assert moved[0] - middle_row == pytest.approx(6.4, abs=0.05)
    assert moved[1] - middle_column == pytest.approx(-3.2, abs=0.05)
    taller = spread(warp(image, zoom=(1.2, 1.0)))
    assert taller[2] / high == pytest.approx(1.44, rel=0.02)
    assert taller[3] / wide == pytest.approx(1, rel=0.02)
    lying = spread(warp(image, angle=90))
    assert lying[2] / wide == pytest.approx(1, rel=0.02)
    assert lying[3] / high == pytest.approx(1, rel=0.02)
    bent = warp(image, displacement=torch.tensor([0.1, -0.05])[:, None, None].expand(2, 5, 5))
    assert close(bent, warp(image, shift=(0.1, -0.05)), 0.01)


def test_a_turn_keeps_its_angle_on_a_rectangle():
    image = torch.zeros(1, 64, 128)
    image[0, 31:33, 40:88] = 1  # a bar along the columns
    turned = warp(image, angle=15)[0]
    rows, columns = (turned > 0.5).nonzero().float().T
    slope = ((rows - rows.mean()) * (columns - columns.mean())).sum()
    slope /= ((columns - columns.mean()) ** 2).sum()
    assert abs(slope.atan().rad2deg()) == pytest.approx(15, abs=1)


def test_both_contrasts_move_alike():
    head = phantom(1)
    slice_ = [tensor[0] for tensor in cut_slices([(head, 2 - head)], scale=4, flip=False)]
    alike = 0
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        lr, ref, target = vary(*slice_, 4, ("geometry", "mirror"), generator)
        if torch.equal(lr, slice_[0]):
            continue
        outline = (center_crop(x[0], (40, 40)).flatten() for x in (ref, target))
        assert torch.corrcoef(torch.stack([*outline]))[0, 1].abs() > 0.7
        alike += 1
    assert alike > 3


@pytest.mark.parametrize("kind", KINDS)
def test_varied_slices_stay_normalised_and_belong_together(volumes, kind):
    tensors = cut_slices([volumes], scale=4)
    changed = 0
    for number, (lr, ref, target) in enumerate(zip(*tensors, strict=True)):
        generator = torch.Generator().manual_seed(number)
        low, reference, full = vary(lr, ref, target, 4, (kind,), generator)
        if torch.equal(reference, ref) and torch.equal(full, target):
            assert torch.equal(low, lr)
            continue
        changed += 1
        assert low.mean().abs() < 1e-4 and (low.std() - 1).abs() < 1e-3
        assert reference.mean().abs() < 1e-4 and (reference.std() - 1).abs() < 1e-3
        bright = full - full.min() + 10  # so bright that the magnitude changes nothing
        again = degrade(bright, 4) - degrade(bright, 4).mean()
        # the magnitude of a dark image rectifies its ringing: equal but for that
        assert (again - low).norm() < 0.2 * low.norm()
    assert 0 < changed < len(tensors[0])
    blank = torch.zeros_like(tensors[1][0])
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        varied = vary(tensors[0][0], blank, tensors[2][0], 4, KINDS, generator)
        assert all(image.isfinite().all() for image in varied)


def test_a_curve_is_smooth_and_keeps_air_dark():
    ramp = torch.linspace(0, 1, 1001)[None]
    for seed in range(20):
        curve = change_curve(ramp, torch.Generator().manual_seed(seed))
        assert curve[0, 0] == 0 and curve.min() >= 0
        assert (curve[0, 1:] - curve[0, :-1]).abs().max() < 0.02


def test_a_seed_gives_the_same_variation_and_geometry_stays_in_its_bounds(volumes):
    lr, ref, target = (tensor[0] for tensor in cut_slices([volumes], scale=4))
    twice = [vary(lr, ref, target, 4, KINDS, torch.Generator().manual_seed(5)) for _ in "ab"]
    assert all(torch.equal(a, b) for a, b in zip(*twice, strict=True))
    drawn = [draw_geometry(torch.Generator().manual_seed(seed)) for seed in range(50)]
    assert all(abs(d["angle"]) <= 15 and 0.8 <= min(d["zoom"]) for d in drawn)
    assert max(max(d["zoom"]) for d in drawn) <= 1.05 and max(d["angle"] for d in drawn) > 10


def test_kinds_that_do_not_exist_are_refused():
    assert choose_kinds("curve,mirror") == ("mirror", "curve")
    with pytest.raises(dl.InputError, match="some of geometry,mirror,contrast,curve"):
        choose_kinds("contrast,colour")


@pytest.mark.parametrize(
    "arguments",
    [
        {"shift": (3 / 64, -2 / 64)},
        {"angle": 3.0},
        {"angle": -2.0, "shift": (1.5 / 64, 0.0), "displacement": 0.01 * torch.ones(2, 5, 5)},
        {"displacement": 0.008 * torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(1))},
    ],
)
def test_the_measured_displacement_is_where_a_planted_spot_went(arguments):
    field = measure_warp((64, 64), **arguments)
    at = torch.arange(64.0)
    for row, column in ((20, 24), (32, 32), (45, 18)):
        spot = torch.exp(-((at[:, None] - row) ** 2 + (at - column) ** 2) / 8)
        moved = warp(spot[None], **arguments)[0]
        centre = torch.stack([(moved.sum(1) * at).sum(), (moved.sum(0) * at).sum()]) / moved.sum()
        found = centre - torch.tensor([float(row), float(column)])
        torch.testing.assert_close(found, field[:, row, column], atol=0.1, rtol=0)
