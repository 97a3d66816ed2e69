"""NIfTI files of thick slices stored in any order, with odd headers, of odd sizes, in other spaces."""

import itertools
from contextlib import suppress

import nibabel
import numpy as np
import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.data.files import read_volume, write_volume
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.data.shapes import read_shape
from dcamsr_lite.errors import InputError

THICK = np.diag([2.0, 2, 6, 1])
EVEN = np.diag([2.0, 2, 2, 1])
MOVED = [order for order in itertools.permutations(range(3)) if order[2] != 2]


def head(seed: int, shape: tuple[int, ...] = (6, 24, 20)) -> np.ndarray:
    """(slice, row, column), without any symmetry."""
    return 1 + np.random.default_rng(seed).random(shape, np.float32)


def write(path, images, affine=THICK, codes=(1, 1)):
    image = nibabel.Nifti1Image(np.asarray(images).T, affine)
    image.set_sform(affine, codes[0])
    image.set_qform(affine, codes[1])
    image.header.set_xyzt_units("mm")
    path.write_bytes(image.to_bytes())
    return path


def store(path, images, order, flips=(1, 1, 1), affine=THICK, codes=(1, 1)):
    """The same image with its axes (x, y, z) in another order and direction."""
    change = np.array([[order.index(axis), flips[axis]] for axis in range(3)])
    turned = nibabel.Nifti1Image(np.asarray(images).T, affine).as_reoriented(change)
    return write(path, np.asarray(turned.dataobj).T, turned.affine, codes)


@pytest.mark.parametrize("affine", [THICK, EVEN])
def test_a_thick_slice_scan_stored_in_any_order_makes_the_pair_of_its_slices(affine, tmp_path):
    """The 32 orders that move the axis of the slices were refused: 24 images of 20 x 6."""
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n), affine) for n in (1, 2))
    wanted = load_pair(t1, t2, 2)
    for order in MOVED:
        for flips in ((1, 1, 1), (-1, 1, 1), (1, -1, -1)):
            turned = store(tmp_path / "moved.nii", head(1), order, flips, affine)
            pair = load_pair(turned, t2, 2)
            assert torch.equal(pair.ref, wanted.ref) and torch.equal(pair.lr, wanted.lr)
            np.testing.assert_allclose(pair.reference.affine, affine, atol=1e-4)
            np.testing.assert_allclose(pair.reference.nifti.get_qform(), affine, atol=1e-4)
            assert pair.notes[0] == (
                f"moved.nii: its slices lie along {'xyz'[order.index(2)]} of the file's axes: "
                "taken as slices"
            )
        assert read_shape(turned) == tuple(read_volume(turned).images.shape)


@pytest.mark.parametrize("order", MOVED)
def test_a_thick_slice_target_is_degraded_in_its_slices_and_written_where_it_lies(order, tmp_path):
    t1 = write(tmp_path / "t1.nii", head(1))
    moved = store(tmp_path / "moved.nii", head(2), order, (1, -1, 1))
    pair = load_pair(t1, moved, 2)
    assert len(pair.target_image) == 6
    write_volume(tmp_path / "sr.nii", pair.target_image, like=pair.grid)
    back = nibabel.as_closest_canonical(nibabel.load(tmp_path / "sr.nii"))
    np.testing.assert_allclose(back.affine, THICK, atol=1e-4)
    assert np.array_equal(back.get_fdata().T, head(2))
    write_volume(tmp_path / "low.nii", pair.low, like=pair.low_grid)
    assert torch.equal(load_input(t1, tmp_path / "low.nii", 2).low, pair.low)


@pytest.mark.parametrize("order", MOVED)
def test_a_low_resolution_image_follows_the_slices_of_its_reference(order, tmp_path):
    """Its pixels are as large as its slices are thick: only the reference can tell."""
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n, (6, 48, 40))) for n in (1, 2))
    pair = load_pair(t1, t2, 4)
    grid = pair.low_grid.affine
    given = load_input(t1, store(tmp_path / "low.nii", pair.low, order, affine=grid), 4)
    assert given.low.shape[0] == 6
    assert "its slices lie along" in "".join(given.notes)
    assert float(given.low.sum()) == pytest.approx(float(pair.low.sum()), rel=1e-5)


def test_sizes_say_the_axis_of_slices_without_a_place_and_nothing_is_made_up(tmp_path):
    images = head(1)
    moved = store(tmp_path / "moved.nii", images, (2, 0, 1), codes=(0, 0))
    assert np.array_equal(read_volume(moved).images, images)
    assert read_volume(moved).field_of_view == (48, 40)
    assert read_volume(moved).slice_thickness == 6
    # neither place nor thickness: as an array
    with pytest.raises(InputError, match="24 images of 20 x 6"):
        read_volume(store(tmp_path / "moved.nii", images, (2, 0, 1), affine=EVEN, codes=(0, 0)))
    # long pixels of a volume whose slices are where they should be
    for affine in (np.diag([6.0, 2, 2, 1]), np.diag([2, 6.0, 2, 1])):
        assert read_volume(write(tmp_path / "t1.nii", images, affine)).notes == ()


def test_a_target_whose_slices_are_not_the_references_is_said_where_nothing_tells(tmp_path):
    t1, t2 = head(1, (14, 20, 18)), head(2, (14, 20, 18))
    moved = store(tmp_path / "t2.nii", t2, (2, 0, 1), affine=EVEN)
    notes = load_pair(write(tmp_path / "t1.nii", t1, EVEN), moved, 2).notes
    assert notes[1].startswith("t2.nii: taken as 20 slices of 18 x 14, as it is stored")


def test_one_row_is_one_row():
    k = dl.kspace.fft2c(phantom(1, 16, 1)[:, None]).roll((3, -1), (-2, -1))
    assert "lies 3 rows and -1 column off" in read_volume(k).notes[0]


def spoil(path, images, codes, **fields):
    data = bytearray(write(path, images, codes=codes).read_bytes())
    header = np.frombuffer(data, nibabel.Nifti1Header.template_dtype, 1).copy()
    for name, (index, value) in fields.items():
        header[name][(0, *index)] = value
    data[:348] = header.tobytes()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codes", [(0, 0), (2, 1), (0, 1)])
@pytest.mark.parametrize(
    "fields",
    [
        {"pixdim": ((1,), -2.0)},
        {"pixdim": ((3,), -6.0)},
        {"pixdim": ((1,), np.nan)},
        {"pixdim": ((2,), 0.0)},
        {"pixdim": ((0,), 0.0)},
        {"pixdim": ((0,), np.nan)},
        {"sform_code": ((), 99)},
        {"qform_code": ((), -3)},
        {"quatern_b": ((), 3.0)},
        {"srow_x": ((0,), 0.0)},
    ],
)
def test_no_header_ends_in_nibabels_own_error(codes, fields, tmp_path):
    """A negative size of voxels was a traceback of HeaderDataError, and so were qfac and codes."""
    odd, plain = spoil(tmp_path / "odd.nii", head(1), codes, **fields), head(2)
    t2 = write(tmp_path / "t2.nii", plain)
    for files in ((odd, t2), (t2, odd), (odd, odd)):
        with suppress(InputError):
            pair = load_pair(*files, 2)
            slice_, out = pair.take_slice(3), tmp_path / "out.nii"
            write_volume(out, pair.target_image, like=pair.grid)
            write_volume(out, slice_.target_image, like=slice_.grid)
            assert np.isfinite(nibabel.load(out).affine).all()


@pytest.mark.parametrize("codes", [(0, 0), (2, 1), (0, 1)])
def test_sizes_with_a_sign_are_sizes(codes, tmp_path, capsys):
    odd = spoil(tmp_path / "odd.nii", head(1), codes, pixdim=((1,), -2.0))
    t2 = write(tmp_path / "t2.nii", head(2))
    asked = ["evaluate", "--scale", "2", "--method", "zero-fill"]
    assert cli.main([*asked, "--reference", str(odd), "--target", str(t2)]) == 0
    assert read_volume(odd).field_of_view == (48, 40)
    assert torch.equal(load_pair(odd, t2, 2).ref, load_pair(head(1), head(2), 2).ref)


def test_a_file_without_a_place_beside_one_that_has_one_is_said(tmp_path, capsys):
    """A mirrored T1 whose codes are 0 cost 4 dB, without a word."""
    t1 = write(tmp_path / "t1.nii", head(1), codes=(0, 0))
    t2 = write(tmp_path / "t2.nii", head(2))
    low = write(tmp_path / "low.nii", head(3, (6, 12, 10)), np.diag([4.0, 4, 6, 1]), codes=(0, 0))
    placed = load_pair(t2, t2, 2)
    write_volume(tmp_path / "placed.nii", placed.low, like=placed.low_grid)
    for one, other in ((t1, t2), (t2, t1)):
        for load in (load_pair, load_input):
            (note,) = load(one, other, 2).notes
            assert note.startswith("t1.nii does not say where it lies, t2.nii does: taken")
    assert "t1.nii does not say" in "".join(load_input(t1, tmp_path / "placed.nii", 2).notes)
    assert load_pair(t1, t1, 2).notes == () and load_pair(head(1), t2, 2).notes == ()
    (note,) = load_input(t2, low, 2).notes
    assert note.startswith("low.nii does not say where it lies")


def test_a_templates_space_is_not_compared_with_the_scanners(tmp_path):
    """It was said to lie 67 voxels away."""
    shifted = THICK.copy()
    shifted[:3, 3] = -72, -126, -60
    mni = write(tmp_path / "mni.nii", head(1), shifted, codes=(4, 0))
    t2 = write(tmp_path / "t2.nii", head(2))
    with pytest.raises(InputError, match="MNI's space beside the scanner's, which cannot be comp"):
        load_pair(mni, t2, 2)
    with pytest.raises(InputError, match="scanner's space beside MNI's, which cannot be compared"):
        load_pair(t2, mni, 2, common_slices=True)
    with pytest.raises(InputError, match="voxels apart"):
        load_pair(write(tmp_path / "t1.nii", head(1), shifted), t2, 2)


@pytest.mark.parametrize("means", [True, False])
@pytest.mark.parametrize(("scale", "shape"), [(2, (77, 63)), (4, (78, 62)), (4, (77, 67))])
def test_blocks_of_odd_sizes_lie_where_their_affine_says(scale, shape, means, tmp_path):
    """They were stretched over the rows and columns that no block covers, at 4x refused."""
    full = dl.kspace.zero_fill(phantom(1, 80, 2), 2)[:, : shape[0], : shape[1]]
    rows, columns = (n // scale * scale for n in shape)
    blocks = full[:, :rows, :columns].unfold(1, scale, scale).unfold(2, scale, scale)
    low = blocks.mean((-2, -1)) if means else blocks[..., 0, 0]
    label = THICK @ np.diag([scale, scale, 1.0, 1])
    label[:2, 3] = (scale - 1) / 2 * 2 * means
    t1 = write(tmp_path / "t1.nii", full)
    pair = load_input(t1, write(tmp_path / "low.nii", low, label), scale)
    assert f"with pixels of {scale} x {scale} of the reference's: resampled" in pair.notes[0]
    cut = write(tmp_path / "cut.nii", full[:, :rows, :columns])
    wanted = load_input(cut, tmp_path / "low.nii", scale).zero_filled
    inner = (slice(None), slice(8, rows - 8), slice(8, columns - 8))
    found, by_hand = (dl.psnr(full[inner], x[inner]) for x in (pair.zero_filled, wanted))
    stretched = load_input(full, low, scale).zero_filled
    assert found > by_hand - 1.5 and found > dl.psnr(full[inner], stretched[inner]) + 1
    label[0, 3] += 2 * 2 * scale  # two of its own pixels further
    with pytest.raises(InputError, match="of its voxels off"):
        load_input(t1, write(tmp_path / "low.nii", low, label), scale)
