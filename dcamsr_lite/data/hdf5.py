"""M4Raw and fastMRI: k-space in HDF5 with an ISMRMRD header, read with suspicion and written.

Both keep ``kspace`` (slice, [coil,] readout, phase encode), a reconstruction, and an XML header.
"""

import math
import mmap
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, atomic_path
from .ismrmrd import make_m4raw_header, read_geometry
from .oddities import compare_reconstruction
from .volume import (
    PARTS,
    Volume,
    check_cap,
    check_packed,
    check_size,
    refuse_errors,
    share_cap,
    volume_from_array,
    volume_from_kspace,
)

CROP = (320, 320)  # of a fastMRI image whose file does not say otherwise
RECONSTRUCTIONS = ("reconstruction_rss", "reconstruction_esc")  # multi-coil, single-coil
MAX_HEADER = 2**20  # bytes of an ISMRMRD header; the real ones have some thousands
M4RAW_NAME = re.compile(r"(\d+)_(T1|T2|FLAIR|GRE)(\d+)")
HEAP = b"GCOL\x01\0\0\0"  # opens a collection of strings in an HDF5 file
MAX_PLACES, MAX_STRINGS = 64, 1024  # where a name may stand in a file, and strings in a heap
MAX_CHUNKS = 2**16  # each takes some 20 microseconds, and 4 kB while HDF5 reads
DEFLATE, SHUFFLE = 1, 2  # HDF5's numbers of its filters


def read_h5(path: Path) -> Volume:
    """Read an M4Raw or fastMRI file, or one that holds nothing but a reconstruction.

    >>> noise = torch.randn(2, 4, 16, 16, dtype=torch.complex64)
    >>> write_m4raw("1_T101.h5", noise, "AXT1", {"tr": 500, "te": 18.4, "flip": 90}, "1")
    >>> volume = read_h5(Path("1_T101.h5"))
    >>> volume.images.shape, volume.contrast
    (torch.Size([2, 16, 16]), 'T1')

    Coil images are cut to the reconstruction's size (else the header's, else 320 x 320) before
    anything else, as fastMRI's are. Raises InputError, also for undersampled k-space (``mask``) and
    for links and virtual datasets that lead to other files.
    """
    import h5py

    expected = "an M4Raw or fastMRI file"
    with refuse_errors(path, expected), ExitStack() as stack:
        file = stack.enter_context(h5py.File(path, "r", rdcc_nbytes=0))  # each chunk is read once
        data = stack.enter_context(_map(path))
        names = set(file)
        known: dict[str, Any] = {
            "path": str(path),
            "contrast": _name_contrast(path, _read_attribute(file, data, "acquisition")),
        }
        images = [_find_dataset(path, file, name) for name in RECONSTRUCTIONS if name in names]
        stored = images[0] if images else None
        if "kspace" not in names:
            if stored is None:
                raise InputError(path, f"datasets {sorted(names)[:9]}", "a dataset 'kspace'")
            _check_stored(path, stored, "iuf", may_be_blank=False)
            array = np.empty(stored.shape, np.float32)
            stored.read_direct(array)
            return volume_from_array(path, array, **known)
        if "mask" in names:
            raise InputError(path, "undersampled k-space (a dataset 'mask')", "full k-space")
        dataset = _find_dataset(path, file, "kspace")
        if dataset.ndim not in (3, 4):
            found = f"kspace of shape {dataset.shape}"
            raise InputError(path, found, "(slice, coil, row, column) or (slice, row, column)")
        if stored is not None and (stored.ndim != 3 or stored.shape[0] != dataset.shape[0]):
            wrong = f"a reconstruction {stored.shape} of k-space {dataset.shape}"
            raise InputError(path, wrong, "(slice, row, column) with as many slices")
        matrix, extent, known["slice_thickness"] = read_geometry(
            _read_header(path, file, data) if "ismrmrd_header" in names else None
        )
        crop = stored.shape[-2:] if stored is not None else matrix or CROP
        if min(crop) < 1:
            raise InputError(path, f"a reconstruction of shape {stored.shape}", "no empty axis")
        _check_stored(path, dataset, "c", may_be_blank=False)
        kspace = KspaceSlices(path, dataset)
        # the header gives the size of a pixel; the image may have been cut to another matrix
        rows, columns = (min(pair) for pair in zip(dataset.shape[-2:], crop, strict=True))
        if matrix and extent:
            known["field_of_view"] = (rows * extent[0] / matrix[0], columns * extent[1] / matrix[1])
        volume = volume_from_kspace(path, kspace, (rows, columns), **known)
        odd = stored is not None and _compare_stored(path, volume.images, stored)
        if not odd:
            return volume
        name = stored.name.strip("/")
        note = f"{path.name}: its {name} is not that of its k-space, which is taken, but {odd}"
        return replace(volume, notes=(*volume.notes, note))


def _compare_stored(path: Path, images: Tensor, stored) -> str:
    """In what the file's reconstruction differs from the images of its k-space."""
    if stored.shape != images.shape:
        return f"of shape {stored.shape}, not {tuple(images.shape)}"
    try:
        # scanners and converters store 16 bits
        _check_stored(path, stored, "iuf" if stored.dtype.itemsize <= 2 else "f")
    except InputError:
        return "not to be read"
    middle = len(images) // 2
    few = sorted({middle // 2, middle, (middle + len(images)) // 2})
    return compare_reconstruction(images, {index: stored[index] for index in few})


def read_patient(path: Path) -> str | None:
    """The attribute ``patient_id``, text or a number; None without it, or in no HDF5 file.

    >>> noise = torch.randn(1, 4, 16, 16, dtype=torch.complex64)
    >>> write_m4raw("1_T101.h5", noise, "AXT1", {"tr": 500, "te": 18.4, "flip": 90}, "P7")
    >>> read_patient(Path("1_T101.h5"))
    'P7'
    """
    import h5py

    try:
        with refuse_errors(path, "an HDF5 file"), _map(path) as data, h5py.File(path, "r") as file:
            text = _read_attribute(file, data, "patient_id", "SViufb")
    except InputError:  # whoever reads the volume will say why
        return None
    return (text or b"").decode("utf-8", "replace").strip() or None


@contextmanager
def _map(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file, as if they were in memory."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _find_dataset(path: Path, file, name: str):
    """The dataset of that name, provided that it lies in this very file."""
    import h5py

    link = file.id.links.get_info(name.encode())
    if link.type != h5py.h5l.TYPE_HARD or not isinstance(file[name], h5py.Dataset):
        raise InputError(path, f"'{name}' as a link or group", f"a dataset '{name}' in this file")
    dataset = file[name]
    if dataset.is_virtual or dataset.external:
        raise InputError(path, f"'{name}' stored in another file", f"'{name}' in this file")
    return dataset


def _check_stored(path: Path, dataset, kinds: str, may_be_blank: bool = True) -> None:
    """All values of the dataset are there, and their declared and stored sizes are sane."""
    size = check_size(path, dataset.shape, dataset.dtype, kinds)
    if dataset.chunks:
        check_packed(path, size, dataset.id.get_storage_size())
        if not _check_chunks(path, dataset, kinds) and not may_be_blank:  # before it takes memory
            raise InputError(path, "a constant volume (0 everywhere)", "an image")
    elif not size == dataset.id.get_storage_size() <= path.stat().st_size:
        found = f"{dataset.id.get_storage_size()} stored bytes of a dataset of {size}"
        raise InputError(path, found, "a whole file")


def _check_chunks(path: Path, dataset, kinds: str) -> bool:
    """Every chunk holds exactly its bytes; whether there are others than 0 among them.

    HDF5 2.0 inflates a chunk without bound, and fills up a short one with whatever lies in memory.
    """
    size = check_size(path, dataset.chunks, dataset.dtype, kinds)
    check_cap(path, f"chunks {dataset.chunks}", size, share=8)  # HDF5 holds three copies of one
    recipe = dataset.id.get_create_plist()
    filters = [recipe.get_filter(index)[0] for index in range(recipe.get_nfilters())]
    if filters not in ([], [DEFLATE], [SHUFFLE, DEFLATE]):
        raise InputError(path, f"HDF5 filters {filters[:9]}", "gzip, with or without shuffle")
    count = math.prod(-(-n // step) for n, step in zip(dataset.shape, dataset.chunks, strict=True))
    if count > MAX_CHUNKS:
        raise InputError(path, f"{count} chunks", f"at most {MAX_CHUNKS}")
    if count != dataset.id.get_num_chunks():
        raise InputError(path, f"{dataset.id.get_num_chunks()} chunks", "all chunks of the array")
    sizes: list[int] = []
    dataset.id.chunk_iter(lambda chunk: sizes.append(chunk.size))  # asked singly it is quadratic
    limit = min(path.stat().st_size, 2 * size + 1024)  # what does not shrink hardly grows
    if not 0 < min(sizes) <= max(sizes) <= limit:
        found = f"chunks stored in {min(sizes)} to {max(sizes)} bytes"
        raise InputError(path, found, f"{size} bytes in each, of a whole file")
    filled = False
    for chunk in dataset.iter_chunks():
        skipped, data = dataset.id.read_direct_chunk(tuple(part.start for part in chunk))
        if DEFLATE in filters and not skipped >> filters.index(DEFLATE) & 1:
            data = zlib.decompressobj().decompress(data, size + 1)
        if len(data) != size:
            raise InputError(path, f"{len(data)} bytes or more in a chunk", f"{size} bytes")
        filled = filled or bool(np.frombuffer(data, np.uint8).any())
    return filled


class KspaceSlices:
    """A dataset (slice, [coil,] row, column), checked before, that is read a few slices at a time.

    They are read into the same place: a slice lasts until the next one is asked for.
    """

    dtype = torch.complex64

    def __init__(self, path: Path, dataset: Any):
        slices, *coils, rows, columns = dataset.shape
        self.shape: Sequence[int] = (slices, *(coils or [1]), rows, columns)
        self.dataset = dataset
        one = 8 * math.prod(self.shape[1:])
        check_cap(path, f"a matrix of {rows} x {columns}", 8 * rows * columns, share=PARTS)
        deep = dataset.chunks[0] if dataset.chunks else 1  # slices in a chunk, which is read once
        check_cap(path, f"chunks of {deep} slices", min(deep, slices) * one, share=4)
        self.at_once = deep * max(1, share_cap(PARTS) // (deep * one))

    def __iter__(self) -> Iterator[Tensor]:
        slices, *matrix = self.shape
        block = np.empty((min(self.at_once, slices), *self.dataset.shape[1:]), np.complex64)
        for start in range(0, slices, self.at_once):
            count = min(self.at_once, slices - start)
            self.dataset.read_direct(block, np.s_[start : start + count], np.s_[:count])
            yield from torch.from_numpy(block[:count]).view(-1, *matrix)


# Strings of variable length are read by hand: HDF5 2.0 loops for ever in a damaged heap.


def _read_attribute(file, data: mmap.mmap, name: str, kinds: str = "S") -> bytes | None:
    """The attribute of that name, alone or in an array of one, if it is sound text (or ``kinds``)."""
    stored = file.attrs.get_id(name) if name in file.attrs else None
    if stored is None or stored.shape is None or math.prod(stored.shape) != 1:
        return None
    if stored.dtype.itemsize > MAX_HEADER or stored.dtype.fields or stored.dtype.subdtype:
        return None
    if stored.dtype.kind in kinds:
        value = np.asarray(file.attrs[name]).reshape(-1)[0]
        if stored.dtype.kind == "f" and value == np.floor(value):
            value = int(value)  # 7.0 is who 7 is
        return value.tobytes() if stored.dtype.kind in "SV" else str(value).encode()
    if not stored.dtype.hasobject:
        return None
    at = -1
    for _ in range(MAX_PLACES):
        if (at := data.find(name.encode(), at + 1)) < 0:
            break
        for place in range(at, at + 80):  # the reference stands a little behind the name
            if text := _follow_reference(data, data[place : place + 16]):
                return text
    return None


def _follow_reference(data: mmap.mmap, reference: bytes) -> bytes | None:
    """Follow a reference (length, address of the heap, index in it), or None: it leads nowhere."""
    if len(reference) < 16:
        return None
    length, address, index = struct.unpack("<IQI", reference)
    if length > MAX_HEADER or data[address : address + 8] != HEAP:
        return None
    at = address + 16
    for _ in range(MAX_STRINGS):
        if len(head := data[at : at + 16]) < 16:
            break
        found, size = struct.unpack("<H6xQ", head)
        if found in (0, index):  # 0 is the free space behind the last object
            text = data[at + 16 : at + 16 + length].rstrip(b"\0")
            return text if found and length <= size else None
        at += 16 + -(-size // 8) * 8
    return None


def _read_header(path: Path, file, data: mmap.mmap) -> ElementTree.Element | None:
    """The ISMRMRD header, or None: it only adds to what the arrays say."""
    dataset = _find_dataset(path, file, "ismrmrd_header")
    if dataset.shape != () or dataset.dtype.itemsize > MAX_HEADER or dataset.chunks:
        return None
    text = dataset[()] if dataset.dtype.kind == "S" else None
    if dataset.dtype.hasobject and (offset := dataset.id.get_offset()) is not None:
        text = _follow_reference(data, data[offset : offset + 16])
    # a document type is where entities expand without bound; no ISMRMRD header has one
    if not isinstance(text, bytes) or b"<!" in text:
        return None
    try:
        return ElementTree.fromstring(text.strip())
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def _name_contrast(path: Path, acquisition: bytes | None) -> str | None:
    """'AXT1' -> 'T1', 'CORPDFS_FBK' -> 'PDFS'; without the attribute, M4Raw's file name."""
    name = (acquisition or b"").decode("ascii", "replace")
    if re.fullmatch(r"[A-Z0-9_]{2,32}", name):
        return re.sub(r"^(AX|COR|SAG)(?=.)|_FBK$", "", name)
    match = M4RAW_NAME.match(path.name)
    return match and match[2]


def write_h5(
    path: Path, images: np.ndarray, acquisition: str, **datasets_and_attributes: Any
) -> None:
    """Write ``reconstruction_rss`` and its attributes; arrays and bytes become datasets.

    >>> write_h5(Path("sr.h5"), np.eye(8, dtype=np.float32)[None], "AXT2")
    >>> read_h5(Path("sr.h5")).contrast
    'T2'
    """
    import h5py

    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        for name, value in datasets_and_attributes.items():
            if isinstance(value, (bytes, np.ndarray)):
                file.create_dataset(name, data=value)
            else:
                file.attrs[name] = value
        file.create_dataset("reconstruction_rss", data=images)
        file.attrs["acquisition"] = acquisition
        file.attrs["max"] = float(images.max())


def write_m4raw(
    path: str | Path, kspace: Tensor, acquisition: str, protocol: object, patient_id: str
) -> None:
    """Write k-space (slice, coil, row, column) as one single-repetition file in M4Raw's layout.

    >>> noise = torch.randn(2, 4, 16, 16, dtype=torch.complex64)
    >>> flair = {"tr": 7500, "te": 96, "ti": 1655, "flip": 160, "echo_train": 15}
    >>> write_m4raw("1_FLAIR01.h5", noise, "AXFLAIR", flair, "1")
    >>> read_h5(Path("1_FLAIR01.h5")).field_of_view
    (240.0, 240.0)

    ``acquisition`` is "AXT1", "AXT2", "AXFLAIR"; ``protocol`` a mapping or an object with ``tr``,
    ``te``, ``flip`` and, where they apply, ``ti`` and ``echo_train`` (ms, degrees, echoes). The
    matrix follows the k-space, the phase-encode limits its columns that are not zero (Lyu et al.,
    M4Raw, Scientific Data 10, 264, 2023). Raises InputError.
    """
    if kspace.ndim != 4 or not kspace.is_complex():
        found = f"{kspace.dtype} of shape {tuple(kspace.shape)}"
        raise InputError(path, found, "complex k-space (slice, coil, row, column)")
    kspace = kspace.detach().cpu().to(torch.complex64)
    images = volume_from_kspace(path, kspace).images.numpy()
    header = make_m4raw_header(kspace, acquisition, protocol)
    write_h5(
        Path(path),
        images,
        acquisition,
        kspace=kspace.numpy(),
        ismrmrd_header=header,
        patient_id=str(patient_id),
    )
