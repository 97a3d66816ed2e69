"""References on other grids and in other places: brought onto the target, and told how well."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from helpers import SHARED
from scipy import ndimage
from scipy.spatial.transform import Rotation

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.data import misalignment, registration
from dcamsr_lite.data.files import read_volume, write_volume
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.errors import InputError

REAL = SHARED / "data" / "open_ms"


@pytest.fixture
def itk():
    return pytest.importorskip("SimpleITK", reason="SimpleITK, of the extra [scans], is not here")


def place(shape, sizes):
    """An affine whose middle voxel lies at 0."""
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -np.array(sizes) * (np.array(shape[::-1]) - 1) / 2
    return affine


def move(images, sizes, turn=(0, 0, 0), shift=(0, 0, 0), shape=None, new=None):
    """What lies turned by degrees and shifted by mm (x, y, z), on another grid if there is one."""
    shape, new = shape or images.shape, new or sizes
    rigid = np.eye(4)
    rigid[:3, :3] = Rotation.from_rotvec(np.deg2rad(turn)).as_matrix()
    rigid[:3, 3] = shift
    matrix = np.linalg.inv(place(images.shape, sizes)) @ np.linalg.inv(rigid) @ place(shape, new)
    swap = matrix[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    found = ndimage.affine_transform(images, swap[:3, :3], swap[:3, 3], shape, order=3)
    return found.clip(0)


def write(path, images, sizes):
    nibabel.save(nibabel.Nifti1Image(images.T, place(images.shape, sizes)), path)
    return path


@pytest.fixture(scope="module")
def head():
    return make_head()


def make_head(seed=3, width=0.65):
    """Two contrasts of a made head (14, 64, 64), 3.75 x 3.75 x 5 mm: tissues of random shape."""
    random = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (14, 64, 64)), indexing="ij")
    inside = (axes[0] / 1.2) ** 2 + (axes[1] / 0.8) ** 2 + (axes[2] / width) ** 2 < 1
    shapes = ndimage.gaussian_filter(random.standard_normal(inside.shape), (1.2, 2.2, 2.2))
    tissue = np.where(inside, 1 + np.digitize(shapes, np.quantile(shapes, (0.3, 0.5, 0.8))), 0)
    noise = random.random((2, *inside.shape))
    values = np.array([[0, 0.2, 0.9, 0.6, 0.45], [0, 1.0, 0.3, 0.5, 0.7]])
    both = values[:, tissue] + 0.03 * noise
    return [ndimage.gaussian_filter(one, (0.4, 0.6, 0.6)).astype(np.float32) for one in both]


SIZES = (3.75, 3.75, 5.0)


def placed(images):
    return Volume(torch.from_numpy(images), affine=place(images.shape, SIZES))


@pytest.mark.slow
def test_a_reference_on_another_grid_turned_and_shifted_is_brought_back(itk, head, tmp_path):
    t1, t2 = head
    moved = move(t1, SIZES, (1, 0, 4), (8.0, -6, 0), (16, 72, 80), (3.2, 3.6, 4.7))
    files = (
        write(tmp_path / "t1.nii", moved, (3.2, 3.6, 4.7)),
        write(tmp_path / "t2.nii", t2, SIZES),
    )
    with pytest.raises(InputError, match="--register"):
        dl.load_pair(*files, 2)
    pair = dl.load_pair(*files, 2, register=True)
    done = pair.registration
    assert not done.doubtful and done.resampled
    assert abs(done.rotation - np.linalg.norm([1, 0, 4])) < 0.7
    np.testing.assert_allclose(done.pixels, [0, -6 / 3.75, 8 / 3.75], atol=0.5)
    assert done.after > done.before
    assert str(done) in pair.notes
    inner = np.s_[3:-3, 8:-8, 8:-8]
    found = np.corrcoef(pair.reference_image.numpy()[inner].ravel(), t1[inner].ravel())[0, 1]
    assert found > 0.95
    again = dl.load_pair(*files, 2, register=True)
    assert torch.equal(again.ref, pair.ref) and again.registration == done


WIDE = (7.5, 7.5, 6.6)


@pytest.fixture(scope="module")
def small(head):
    """The same head (10, 32, 32) with voxels of ``WIDE``: quick to register."""
    both = [ndimage.zoom(one, (0.75, 0.5, 0.5), order=1) for one in head]
    return [Volume(torch.from_numpy(one), affine=place(one.shape, WIDE)) for one in both]


def test_an_aligned_reference_is_not_touched(itk, small):
    pair = dl.load_pair(*small, 2, register=True)
    assert torch.equal(pair.ref, dl.load_pair(*small, 2).ref)
    assert not pair.registration.resampled and not pair.registration.doubtful
    assert pair.registration.misalignment < 0.5 and "left as it is" in str(pair.registration)


def test_a_shifted_reference_is_moved_where_that_makes_it_more_alike(itk, small, monkeypatch):
    t1, t2 = small
    images = move(t1.images.numpy(), WIDE, (0, 0, 0), (16.0, -12, 0))
    moved = Volume(torch.from_numpy(images), affine=t1.affine)
    pair = dl.load_pair(moved, t2, 2, register=True)
    done = pair.registration
    np.testing.assert_allclose(done.pixels, [0, -12 / 7.5, 16 / 7.5], atol=0.5)
    assert done.moved and done.resampled and not done.doubtful
    torch.testing.assert_close(done.unmoved, moved.images)  # as it lay, for a picture
    assert torch.equal(pair.take_slices(2, 3).registration.unmoved, done.unmoved[2:5])
    monkeypatch.setattr(registration, "GAIN", 1.05 * done.after / done.before)
    left = dl.load_pair(moved, t2, 2, register=True)
    assert torch.equal(left.reference_image, moved.images) and not left.registration.moved
    assert "hardly more alike there: left as it is" in str(left.registration)


@pytest.mark.slow
def test_few_slices_are_searched_in_the_plane(itk, head):
    t1, t2 = (volume[6:8] for volume in head)
    moved = np.stack([ndimage.shift(one, (2, -1), order=3) for one in t1]).clip(0)
    done = dl.load_pair(moved, t2, 2, register=True).registration
    np.testing.assert_allclose(done.pixels, [0, 2, -1], atol=0.5)
    one = dl.load_pair(moved[:1], t2[:1], 2, register=True).registration
    np.testing.assert_allclose(one.pixels, [0, 2, -1], atol=0.5)


@pytest.mark.slow
def test_unlike_images_are_called_doubtful(itk, head):
    t1, t2 = head
    noise = np.random.default_rng(0).random(t1.shape, np.float32)
    for other in (noise, make_head(4, 0.55)[0]):
        done = dl.load_pair(placed(other), placed(t2), 2, register=True).registration
        assert done.doubtful and "DOUBTFUL" in str(done) and "DOUBTFUL" in done.summary


@pytest.mark.slow
def test_too_little_overlap_is_doubtful_and_none_is_refused(itk, head):
    t1, t2 = head
    affine = place(t2.shape, SIZES)
    target = Volume(torch.tensor(t2), affine=affine)
    part = affine.copy()
    part[2, 3] += 5 * 7
    done = dl.load_pair(Volume(torch.tensor(t1[7:]), affine=part), target, 2, register=True)
    assert any("covers" in warning for warning in done.registration.warnings)
    part[2, 3] += 1000
    with pytest.raises(InputError, match="covers nothing"):
        dl.load_pair(Volume(torch.tensor(t1[7:]), affine=part), target, 2, register=True)


@pytest.mark.slow
def test_the_truth_does_not_lead(itk, head):
    """What the crop removes of the target changes nothing about the registration."""
    t1, t2 = head
    moved = placed(move(t1, SIZES, (0, 0, 2), (5.0, 3, 0)))
    pair = dl.load_pair(moved, placed(t2), 2, register=True)
    blurred = dl.load_input(moved, pair.low, 2, register=True)
    assert blurred.target is None
    np.testing.assert_allclose(blurred.registration.pixels, pair.registration.pixels, atol=0.1)


@pytest.mark.slow
def test_the_commands_register_and_say_it(itk, head, tmp_path, capsys):
    t1, t2 = head
    moved = move(t1, SIZES, (0, 0, 2), (8.0, -4, 0), (14, 72, 72), (3.5, 3.5, 5.0))
    one = write(tmp_path / "t1.nii", moved, (3.5, 3.5, 5.0))
    two = write(tmp_path / "t2.nii.gz", t2, SIZES)
    dl.save(dl.DCAMSR(image_size=32), tmp_path / "w.safetensors")
    common = ["--reference", str(one), "--scale", "4"]
    asked = [*common, "--target", str(two), "--method", "bicubic"]
    assert cli.main(["evaluate", *asked, "--json"]) == 2
    assert "--register" in capsys.readouterr().err
    assert cli.main(["evaluate", *asked, "--json", "--register"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)["per_volume"][0]["registration"]
    assert told["shift_pixels"]["column"] == pytest.approx(8 / 3.75, abs=0.5)
    assert told["description"] in captured.err
    out = tmp_path / "sr.nii.gz"
    asked = [*common, "--input", str(two), "--out", str(out), "--register"]
    assert cli.main(["super-resolve", *asked, "--weights", str(tmp_path / "w.safetensors")]) == 0
    image = nibabel.load(out)
    assert "not for clinical use; ref. " in str(image.header["descrip"])
    np.testing.assert_allclose(image.affine, place(t2.shape, SIZES))
    write_volume(tmp_path / "low.nii", dl.load_pair(t1, t2, 4).low)  # of no place, 16 x 16
    asked[3:] = ["4", "--input", str(tmp_path / "low.nii"), "--out", str(out), "--register"]
    assert cli.main(["super-resolve", *asked, "--weights", str(tmp_path / "w.safetensors")]) == 0
    assert read_volume(out).images.shape == (14, 64, 64)


@pytest.mark.slow
def test_a_training_registers_its_pairs(itk, head, tmp_path, capsys):
    t1, t2 = head
    write(
        tmp_path / "t1.nii", move(t1, SIZES, shape=(14, 72, 72), new=(3.4, 3.4, 5)), (3.4, 3.4, 5)
    )
    write(tmp_path / "t2.nii", t2, SIZES)
    (tmp_path / "pairs.csv").write_text("t1.nii,t2.nii")
    run = ["train", "--data", str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "run")]
    run += ["--steps", "1", "--set", "channels=8", "--set", "heads=2", "--no-mirror"]
    assert cli.main(run) == 2
    assert "--register" in capsys.readouterr().err
    assert cli.main([*run, "--register"]) == 0
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["register"] is True


def test_without_simpleitk_one_sentence_says_what_to_do(head, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(InputError, match="SimpleITK: found no such package; expected it, by"):
        dl.load_pair(*head, 2, register=True)
    assert dl.load_pair(*head, 2).registration is None


def test_misaligned_files_get_a_note_with_the_command(head, tmp_path, capsys):
    t1, t2 = head
    files = [tmp_path / "t1.npy", tmp_path / "t2.npy"]
    np.save(files[1], t2)
    for shift in ((0, 0), (2, 0), (-1, 0), (0, -3)):
        np.save(files[0], np.roll(t1, shift, (1, 2)))
        pair = dl.load_pair(*files, 2)
        said = capsys.readouterr().err
        assert ("--register" in said) == any(shift), said
        assert len(pair.notes) == any(shift)


def measure_own(t1, t2) -> float:
    """How many slices T1 lies off T2 as they ship, from edges in coronal and sagittal images.

    Of p19 -0.4: so its T2 came, FLAIR lies where T1 does (-0.1). Nothing that is tested is used.
    """
    found = []
    for axes in ((1, 0, 2), (2, 0, 1)):
        images = [torch.tensor(of.transpose(axes)[60:150:6]) for of in (t2, t1)]
        found.append(misalignment._find_peak(*map(misalignment.find_edges, images))[0])
    return sum(found) / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["longitudinal_p01_s1", "longitudinal_p03_s2", "mni_p07", "mni_p19"]
)
def test_real_pairs_come_back_within_half_a_decibel(itk, name, tmp_path):
    """Turned by 5 degrees or shifted by 10 mm, on another grid; the aligned pair loses nothing."""
    if not REAL.is_dir():
        pytest.skip("real pairs are not beside this checkout")
    arrays = np.load(REAL / f"openms_{name}.npz")
    t1, t2 = (arrays[key].astype(np.float32) for key in ("T1W", "T2W"))
    sizes = tuple(arrays["spacing"])
    model = dl.load("lite-4x")
    chosen = np.linspace(len(t2) * 0.35, len(t2) * 0.7, 4).astype(int)

    def measure(reference: Path, register: bool = True):
        pair = dl.load_pair(reference, target, 4, register=register)
        scores = [dl.evaluate(model, pair.take_slice(i))["psnr"] for i in chosen]
        return np.mean(scores), pair.registration

    target = write(tmp_path / "t2.nii", t2, sizes)
    aligned = write(tmp_path / "t1.nii", t1, sizes)
    wanted, _ = measure(aligned, register=False)
    found, done = measure(aligned)
    print(name, "aligned", wanted, found, done)
    assert found > wanted - 0.1 and not done.doubtful
    own = [measure_own(t1, t2), 0, 0] if sizes[2] < 2 else [0, 0, 0]
    new = (sizes[0] * 1.1, sizes[1] * 0.95, sizes[2])
    shape = tuple(
        round(n * s / m) + 8 for n, s, m in zip(t1.shape, sizes[::-1], new[::-1], strict=True)
    )
    for turn, shift in (((0, 0, 5), (3, -4, 0)), ((3, 2, -1), (7, -6, 4))):
        moved = write(tmp_path / "moved.nii", move(t1, sizes, turn, shift, shape, new), new)
        found, done = measure(moved)
        print(name, turn, shift, found, done)
        assert not done.doubtful
        expected = np.array(shift[::-1]) / sizes[::-1] + own  # the file's place is not quite true
        np.testing.assert_allclose(done.pixels, expected, atol=0.5)
        assert found > wanted - 0.5


@pytest.mark.slow
def test_another_patient_is_doubtful(itk):
    if not REAL.is_dir():
        pytest.skip("real pairs are not beside this checkout")
    names = ("longitudinal_p03_s2", "longitudinal_p01_s2", "mni_p07", "mni_p19")
    volumes = [np.load(REAL / f"openms_{name}.npz") for name in names]
    for one, other in (volumes[:2], volumes[2:]):
        for target, reference in ((one, other), (other, one)):
            count = min(len(target["T2W"]), len(reference["T1W"]))
            volume = Volume(
                torch.tensor(reference["T1W"][:count].astype(np.float32)),
                affine=np.diag([*reference["spacing"], 1.0]),
            )
            given = Volume(
                torch.tensor(target["T2W"][:count].astype(np.float32)),
                affine=np.diag([*target["spacing"], 1.0]),
            )
            done = dl.load_pair(volume, given, 4, register=True).registration
            print(done)
            assert done.doubtful


def read_middle(name, contrast):
    """Some slices of a patient, in a place where their middle lies at 0."""
    arrays = np.load(REAL / f"openms_{name}.npz")
    images, sizes = arrays[contrast].astype(np.float32), tuple(arrays["spacing"])
    middle, half = len(images) // 2, 6 if sizes[2] > 2 else 16
    images = images[middle - half : middle + half]
    return Volume(torch.tensor(images), affine=place(images.shape, sizes))


def make_leg(like):
    """Skin, muscle and two bones with marrow, on the grid of a head."""
    random = np.random.default_rng(1)
    _, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in like.images.shape), indexing="ij")
    images = np.zeros(y.shape)
    for top, left, radius, value in ((0, 0, 0.62, 1), (0, 0, 0.55, 0.45), (-0.1, 0.1, 0.16, 0.1),
                                     (-0.1, 0.1, 0.11, 1.1), (0.25, -0.2, 0.09, 0.1),
                                     (0.25, -0.2, 0.06, 1.1)):  # fmt: skip
        images[(y - top) ** 2 + (x - left) ** 2 < radius**2] = value
    images *= 1 + 0.2 * ndimage.gaussian_filter(random.standard_normal(y.shape), (1, 2, 2))
    images += 0.02 * random.random(y.shape)
    return replace(like, images=torch.tensor(300 * images.clip(0), dtype=torch.float32))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "target", "kind"),
    [
        ("longitudinal_p01_s1", "longitudinal_p01_s2", "another day"),
        ("longitudinal_p03_s2", "longitudinal_p03_s2", "mirrored"),
        ("mni_p07", "mni_p07", "mirrored"),
        ("mni_p19", "mni_p19", "leg"),
        ("longitudinal_p01_s1", "longitudinal_p03_s2", "another patient"),
        ("mni_p07", "mni_p19", "another patient"),
    ],
)
def test_a_mirrored_head_a_leg_and_other_patients_are_doubtful_another_day_is_not(
    itk, reference, target, kind
):
    if not REAL.is_dir():
        pytest.skip("real pairs are not beside this checkout")
    given, volume = read_middle(target, "T2W"), read_middle(reference, "T1W")
    if kind == "mirrored":
        volume = replace(volume, images=volume.images.flip(-1))
    volume = make_leg(given) if kind == "leg" else volume
    done = dl.load_pair(volume, given, 4, register=True).registration
    print(kind, done)
    assert done.doubtful == (kind != "another day")
    if kind == "mirrored":
        assert "mirror image" in str(done)
