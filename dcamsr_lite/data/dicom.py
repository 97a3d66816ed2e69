"""DICOM: one series in, as a volume in its place; one derived series out, with numbers of its own.

>>> import torch
>>> write_dicom("sr", torch.rand(3, 8, 9), Volume(torch.rand(3, 8, 9), affine=np.diag([1, 1, 5, 1])))
>>> read_dicom("sr").images.shape
torch.Size([3, 8, 9])

Of the patient nothing is ever printed: messages name files, numbers and sizes. pydicom comes with the
extra ``[scans]``.
"""

import os
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..errors import InputError, check_writable, raise_if_out_of_memory
from ..extras import load_extra
from .volume import Volume, check_cap, volume_from_array

MAX_FILES = 4096  # of a folder
UNEVEN = 0.1  # of the distance of two slices: how far one may lie from its place
LPS = np.diag([-1.0, -1, 1, 1])  # DICOM's x and y run to the left and to the back, NIfTI's not
# What a derived series keeps of the one that it was made of: whose it is, and of which study.
KEPT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
        "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientPosition",
        "FrameOfReferenceUID", "PositionReferenceIndicator", "Laterality",
        "SpecificCharacterSet")  # fmt: skip
NEEDED = ("SeriesInstanceUID", "SeriesNumber", "SOPClassUID", "InstanceNumber", "Rows", "Columns",
          "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
          "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", *KEPT)  # fmt: skip


def read_dicom(path: str | Path) -> Volume:
    """The one series of a folder, or that of a file, multi-frame or a slice among others, in it.

    >>> import torch
    >>> write_dicom("scan", torch.rand(2, 8, 8), Volume(torch.rand(2, 8, 8), affine=np.eye(4)))
    >>> read_dicom("scan").affine.tolist() == np.eye(4).tolist()
    True

    Slices are sorted by their place, grey values rescaled as the files say, the affine is NIfTI's.
    Raises InputError: for several series, several images at one place, gaps, and whatever is damaged.
    """
    path = Path(path)
    with refuse_quietly(path):
        files = _list_series(path)
        pixels, places = [], []
        size = 0
        for file in files:
            frames, found = _read_frames(file)
            size += sum(frame.nbytes for frame in frames)
            check_cap(path, "a series", size)
            pixels += frames
            places += found
        order, affine, sizes = _arrange(path, places)
        images = np.stack([pixels[i] for i in order])
        rows, columns = images.shape[1:]
        return volume_from_array(
            path,
            images,
            path=str(path),
            affine=affine,
            field_of_view=(rows * sizes[1], columns * sizes[0]),
            slice_thickness=sizes[2],
        )


def measure_series(path: str | Path) -> tuple[tuple[int, int, int], np.ndarray]:
    """(slice, row, column) and NIfTI's affine of what ``read_dicom`` reads, from headers alone.

    >>> import torch
    >>> write_dicom("looked", torch.rand(2, 8, 9), Volume(torch.rand(2, 8, 9), affine=np.eye(4)))
    >>> measure_series("looked")[0]
    (2, 8, 9)

    Raises InputError as ``read_dicom``, for all that headers show.
    """
    path = Path(path)
    with refuse_quietly(path):
        shapes, places = set(), []
        for file in _list_series(path):
            data = load_extra("pydicom", "scans").dcmread(file, stop_before_pixels=True)
            shapes.add(_check_image(file, data)[1:])
            places += [_find_place(file, _collect_frame(data, i)) for i in range(_count(data))]
        if len(shapes) > 1:
            found = " beside ".join(f"{rows} x {columns}" for rows, columns in sorted(shapes))
            raise InputError(path, found, "slices of one size")
        rows, columns = shapes.pop()
        return (len(places), rows, columns), _arrange(path, places)[1]


@contextmanager
def refuse_quietly(path: Path) -> Iterator[None]:
    """``refuse_errors`` without the words of pydicom, which may quote what a file says of a patient.

    >>> with refuse_quietly(Path("scan.dcm")):
    ...     raise ValueError("Doe^Jane is no number")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: scan.dcm: found what pydicom cannot read (ValueError); expected ...
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        raise_if_out_of_memory(path, error)
        found = f"what pydicom cannot read ({type(error).__name__})"
        raise InputError(path, found, "a whole DICOM series") from None


def is_dicom(path: str | Path) -> bool:
    """Whether a folder holds DICOM files, or a file is one: 128 bytes and DICM.

    >>> is_dicom(".")
    False
    """
    path = Path(path)
    if path.is_dir():
        with os.scandir(path) as entries:
            return any(entry.is_file() and is_dicom(entry.path) for entry in entries)
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _read_header(file: Path) -> Any:
    pydicom = load_extra("pydicom", "scans")
    check_cap(file, "a DICOM file", file.stat().st_size)
    meta = pydicom.filereader.read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        raise InputError(file, "a deflated file", "one that is not packed as a whole")  # any size
    return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*NEEDED])


def _list_series(path: Path) -> list[Path]:
    """The files of the one series that a folder, or a file, is of."""
    folder = path if path.is_dir() else path.parent
    own = None
    if not path.is_dir():
        if not is_dicom(path):
            raise InputError(path, "no DICOM file (no DICM at byte 128)", "a DICOM file")
        header = _read_header(path)
        own = header.get("SeriesInstanceUID")
        if int(header.get("NumberOfFrames") or 1) > 1 or own is None:
            return [path]
    series = group_series(folder)
    if own is not None:
        return next(files for (_, key), files in series.items() if key == str(own))
    if len(series) != 1:
        found = f"{len(series)} series" + (": " if series else "")
        named = ((number, files[0].name) for (number, _), files in series.items())
        found += ", ".join(f"number {number} ({name})" for number, name in [*named][:8])
        raise InputError(path, found, "one series, or one of its files to name it")
    return next(iter(series.values()))


def group_series(folder: Path) -> dict[tuple[str, str], list[Path]]:
    """The images of a folder by series: (its number, its UID) -> files. Raises InputError.

    >>> group_series(Path("."))
    {}
    """
    if len(names := sorted(os.listdir(folder))) > MAX_FILES:
        raise InputError(folder, f"{len(names)} files", f"one series of at most {MAX_FILES}")
    series: dict[str, list[Path]] = defaultdict(list)
    numbers: dict[str, str] = {}
    for file in (folder / name for name in names if not name.startswith(".")):
        if not file.is_file() or not is_dicom(file):
            continue
        header = _read_header(file)
        if "Rows" not in header:  # a DICOMDIR, a report
            continue
        key = str(header.get("SeriesInstanceUID"))
        series[key].append(file)
        numbers.setdefault(key, str(header.get("SeriesNumber", "?")))
    return {(numbers[key], key): files for key, files in series.items()}


Place = tuple[np.ndarray, np.ndarray, tuple[float, float], float | None]


def _count(data: Any) -> int:
    return int(data.get("NumberOfFrames") or 1)


def _check_image(file: Path, data: Any) -> tuple[int, int, int]:
    """Frames, rows and columns of a file. Raises InputError for what is not grey, or too large."""
    count, rows, columns = _count(data), int(data.Rows), int(data.Columns)
    check_cap(file, f"{count} frames of {rows} x {columns}", 4 * count * rows * columns)
    if int(data.get("SamplesPerPixel", 1)) != 1 or data.PhotometricInterpretation != "MONOCHROME2":
        found = f"{data.get('SamplesPerPixel')} samples, {data.PhotometricInterpretation}"
        raise InputError(file, found, "grey images, MONOCHROME2")
    return count, rows, columns


def _read_frames(file: Path) -> tuple[list[np.ndarray], list[Place]]:
    """The images (row, column) of a file as float32, and position, axes, spacing, thickness of each."""
    data = load_extra("pydicom", "scans").dcmread(file)
    shape = _check_image(file, data)  # before any pixel is unpacked
    values = np.asarray(data.pixel_array).reshape(shape)
    frames, places = [], []
    for index, image in enumerate(values):
        known = _collect_frame(data, index)
        slope, intercept = known.get("RescaleSlope", 1), known.get("RescaleIntercept", 0)
        frames.append((image * float(slope) + float(intercept)).astype(np.float32))
        places.append(_find_place(file, known))
    return frames, places


def _collect_frame(data: Any, index: int) -> dict[str, Any]:
    """What is said of one frame of a file."""
    parts = [data]
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = data.get(name) or []
        parts += [groups[min(index, len(groups) - 1)]] if len(groups) else []
    return _collect(parts)


def _find_place(file: Path, known: dict[str, Any]) -> Place:
    needed = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    if missing := [name for name in needed if known.get(name) is None]:
        raise InputError(file, f"no {missing[0]}", "an image that says where it lies")
    rows, columns = (float(n) for n in known["PixelSpacing"])
    axes = np.array(known["ImageOrientationPatient"], float).reshape(2, 3)
    position = np.array(known["ImagePositionPatient"], float)
    thickness = known.get("SpacingBetweenSlices") or known.get("SliceThickness")
    return position, axes, (rows, columns), thickness and float(thickness)


def _collect(parts: list[Any]) -> dict[str, Any]:
    """What is said of one frame, the last word counts: by the file, all frames, or the frame itself."""
    names = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
             "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept")  # fmt: skip
    known: dict[str, Any] = {}
    for number, part in enumerate(parts):
        inner = [part]
        if number:  # functional groups: each a sequence of one item
            inner = [e.value[0] for e in part if e.VR == "SQ" and e.value]
        for item in inner:
            known |= {name: item.get(name) for name in names if item.get(name) is not None}
    return known


def _sort_places(path: Path, places: list[Place]) -> list[int]:
    _, axes, spacing, _ = places[0]
    for position, other, pixels, _ in places:
        if (
            not np.isfinite(position).all()
            or np.abs(other - axes).max() > 1e-3
            or pixels != spacing
        ):
            raise InputError(path, "slices of unlike directions or pixels", "parallel slices")
    if np.abs(axes @ axes.T - np.eye(2)).max() > 1e-3:
        raise InputError(path, "rows and columns that are not at right angles", "an image's axes")
    normal = np.cross(*axes)
    along = [float(position @ normal) for position, *_ in places]
    order = sorted(range(len(along)), key=along.__getitem__)
    steps = np.diff([along[i] for i in order])
    if len(steps) and steps.min() < 1e-3:
        found = "several images at one place (echoes, phases, times?)"
        raise InputError(path, found, "one image for each slice")
    if len(steps) and np.abs(steps - np.median(steps)).max() > UNEVEN * np.median(steps):
        found = f"slices {steps.min():.3g} to {steps.max():.3g} mm apart: is one missing?"
        raise InputError(path, found, "slices at even distances")
    return order


def _arrange(
    path: Path, places: list[Place]
) -> tuple[list[int], np.ndarray, tuple[float, float, float]]:
    """The slices' order, NIfTI's affine of (column, row, slice), sizes of voxels (x, y, z) in mm."""
    order = _sort_places(path, places)
    first, axes, (rows, columns), thickness = places[order[0]]
    step = np.cross(*axes) * (thickness or 1.0)
    if len(places) > 1:
        step = (places[order[-1]][0] - first) / (len(places) - 1)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = (
        axes[0] * columns,
        axes[1] * rows,
        step,
        first,
    )
    affine = LPS @ affine
    if np.linalg.matrix_rank(affine) < 4:
        raise InputError(path, "voxels without a size", "sizes in mm")
    return order, affine, (columns, rows, float(np.linalg.norm(step)))


def write_dicom(
    folder: str | Path,
    images: Tensor,
    like: Volume,
    source: str | Path | None = None,
    description: str = "",
) -> None:
    """Write a derived series, a file a slice, into a new folder, which appears whole or not at all.

    >>> import torch
    >>> write_dicom("derived", torch.rand(2, 8, 8), Volume(torch.rand(2, 8, 8), affine=np.eye(4)))
    >>> sorted(file.name for file in Path("derived").iterdir())
    ['0001.dcm', '0002.dcm']

    ``like`` gives its place. ``source``, the series that it was made of, gives patient and study;
    series and images have numbers of their own, and "not for clinical use" in their descriptions.
    Grey values are 16 bits with a rescale slope. Raises InputError, also where the folder exists.
    """
    pydicom = load_extra("pydicom", "scans")
    folder = Path(folder)
    check_new_folder(folder)
    if like.affine is None:
        raise InputError(folder, "images that do not say where they lie", "an input with a place")
    base = _start_series(pydicom, source, description)
    highest = max(float(images.max()), 0.0)
    slope = highest / 65535 if highest > 0 else 1.0
    affine = LPS @ like.affine
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as temporary:
        whole = Path(temporary) / "series"
        whole.mkdir()
        for index, image in enumerate(images.numpy()):
            data = pydicom.Dataset()
            data.update(base)
            data.SOPInstanceUID = pydicom.uid.generate_uid()
            data.InstanceNumber = index + 1
            data.Rows, data.Columns = image.shape
            position = affine[:3, 3] + index * affine[:3, 2]
            data.ImagePositionPatient = [_spell(n) for n in position]
            axes = (affine[:3, :2] / sizes[:2]).T.reshape(-1)
            data.ImageOrientationPatient = [_spell(n) for n in axes]
            data.PixelSpacing = [_spell(sizes[1]), _spell(sizes[0])]
            data.SliceThickness = data.SpacingBetweenSlices = _spell(sizes[2])
            data.RescaleSlope, data.RescaleIntercept, data.RescaleType = _spell(slope), "0", "US"
            stored = np.round(image.clip(0) / float(_spell(slope))).clip(0, 65535)
            data.PixelData = stored.astype("<u2").tobytes()
            data.file_meta = pydicom.dataset.FileMetaDataset()
            data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            data.save_as(whole / f"{index + 1:04d}.dcm", enforce_file_format=True)
        whole.rename(folder)


def _spell(number: float) -> str:
    """A decimal string, of which DICOM allows 16 characters."""
    return text if len(text := f"{number + 0.0:.10g}") <= 16 else f"{number:.8e}"


def check_new_folder(folder: str | Path) -> None:
    """Raise InputError unless a folder of this name can be made.

    >>> check_new_folder(".")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: .: found a file or folder that is there; expected a new folder ...
    """
    if os.path.lexists(folder):
        raise InputError(folder, "a file or folder that is there", "a new folder for the series")
    check_writable(Path(folder).parent, folder)


def _start_series(pydicom: Any, source: str | Path | None, description: str) -> Any:
    """What all images of the new series share."""
    base = pydicom.Dataset()
    base.PatientName, base.PatientID = "Anonymous", ""
    base.StudyInstanceUID = pydicom.uid.generate_uid()
    base.FrameOfReferenceUID = pydicom.uid.generate_uid()
    number = 0
    if source is not None:
        header = _read_header(_list_series(Path(source))[0])
        number = int(header.get("SeriesNumber") or 0)
        for name in KEPT:
            if name in header:
                setattr(base, name, header.get(name))
    base.SOPClassUID = pydicom.uid.MRImageStorage
    base.Modality = "MR"
    base.SeriesInstanceUID = pydicom.uid.generate_uid()
    base.SeriesNumber = 9000 + number % 1000
    base.SeriesDescription = "DCAMSR-lite - not for clinical use"
    base.ImageComments = "Not for clinical use"
    base.DerivationDescription = (description or "super-resolved, not for clinical use")[:1024]
    base.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    base.SamplesPerPixel, base.PhotometricInterpretation = 1, "MONOCHROME2"
    base.BitsAllocated = base.BitsStored = 16
    base.HighBit, base.PixelRepresentation = 15, 0
    return base
