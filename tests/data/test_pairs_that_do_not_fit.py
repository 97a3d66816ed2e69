"""Pairs that do not fit, arrays of any kind, and writers that leave a whole file or none."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PROTOCOL, images, kspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dcamsr_lite.data.files import write_m4raw, write_volume
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.errors import InputError


def test_a_refusal_survives_the_way_between_processes():
    error = InputError(Path("t1.h5"), "no dataset 'kspace'", "an M4Raw or fastMRI file")
    sent = pickle.loads(pickle.dumps(error))
    assert type(sent) is InputError and str(sent) == str(error)


def test_pairs_that_must_be_refused():
    one = images(2, 16, 16)
    for reference, target, scale, match in (
        (one, images(3, 16, 16), 2, "2 x 16 x 16"),
        (one, images(2, 16, 18), 2, "same matrix"),
        (one, one - 0.5, 2, "magnitude"),
        (images(2, 4, 16), images(2, 4, 16), 2, "8 x 8 or more"),
        (one, one, 1, "scale"),
        (one, one, 2.0, "scale"),
        (one, one, True, "scale"),
    ):
        with pytest.raises(InputError, match=match):
            load_pair(reference, target, scale)
    with pytest.raises(InputError, match="k-space"):
        load_pair(one, one, 2, order="coils")
    with pytest.raises(InputError, match="order"):
        load_pair(one, one, 2, order="pixels")
    with pytest.raises(InputError, match="normalisation"):
        load_pair(one, one, 2, normalisation="minmax")
    for shape in ((2, 4, 8), (1, 8, 8), (2, 32, 32), (2, 6, 6)):
        with pytest.raises(InputError, match="1/2 of its rows and columns"):
            load_input(one, images(*shape), 2)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    npst.arrays(
        st.sampled_from([np.float32, np.float64, np.uint8, np.int16, np.bool_, np.complex64]),
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
    ),
    st.sampled_from([2, 3, 4]),
)
def test_any_array_is_a_pair_or_refused(array, scale):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pair = load_pair(array, array, scale)
        except InputError:
            return
    assert pair.restore(pair.target).shape == pair.target_image.shape
    for tensor in (pair.lr, pair.ref, pair.target, pair.zero_filled):
        assert bool(torch.isfinite(tensor).all())


@pytest.mark.parametrize("name", ["sr.npy", "sr.npz", "sr.nii", "sr.nii.gz", "sr.h5", "1_T101.h5"])
def test_writers_leave_a_whole_file_or_none(name, tmp_path, monkeypatch):
    def write(path: Path) -> None:
        if name == "1_T101.h5":
            write_m4raw(path, kspace(), "AXT1", PROTOCOL, "1")
        else:
            write_volume(path, images())

    (tmp_path / "file").touch()
    (tmp_path / "taken" / name).mkdir(parents=True)
    for path in (tmp_path / "file" / name, tmp_path / "taken" / name):
        with pytest.raises(InputError, match=name):
            write(path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["file", name, "taken"])

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    path = tmp_path / name
    write(path)
    before = path.read_bytes()
    for target in ("numpy.save", "numpy.savez_compressed", "h5py.Group.create_dataset"):
        monkeypatch.setattr(target, full)
    monkeypatch.setattr("dcamsr_lite.data.files._encode_nifti", full)
    with pytest.raises(InputError, match="No space left"):
        write(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".part-*"))


def test_writers_refuse_what_is_no_volume(tmp_path):
    path = tmp_path / "sr.npy"
    for array in (images() * np.nan, images(2, 2, 8, 8), images() * 1j, np.array([["a"]])):
        with pytest.raises(InputError, match="sr.npy"):
            write_volume(path, array)
    for extension in (".npy", ".npz", ".nii", ".nii.gz", ".h5"):
        file = tmp_path / f"large{extension}"
        for array in (images().astype(np.float64) * 1e39, -torch.rand(2, 8, 8).double() * 1e60):
            with pytest.raises(InputError, match="values that float32 can hold"):
                write_volume(file, array)
        assert not file.exists()
    with pytest.raises(InputError, match="the grid"):
        write_volume(path, images(2, 8, 8), like=Volume(torch.rand(2, 16, 16)))
    with pytest.raises(InputError, match="extension"):
        write_volume(tmp_path / "sr.png", images())
    for data, protocol in (
        (kspace()[0], PROTOCOL),
        (kspace().real, PROTOCOL),
        (kspace() * 0, PROTOCOL),
        (kspace() * float("nan"), PROTOCOL),
        (kspace(), {}),
        (kspace(), {**PROTOCOL, "tr": "long"}),
        (kspace(), {**PROTOCOL, "te": float("nan")}),
    ):
        with pytest.raises(InputError):
            write_m4raw(tmp_path / "1_T101.h5", data, "AXT1", protocol, "1")
    assert not list(tmp_path.iterdir())
