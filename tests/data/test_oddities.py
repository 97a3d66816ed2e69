"""Files and arrays that are not as they are taken to be: found, said, and put right where it can be."""

import h5py
import numpy as np
import pytest
import torch
from helpers import coil_kspace, images, kspace, m4raw_kspace, phantom

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite import kspace as ks
from dcamsr_lite.data.files import Volume, read_volume, write_m4raw, write_volume
from dcamsr_lite.data.oddities import find_offset
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.errors import InputError

PROTOCOL = {"tr": 500, "te": 18.4, "flip": 90}


def peak(k: torch.Tensor) -> tuple[int, int]:
    return divmod(int(k.abs().square().sum(0).argmax()), k.shape[-1])


@pytest.mark.parametrize("shift", [(3, 0), (0, -2), (5, -7), (-12, 9), (32, 32)])
@pytest.mark.parametrize("scale", [2, 4])
def test_k_space_off_the_centre_is_cropped_about_its_peak(shift, scale, capsys):
    """M4Raw's own correction; 10 and -12 samples of 128 cost the network 4.5 dB at 4x."""
    k = coil_kspace(2, 64, 1)
    wanted, pair = (load_pair(k, other, scale) for other in (k, k.roll(shift, (-2, -1))))
    torch.testing.assert_close(pair.low, wanted.low)
    torch.testing.assert_close(pair.zero_filled, wanted.zero_filled)
    torch.testing.assert_close(pair.target_image, wanted.target_image)
    assert torch.equal(pair.target_kspace, k)
    note = f"its k-space lies {shift[0]} rows and {shift[1]} columns off the centre: rolled back"
    if shift == (32, 32):  # not shifted at all, as by numpy.fft.fft2
        note = note.replace("32", "-32")
    assert pair.notes == (f"array: {note}",)
    assert capsys.readouterr().err == f"note: array: {note}\n"


def test_k_space_is_left_alone_where_its_centre_is_not_clearly_elsewhere():
    one = coil_kspace(3, 64, 1)
    for k in (one, one.roll((1, -1), (-2, -1)), kspace(), m4raw_kspace()[:2, :, ::4, ::4]):
        volume = read_volume(k)
        assert torch.equal(volume.kspace, k) and volume.notes == ()
    # coils whose phases move their own peaks go with the rest
    coils = one.clone()
    coils[:, 3] = 0.5 * coils[:, 3].roll((4, 4), (-2, -1))
    assert torch.equal(read_volume(coils).kspace, coils)


def test_slices_follow_the_volume_unless_their_own_peak_is_elsewhere():
    k = coil_kspace(4, 64, 1)
    off = k.roll((6, 4), (-2, -1))
    off[3] = k[3].roll((-9, 0), (-2, -1))
    noise = 1e-3 * float(k.abs().max()) * torch.randn(4, 64, 64, dtype=torch.complex64)
    off[1], k[1] = noise, noise.roll((-6, -4), (-2, -1))  # air: no peak of its own
    before = off.clone()
    volume = read_volume(off)
    assert torch.equal(volume.kspace, k) and torch.equal(off, before)
    assert "up to -9 rows and 0 columns" in volume.notes[0]
    some = coil_kspace(4, 64, 1)
    some[2] = some[2].roll((7, 0), (-2, -1))
    assert "in 1 of 4 slices 7 rows" in read_volume(some).notes[0]


@pytest.mark.parametrize("crop", [None, (48, 40)])
def test_k_space_of_a_file_is_centred_too(crop, tmp_path, capsys):
    k = coil_kspace(2, 64, 1)
    files = []
    for name, shift in (("1_T101.h5", (0, 0)), ("1_T201.h5", (8, -4))):
        files.append(tmp_path / name)
        with h5py.File(files[-1], "w") as file:
            file["kspace"] = k.roll(shift, (-2, -1)).numpy()
            if crop:  # as fastMRI: cut in the image first
                coils = ks.center_crop(ks.ifft2c(k), crop)
                file["reconstruction_rss"] = ks.rss(coils).numpy()
    wanted, volume = (read_volume(file) for file in files)
    assert wanted.notes == () and len(volume.notes) == 1
    for coils in volume.kspace:  # a crop of the image leaves half a sample
        centre = np.array(coils.shape[-2:]) // 2
        assert np.abs(peak(coils) - centre).max() <= (1 if crop else 0)
    torch.testing.assert_close(volume.images, wanted.images)
    asked = ["evaluate", "--reference", str(files[0]), "--target", str(files[1]), "--scale", "4"]
    assert cli.main([*asked, "--method", "zero-fill"]) == 0
    assert capsys.readouterr().err.startswith("note: 1_T201.h5: its k-space lies ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x, ""),
        (lambda x: 1.02 * x, ""),
        (lambda x: x[:, ::-1], "flipped along rows"),
        (lambda x: x[:, :, ::-1], "flipped along columns"),
        (lambda x: x[:, ::-1, ::-1], "flipped along rows, flipped along columns"),
        (lambda x: x[::-1], "slices reversed"),
        (lambda x: x.transpose(0, 2, 1), "transposed"),
        (lambda x: 1000 * x, "1000 times as bright"),
        (lambda x: 1e-3 * x[:, ::-1], "flipped along rows, 0.001 times as bright"),
        (lambda x: x[:, np.random.default_rng(0).permutation(24)], "another image"),
        (lambda x: 0 * x, "another image"),
        (lambda x: np.nan * x, "another image"),
        (lambda x: x.astype(int), "not to be read"),
        (lambda x: np.pad(x, ((0, 0), (0, 0), (0, 8))), "of shape (4, 24, 32), not (4, 24, 24)"),
    ],
)
def test_a_stored_reconstruction_that_is_not_that_of_k_space_is_said(change, words, tmp_path):
    k = ks.fft2c(torch.rand(4, 2, 24, 24))
    path = tmp_path / "file1.h5"
    write_m4raw(path, k, "AXT2", PROTOCOL, "1")
    with h5py.File(path, "r+") as file:
        stored = file["reconstruction_rss"][()]
        del file["reconstruction_rss"]
        file["reconstruction_rss"] = np.ascontiguousarray(change(stored))
    volume = read_volume(path)
    torch.testing.assert_close(volume.images, ks.rss(ks.ifft2c(k)))  # what k-space says counts
    start = "file1.h5: its reconstruction_rss is not that of its k-space, which is taken, but "
    assert volume.notes == ((start + words,) if words else ())


def test_slices_at_the_end_are_refused_with_what_to_do(tmp_path):
    last, middle = images(64, 64, 18), images(64, 18, 64)
    for array, axis in ((last, 2), (middle, 1), (images(64, 64, 1), 2)):
        np.save(tmp_path / "t1.npy", array)
        write_volume(tmp_path / "t1.nii", array)
        write_volume(tmp_path / "t1.h5", array)
        files = [tmp_path / f"t1.{kind}" for kind in ("npy", "nii", "h5")]
        for source in (array, torch.from_numpy(array), *files):
            with pytest.raises(InputError, match=rf"64 images of .*moveaxis\(array, {axis}, 0\)"):
                load_pair(source, source, 2)
        turned = np.moveaxis(array, axis, 0)
        assert read_volume(turned).images.shape == turned.shape
    with pytest.raises(InputError, match=r"\(slice, coil, row, column\)"):
        read_volume(np.moveaxis(kspace(2, 16, 64).numpy(), 1, 3))
    for shape in ((18, 64, 64), (1, 64, 32), (60, 64, 32), (40, 16, 16), (64, 64)):
        assert read_volume(images(*shape)).images.shape[-2:] == shape[-2:]
    volume = Volume(torch.from_numpy(last))
    assert load_pair(volume, volume, 2).shape == (64, 18)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint8])
def test_what_is_masked_is_zero(kind, capsys):
    """The mask was lost, and what lies under it came back: -9999, or another patient's arm."""
    array = (100 * images(2, 16, 16) + 1).astype(kind)
    hidden = array.copy()
    hidden[:, :4] = np.iinfo(np.int8).max
    masked = np.ma.masked_array(hidden, np.arange(16)[:, None] + np.zeros((2, 1, 16)) < 4)
    array[:, :4] = 0
    assert np.array_equal(read_volume(masked).images, array)
    wanted = load_pair(array, array, 2)
    pair = load_pair(masked, masked, 2)
    assert torch.equal(pair.lr, wanted.lr) and torch.equal(pair.ref, wanted.ref)
    assert capsys.readouterr().err == 2 * "note: array: its 128 masked voxels are 0\n"
    write_volume("masked.npy", masked)
    assert np.array_equal(np.load("masked.npy"), array.astype(np.float32))
    assert read_volume(np.ma.masked_array(array, False)).notes == ()
    with pytest.raises(InputError, match="masked samples"):
        read_volume(np.ma.masked_array(kspace().numpy(), True))


@pytest.mark.parametrize("share", [-0.02, -0.05, -0.09])
@pytest.mark.parametrize("normalisation", ["clean", "released"])
def test_an_offset_is_not_folded_up(share, normalisation, capsys):
    """The magnitude of the crop folded the background: SSIM 0.72 became 0.25 at -5 %."""
    t1, t2 = phantom(2, 48, 1), phantom(2, 48, 2)
    plain = load_pair(t1, t2, 4, normalisation=normalisation)
    for one, two in ((t1, t2 + share), (t1 + share, t2), (t1 + share, t2 + share)):
        capsys.readouterr()
        pair = load_pair(one, two, 4, normalisation=normalisation)
        offset = float(two.min() if two is not t2 else 0)
        for name in ("lr", "ref", "target", "std"):
            found, wanted = getattr(pair, name), getattr(plain, name)
            torch.testing.assert_close(found, wanted, atol=2e-3, rtol=2e-3)
        torch.testing.assert_close(pair.zero_filled, plain.zero_filled + offset, atol=1e-4, rtol=0)
        torch.testing.assert_close(pair.low, plain.low + offset, atol=1e-4, rtol=0)
        torch.testing.assert_close(pair.restore(pair.target), two, atol=1e-4, rtol=0)
        assert torch.equal(pair.target_image, two) and pair.offset == pytest.approx(offset)
        for metric in ("psnr", "ssim", "nmse"):
            found, wanted = (dl.evaluate("zero-fill", p)[metric] for p in (pair, plain))
            assert found == pytest.approx(wanted, rel=1e-3)
        said = capsys.readouterr().err
        assert said.count("an offset") == (one is not t1) + (two is not t2)
    low = load_input(t1, plain.low + share, 4, normalisation=normalisation)
    wanted = load_input(t1, plain.low, 4, normalisation=normalisation)
    torch.testing.assert_close(low.lr, wanted.lr, atol=2e-3, rtol=2e-3)
    assert dl.psnr(wanted.zero_filled, low.zero_filled - share) > 50


def test_undershoot_of_interpolation_is_no_offset():
    kept = ks.center_crop(ks.fft2c(phantom(2, 64, 2)), (20, 20))
    smooth = ks.ifft2c(ks.center_pad(kept, (64, 64))).real
    assert float(smooth.min()) < -0.03 and find_offset(smooth) == 0
    assert load_pair(phantom(2, 64, 1), smooth, 2).notes == ()


def test_slices_that_may_be_last_are_said(tmp_path):
    """128 x 128 x 72 from nibabel's get_fdata, as 128 slices of 128 x 72, without a word."""
    for shape, axis in (((32, 32, 18), 2), ((40, 32, 20), 2), ((32, 18, 32), 1), ((32, 32, 40), 2)):
        array = images(*shape)
        np.save(tmp_path / "t1.npy", array)
        write_volume(tmp_path / "t1.h5", array)
        write_volume(tmp_path / "t1.nii", array)  # says what its axes are
        for source in (array, tmp_path / "t1.npy", tmp_path / "t1.h5"):
            (note,) = read_volume(source).notes
            assert f"taken as {shape[0]} slices of {shape[1]} x {shape[2]}" in note
            assert f"numpy.moveaxis(array, {axis}, 0)" in note
        assert read_volume(tmp_path / "t1.nii").notes == ()
    for shape in ((18, 32, 32), (32, 40, 36), (32, 40, 32), (1, 32, 24), (32, 24)):
        assert read_volume(images(*shape)).notes == ()


def test_missing_samples_of_k_space_are_said(tmp_path):
    """Every second column 0, without a `mask`: 30.9 to 24.8 dB."""
    whole = coil_kspace(3, 64, 1)
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    scattered = torch.rand(64, 64, generator=torch.Generator().manual_seed(0)) < 0.6
    for sampled in (column % 2 == 0, row % 3 > 0, (column - 32).abs() != 9, scattered):
        k = whole.clone()
        k[1] *= sampled
        write_m4raw(tmp_path / "1_T201.h5", k, "AXT2", PROTOCOL, "1")
        for source in (k, tmp_path / "1_T201.h5"):
            (note,) = read_volume(source).notes
            assert "of its samples between others are 0" in note
    # partial Fourier, zeros around what was measured, a disc
    disc = (row - 32) ** 2 + (column - 32) ** 2 < 900
    for sampled in (column > 22, (row > 5) & (row < 60), disc):
        assert read_volume(whole * sampled).notes == ()


def test_images_of_coils_are_not_taken_for_k_space_in_silence():
    k = coil_kspace(3, 64, 1)
    assert "looks like an image" in read_volume(ks.ifft2c(k)).notes[0]
    assert read_volume(k).notes == ()


def test_complex_arrays_of_which_nobody_can_tell_what_they_are_say_what_to_do(tmp_path):
    k = coil_kspace(3, 32, 1)
    for array, words in ((k[:, 0], r"array\[:, None\]"), (k[0, 0], r"array\[None, None\]")):
        for source in (array, array.numpy()):
            with pytest.raises(InputError, match=r"abs\(array\), or .*k-space .*: " + words):
                read_volume(source)
    np.save(tmp_path / "k.npy", k.numpy())
    with pytest.raises(InputError, match="in memory k-space"):
        read_volume(tmp_path / "k.npy")
    assert read_volume(k[:, 0][:, None]).images.shape == (3, 32, 32)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", ">u2", "int32"])
def test_reconstructions_of_whole_numbers_are_read(kind, tmp_path):
    array = (100 * images(3, 16, 16)).astype(kind)
    with h5py.File(tmp_path / "t1.h5", "w") as file:
        file["reconstruction_rss"] = array
    volume = read_volume(tmp_path / "t1.h5")
    assert np.array_equal(volume.images, array.astype(np.float32)) and volume.notes == ()


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
def test_a_head_in_the_corners_is_said_and_one_that_is_placed_askew_is_not(axes, capsys):
    """A checkerboard on k-space, or a forgotten fftshift: nothing was said."""
    head = phantom(3, 64, 2)
    generator = torch.Generator().manual_seed(0)
    noisy = (head / head.max() + 0.02 * torch.randn(head.shape, generator=generator)).abs()
    for one in (head, noisy):
        moved = one.roll([32] * len(axes), axes)
        pair = dl.load_pair(moved, one, scale=4)
        words = capsys.readouterr().err
        assert words.count("half a field off") == 1 and pair.notes == (words.strip()[6:],)
        named = [name for axis, name in ((1, "rows"), (2, "columns")) if axis in axes]
        assert f"along {' and '.join(named)}, " in words
        again = np.roll(moved, [32] * len(axes), axes)  # as the note has it
        assert np.array_equal(again, one)
        askew = one.roll([9] * len(axes), axes)
        assert dl.load_pair(askew, one, scale=4).notes == ()
