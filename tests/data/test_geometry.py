"""Where NIfTI pairs lie: turned onto each other, compared, shifted; written back where they were."""

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from helpers import phantom
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite import kspace as ks
from dcamsr_lite.data.files import Volume, read_volume, write_volume
from dcamsr_lite.data.geometry import has_place
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.errors import InputError
from dcamsr_lite.training.dataset import collect_slices, cut_slices

AFFINE = np.array([[2.0, 0, 0, -17], [0, 3, 0, 11], [0, 0, 5, -23], [0, 0, 0, 1]])
ORIENTATIONS = [
    "".join(axes)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for axes in itertools.product(*order)
]


def head(seed: int, shape: tuple[int, ...] = (12, 14, 16)) -> np.ndarray:
    """(slice, row, column), without any symmetry."""
    return 1 + np.random.default_rng(seed).random(shape, np.float32)


def write(path, images, affine=AFFINE, codes=(1, 1), unit="mm", qform=None):
    image = nibabel.Nifti1Image(np.asarray(images).T, affine)
    image.set_sform(affine, codes[0])
    image.set_qform(affine if qform is None else qform, codes[1])
    image.header.set_xyzt_units(unit)
    path.write_bytes(image.to_bytes())
    return path


def reorient(path, codes: str, to):
    """The same image stored in another order and direction of axes, by nibabel."""
    image = nibabel.load(path)
    change = ornt_transform(io_orientation(image.affine), axcodes2ornt(codes))
    turned = image.as_reoriented(change)
    to.write_bytes(turned.to_bytes())
    return to


def test_a_reference_in_any_orientation_makes_the_pair_of_the_targets_own(tmp_path, capsys):
    """LAS, RAI, RPS or ARS beside RAS lost 3 to 4 dB, without a word."""
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n)) for n in (1, 2))
    wanted = load_pair(t1, t2, 2)
    assert wanted.notes == () and capsys.readouterr().err == ""
    for codes in ORIENTATIONS:
        turned = reorient(t1, codes, tmp_path / "turned.nii")
        pair = load_pair(turned, t2, 2)
        assert torch.equal(pair.ref, wanted.ref) and torch.equal(pair.lr, wanted.lr)
        np.testing.assert_allclose(pair.reference.affine, AFFINE, atol=1e-5)
        np.testing.assert_allclose(pair.reference.nifti.get_qform(), AFFINE, atol=1e-4)
        assert pair.reference.field_of_view == pytest.approx((42, 32))
        said = f"note: turned.nii: axes turned, {codes} to RAS\n" if codes != "RAS" else ""
        assert capsys.readouterr().err == said


def test_a_target_in_another_orientation_is_written_back_in_its_own(tmp_path):
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n)) for n in (1, 2))
    for codes in ("LAS", "RAI", "ARS", "LPS"):
        given = reorient(t2, codes, tmp_path / "given.nii")
        for pair in (load_pair(t1, given, 2), load_input(t1, given, 2)):
            write_volume(tmp_path / "sr.nii", pair.target_image, like=pair.grid)
            back, before = nibabel.load(tmp_path / "sr.nii"), nibabel.load(given)
            np.testing.assert_allclose(back.affine, before.affine, atol=1e-5)
            assert np.array_equal(back.get_fdata(), before.get_fdata())
            for code in ("sform_code", "qform_code"):
                assert back.header[code] == before.header[code]
            # the reference lies on it: voxel by voxel as in the files
            onto = apply_orientation(
                nibabel.load(t1).get_fdata(),
                ornt_transform(io_orientation(AFFINE), axcodes2ornt(codes)),
            )
            assert np.array_equal(pair.reference_image.numpy(), onto.T)


def test_a_reference_whose_slices_run_along_another_axis_is_cut_anew(tmp_path):
    sagittal = reorient(write(tmp_path / "t.nii", head(1)), "ASR", tmp_path / "t1.nii")
    assert read_volume(sagittal).images.shape == (16, 12, 14)
    pair = load_pair(sagittal, write(tmp_path / "t2.nii", head(2)), 2)
    assert np.array_equal(pair.reference_image.numpy(), head(1))


def turn(degrees: float) -> np.ndarray:
    angle, matrix = np.deg2rad(degrees), np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def moved(**places: float) -> np.ndarray:
    affine = AFFINE.copy()
    for axis, place in places.items():
        affine["xyz".index(axis), 3] += place
    return affine


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (moved(x=0.9), AFFINE),  # 0.45 voxels
        (moved(z=-2.4), AFFINE),
        (turn(2) @ AFFINE, turn(2.1) @ AFFINE),  # a scan tilted a little later
        (turn(44.9) @ AFFINE, turn(45.1) @ AFFINE),  # axes that nibabel names differently
    ],
)
def test_scans_on_one_grid_within_half_a_voxel_are_left_as_they_are(one, two, tmp_path):
    files = [write(tmp_path / f"t{n}.nii", head(n), a) for n, a in ((1, one), (2, two))]
    pair, plain = load_pair(*files, 2), load_pair(head(1), head(2), 2)
    assert torch.equal(pair.ref, plain.ref) and pair.notes == ()


@pytest.mark.parametrize(
    "affine",
    [
        moved(x=1.2),  # 0.6 voxels
        moved(y=-30),
        moved(z=3),
        turn(4) @ AFFINE,
        AFFINE @ np.diag([1.1, 1, 1, 1]),
        np.diag([1.0, 1, 1.3, 1]) @ AFFINE,
    ],
)
@pytest.mark.parametrize("load", [load_pair, load_input])
def test_a_reference_on_another_grid_is_refused_with_both_named(load, affine, tmp_path):
    """A T1 elsewhere in space was accepted."""
    t1, t2 = write(tmp_path / "t1.nii", head(1), affine), write(tmp_path / "t2.nii", head(2))
    with pytest.raises(InputError, match="(?s)t1.nii: found .*RAS.*beside 2 x 3 x 5 mm.*t2.nii"):
        load(t1, t2, 2)


def test_files_that_do_not_say_where_they_lie_are_taken_as_they_are(tmp_path):
    t2 = write(tmp_path / "t2.nii", head(2))
    plain = load_pair(head(1), head(2), 2)
    lost, flat = np.full((4, 4), np.nan), np.diag([0.0, 3, 5, 1])
    unplaced = [
        write(tmp_path / "none.nii", head(1), moved(x=90), codes=(0, 0)),
        head(1),
        Volume(torch.from_numpy(head(1)), affine=lost),
        Volume(torch.from_numpy(head(1)), affine=flat),
    ]
    data = bytearray(write(tmp_path / "nan.nii", head(1)).read_bytes())
    data[280:284] = np.float32(np.nan).tobytes()  # srow_x
    (tmp_path / "nan.nii").write_bytes(data)
    for one in [*unplaced, tmp_path / "nan.nii"]:
        assert not has_place(read_volume(one))
        for pair in (load_pair(one, t2, 2), load_input(one, t2, 2)):
            assert torch.equal(pair.ref, plain.ref)
            # a file that says no place beside one that does gets a line; an array cannot say one
            said = "does not say where it lies, t2.nii does" in "".join(pair.notes)
            assert len(pair.notes) == said == isinstance(one, Path)
        assert torch.equal(load_pair(t2, one, 2).ref, load_pair(head(2), head(1), 2).ref)


def test_units_and_forms_that_differ_are_one_place(tmp_path):
    """Metres beside millimetres; a qform that disagrees, where nibabel and others take the sform."""
    scaled = np.diag([1e-3, 1e-3, 1e-3, 1]) @ AFFINE
    t1 = write(tmp_path / "t1.nii", head(1), scaled, unit="meter")
    t2 = write(tmp_path / "t2.nii", head(2), codes=(1, 4), qform=moved(x=50))
    assert load_pair(t1, t2, 2).notes == ()
    only = write(tmp_path / "q.nii", head(1), codes=(0, 1))
    assert load_pair(only, t2, 2).notes == ()
    # a template's space in the sform is another one than the scanner's in the other file
    fitted = write(tmp_path / "mni.nii", head(1), turn(9) @ AFFINE, codes=(4, 1), qform=AFFINE)
    t2 = write(tmp_path / "t2.nii", head(2))
    pair = load_pair(fitted, t2, 2)
    assert pair.notes == () and torch.equal(pair.ref, load_pair(head(1), head(2), 2).ref)
    flipped = np.diag([-1.0, 1, 1, 1]) @ AFFINE
    both = write(tmp_path / "las.nii", head(1), turn(9) @ AFFINE, codes=(4, 1), qform=flipped)
    with pytest.raises(InputError, match="las.nii: found 2 x 3 x 5 mm voxels, RAS.* RAS"):
        load_pair(both, t2, 2)


def test_a_slice_by_itself_is_turned_too(tmp_path):
    image = head(1)[0]
    for axes, codes in (((), "RAS"), ((1,), "LAS"), ((0, 1), "LPS")):
        change = np.diag([-1.0 if 1 in axes else 1, -1.0 if 0 in axes else 1, 1, 1])
        change[:2, 3] = 15 * (1 in axes), 13 * (0 in axes)
        one = write(tmp_path / "t1.nii", np.flip(image, axes), AFFINE @ change)
        pair = load_pair(one, write(tmp_path / "t2.nii", head(2)[0]), 2)
        assert np.array_equal(pair.reference_image[0].numpy(), image), codes


def test_other_sizes_without_a_place_are_said(tmp_path, capsys):
    t1, t2 = (torch.from_numpy(head(n)) for n in (1, 2))
    one, two = Volume(t1, field_of_view=(160.0, 160.0)), Volume(t2, field_of_view=(140.0, 140.0))
    assert "160 x 160 mm, target 140 x 140 mm" in load_pair(one, two, 2).notes[0]
    assert capsys.readouterr().err.startswith("note: reference covers 160 x 160 mm")
    assert load_pair(one, Volume(t2, field_of_view=(160.2, 160.0)), 2).notes == ()


def smooth(shape=(1, 64, 64)) -> torch.Tensor:
    return ks.zero_fill(phantom(*shape[:2], 2), 2)


def block_means(images: torch.Tensor, scale: int) -> torch.Tensor:
    return images.unfold(1, scale, scale).unfold(2, scale, scale).mean((-2, -1))


@pytest.mark.parametrize("scale", [2, 4])
def test_block_means_lie_where_their_affine_says(scale, tmp_path, capsys):
    """4 x 4 means lie 1.5 pixels off a crop of k-space: 20.1 dB, where 29.5 were to be had."""
    full, affine = smooth(), np.diag([2.0, 2, 5, 1])
    t1 = write(tmp_path / "t1.nii", full, affine)
    label = affine @ np.diag([scale, scale, 1.0, 1])
    label[:2, 3] = (scale - 1) / 2 * 2  # mm: means of s pixels lie between them
    low = write(tmp_path / "low.nii", block_means(full, scale), label)
    pair = load_input(t1, low, scale)
    off = (scale - 1) / 2
    assert pair.notes == (
        f"low.nii: lies {off:g} and {off:g} pixels off a crop of k-space, by its affine: shifted",
    )
    assert capsys.readouterr().err == f"note: {pair.notes[0]}\n"
    ignored = load_input(full, block_means(full, scale), scale)
    found, before = (dl.psnr(full, p.zero_filled) for p in (pair, ignored))
    assert found > before + 3
    assert dl.psnr(full, dl.evaluation.METHODS["bicubic"](pair)) > before + 3
    # the shift is the one of the sampling, to the sample
    crop = load_pair(full, full, scale).low
    inner = (slice(None), slice(3, -3), slice(3, -3))
    away = [float((p.low - crop)[inner].abs().max()) for p in (pair, ignored)]
    assert away[0] < away[1] / 2


@pytest.mark.parametrize("shape", [(64, 48), (44, 36), (62, 50)])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "RPI", "ARS"])
def test_what_we_crop_and_write_is_read_where_it_lies(shape, codes, tmp_path):
    """A crop keeps the middle pixel: our own files say so, and are not shifted."""
    t1, t2 = (ks.center_crop(phantom(2, 64, seed), shape) for seed in (1, 2))
    affine = AFFINE @ np.diag([1, 2 / 3, 1, 1])
    first = write(tmp_path / "t1.nii", t1, affine)
    pair = load_pair(first, write(tmp_path / "t2.nii", t2, affine), 4)
    low = tmp_path / "low.nii"
    write_volume(low, pair.low, like=pair.low_grid)
    given = load_input(first, low, 4)
    assert given.notes == () and torch.equal(given.low, pair.low)
    if shape[0] % 4 == 0 and shape[1] % 4 == 0:  # else a reoriented file is another crop
        stored = write(tmp_path / "t1.nii", t1, affine)
        turned = load_input(reorient(stored, codes, tmp_path / "t.nii"), low, 4)
        assert torch.equal(turned.ref, given.ref) and torch.equal(turned.lr, given.lr)
    # a grid that only the low-resolution image knows
    written = tmp_path / "sr.nii"
    blind = load_input(t1, low, 4)
    write_volume(written, t2, like=blind.grid)
    np.testing.assert_allclose(nibabel.load(written).affine, affine, atol=1e-4)
    assert blind.field_of_view == pytest.approx(pair.field_of_view, rel=1e-5)


def test_a_low_resolution_file_that_says_nothing_fits_any_reference(tmp_path):
    t1, low = write(tmp_path / "t1.nii", phantom(2, 64, 1)), phantom(2, 16, 2)
    write_volume(tmp_path / "low.nii", low)
    assert read_volume(tmp_path / "low.nii").field_of_view is None
    pair = load_input(t1, tmp_path / "low.nii", 4)
    assert pair.notes == () and torch.equal(pair.low, low)
    np.testing.assert_allclose(pair.affine, AFFINE)


def test_a_low_resolution_image_in_another_orientation_is_sharpened_in_its_own(tmp_path):
    t1, t2 = phantom(2, 64, 1), phantom(2, 64, 2)
    first = write(tmp_path / "t1.nii", t1)
    pair = load_pair(first, write(tmp_path / "t2.nii", t2), 4)
    write_volume(tmp_path / "low.nii", pair.low, like=pair.low_grid)
    flipped = reorient(tmp_path / "low.nii", "LPS", tmp_path / "flipped.nii")
    given = load_input(first, flipped, 4)
    assert given.notes[0] == "t1.nii: axes turned, RAS to LPS"
    # pixel 0 is now at the other end: the crop of a turned image is not the turned crop
    assert "3 and 3 pixels off" in given.notes[1]
    assert dl.psnr(t2.flip(-1, -2), given.zero_filled) > dl.psnr(t2, pair.zero_filled) - 1
    write_volume(tmp_path / "sr.nii", given.zero_filled, like=given.grid)
    back = nibabel.load(tmp_path / "sr.nii")
    assert nibabel.aff2axcodes(back.affine) == ("L", "P", "S")
    ends = inv_ornt_aff(np.array([[0, -1], [1, -1], [2, 1]]), (64, 64, 2))
    np.testing.assert_allclose(back.affine, AFFINE @ ends, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        np.diag([5 / 4, 5 / 4, 1, 1]),  # 10 mm pixels beside 2: another field of view
        np.diag([1, 1, 2.0, 1]),
        moved(x=30) @ np.linalg.inv(AFFINE),
        turn(5),
    ],
)
def test_a_low_resolution_image_of_something_else_is_refused(change, tmp_path):
    """It got the reference's affine."""
    t1 = write(tmp_path / "t1.nii", phantom(2, 64, 1))
    label = change @ AFFINE @ np.diag([4.0, 4, 1, 1])
    low = write(tmp_path / "low.nii", phantom(2, 16, 2), label)
    with pytest.raises(InputError, match="low.nii: found .* beside 2 x 3 x 5 mm.*reference covers"):
        load_input(t1, low, 4)
    blind = write(tmp_path / "low.nii", phantom(2, 16, 2), label, codes=(0, 0))
    if change[0, 0] > 1:  # its sizes alone
        with pytest.raises(InputError, match="low.nii: found .* mm beside a reference of"):
            load_input(t1, blind, 4)


def test_unequal_slices_are_refused_with_both_counts_or_cut_to_the_common_ones(tmp_path, capsys):
    t1, t2 = head(1), head(2)
    for one, two in ((t1, t2[:9]), (t1[:9], t2)):
        with pytest.raises(InputError, match=r"(?s)(9.*12|12.*9).*common_slices=True"):
            load_pair(one, two, 2)
        pair = load_pair(one, two, 2, common_slices=True)
        wanted = load_pair(t1[:9], t2[:9], 2)
        assert torch.equal(pair.ref, wanted.ref) and torch.equal(pair.lr, wanted.lr)
        assert "the common 9 are taken" in capsys.readouterr().err
        rows = [(one, two, "p01")]
        found = dl.evaluate("zero-fill", rows, 2, common_slices=True)
        assert found["psnr"] == dl.evaluate("zero-fill", wanted)["psnr"]
        with pytest.raises(InputError, match="common_slices"):
            dl.evaluate("zero-fill", rows, 2)
    assert load_pair(t1, t2, 2, common_slices=True).notes == ()
    with pytest.raises(InputError, match="the same matrix$"):
        load_pair(t1[:9, :10], t2, 2, common_slices=True)
    # coil by coil, too
    coils = torch.randn(3, 2, 16, 16, dtype=torch.complex64)
    pair = load_pair(coils[:2], coils, 2, common_slices=True)
    assert torch.equal(pair.target_kspace, coils[:2]) and pair.order == "coils"


def test_a_training_reads_pairs_turned_and_cut_to_common_slices(tmp_path, capsys):
    """Its mirrored copies, too, whose place is no longer known."""
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n)) for n in (1, 2))
    turned = reorient(t1, "LAS", tmp_path / "las.nii")
    few = write(tmp_path / "few.nii", head(2)[:9])
    for found, wanted in zip(cut_slices([(turned, t2)], 2), cut_slices([(t1, t2)], 2), strict=True):
        assert torch.equal(found, wanted)
    assert capsys.readouterr().err == "note: las.nii: axes turned, LAS to RAS\n"  # once
    with pytest.raises(InputError, match="common_slices"):
        cut_slices([(t1, few)], 2)
    cut = cut_slices([(t1, few)], 2, common_slices=True)
    kept = collect_slices([(t1, few)], 2, "cache", limit=0, common_slices=True)
    assert len(cut[0]) == len(kept) == 18
    (tmp_path / "pairs.csv").write_text("t1.nii,few.nii\n")
    asked = ["train", "--data", "pairs.csv", "--validation", "pairs.csv", "--out", "run"]
    asked += ["--scale", "2", "--steps", "1", "--batch", "1", "--method", "edsr"]
    asked += ["--set", "channels=8", "--set", "blocks=[1]"]
    assert cli.main(asked) == 2
    assert cli.main([*asked, "--common-slices"]) == 0


def test_common_slices_are_those_in_one_place(tmp_path):
    t1, t2 = head(1), head(2)
    one = write(tmp_path / "t1.nii", t1[2:11], moved(z=10))
    pair = load_pair(one, write(tmp_path / "t2.nii", t2[:7]), 2, common_slices=True)
    assert np.array_equal(pair.reference_image.numpy(), t1[2:7])
    assert np.array_equal(pair.target_image.numpy(), t2[2:7])
    write_volume(tmp_path / "sr.nii", pair.target_image, like=pair.grid)
    np.testing.assert_allclose(nibabel.load(tmp_path / "sr.nii").affine, moved(z=10))
    with pytest.raises(InputError, match="no slice"):
        far = write(tmp_path / "t1.nii", t1, moved(z=1000))
        load_pair(far, tmp_path / "t2.nii", 2, common_slices=True)


def test_a_slice_of_a_pair_lies_where_it_lay(tmp_path):
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n)) for n in (1, 2))
    blind = write(tmp_path / "none.nii", head(1), codes=(0, 0))
    one = load_pair(blind, blind, 2).take_slice(5)
    write_volume(tmp_path / "sr.nii", one.target_image, like=one.grid)
    header = nibabel.load(tmp_path / "sr.nii").header
    assert header["sform_code"] == header["qform_code"] == 0  # no place is made up
    assert header.get_zooms() == (2, 3, 5)
    write_volume(tmp_path / "low.nii", one.low, like=one.low_grid)
    header = nibabel.load(tmp_path / "low.nii").header
    assert header["sform_code"] == 0 and header.get_zooms() == (4, 6, 5)
    one = load_pair(t1, t2, 2).take_slice(5)
    np.testing.assert_allclose(one.affine, moved(z=25))
    write_volume(tmp_path / "sr.nii", one.target_image, like=one.grid)
    np.testing.assert_allclose(nibabel.load(tmp_path / "sr.nii").affine, moved(z=25))


def test_the_command_line_says_what_it_did_and_takes_common_slices(tmp_path, capsys):
    t1, t2 = (write(tmp_path / f"t{n}.nii", head(n)) for n in (1, 2))
    turned = reorient(t1, "LAS", tmp_path / "las.nii")
    few = write(tmp_path / "few.nii", head(2)[:9])
    asked = ["evaluate", "--scale", "2", "--method", "zero-fill", "--reference", str(turned)]
    assert cli.main([*asked, "--target", str(t2)]) == 0
    assert "note: las.nii: axes turned, LAS to RAS\n" in capsys.readouterr().err
    assert cli.main([*asked, "--target", str(few)]) == 2
    refusal = capsys.readouterr().err
    assert "--common-slices" in refusal and refusal.count("\n") == 1
    assert cli.main([*asked, "--target", str(few), "--common-slices"]) == 0
    assert "the common 9 are taken" in capsys.readouterr().err
