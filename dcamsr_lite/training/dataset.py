"""What a training reads: named sources, their slices in memory or on disk.

>>> data = cut_slices([(torch.rand(3, 32, 32), torch.rand(3, 32, 32))], scale=4)
>>> [tensor.shape[0] for tensor in data]  # three, and their mirror images
[6, 6, 6]
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset, TensorDataset

from ..data.dicom import is_dicom
from ..data.file_lists import list_rows
from ..data.files import read_volume
from ..data.matching import read_pair
from ..data.pairs import Pair, Source, make_pair, read_registered
from ..data.repetitions import join_repetitions, list_repetitions, read_average
from ..data.volume import Volume
from ..errors import InputError, atomic_path, raise_if_out_of_memory
from ..kspace import fft2c, ifft2c
from ..phantom.subjects import simulated_volumes
from .distributed import count_processes, get_rank, wait_for_all
from .recipe import Cutting

NAMES = ("lr", "ref", "target")
READING = 2  # counts on when a pair is read in another way, so that stored slices are made anew
DEFAULT = Cutting()


def list_sources(
    names: Sequence[str], size: int, first_seed: int, subjects: int, average: bool = False
) -> Iterator[tuple]:
    """Pairs named on the command line: ``simulated``, a folder in M4Raw's layout, or a CSV.

    ``simulated:320`` are heads of that size.

    >>> for name in ("pairs.csv", "t1.npy", "t2.npy"):
    ...     _ = Path(name).write_text("t1.npy,t2.npy")
    >>> [target.name for _, target in list_sources(["pairs.csv"], 128, first_seed=0, subjects=1)]
    ['t2.npy']

    Simulated heads are size x size, ``subjects`` of them from the first seed on. ``average``: as
    ``list_files``.
    """
    for name in names:
        if own := read_simulated_size(name, size):
            for seed in range(first_seed, first_seed + subjects):
                yield simulated_volumes(seed, size=own)
        else:
            yield from list_files(name, average)


def read_simulated_size(name: str, size: int) -> int | None:
    """Rows of the simulated heads that are asked for, or None where a name means files.

    >>> read_simulated_size("simulated", 128), read_simulated_size("simulated:320", 128)
    (128, 320)
    >>> read_simulated_size("pairs.csv", 128)

    Raises InputError for a size that is none.
    """
    kind, colon, asked = name.partition(":")
    if kind != "simulated":
        return None
    if colon and not (asked.isdecimal() and 16 <= int(asked) <= 1024):
        raise InputError(name, repr(asked), "rows of a simulated head, from 16 to 1024")
    return int(asked) if colon else size


def list_files(name: str, average: bool = False) -> list[tuple[Path, Path]]:
    """The pairs (reference, target) of a folder (M4Raw's layout or BIDS) or a CSV. Raises InputError.

    >>> for file in ("pairs.csv", "t1.npy", "t2.npy"):
    ...     _ = Path(file).write_text("t1.npy,t2.npy")
    >>> [(one.name, other.name) for one, other in list_files("pairs.csv")]
    [('t1.npy', 't2.npy')]

    ``average``: of pairs that differ in the repetition alone the first, which stands for their mean.
    """
    rows = list_rows(name)
    return [row[:2] for row in (join_repetitions(rows) if average else rows)]


def list_volumes(pair: Pair | Sequence) -> tuple[Source, Source]:
    """Reference and target of a row, a subject behind them or not, or of a Pair.

    >>> list_volumes(("7_T101.h5", "7_T201.h5", "7"))
    ('7_T101.h5', '7_T201.h5')
    """
    if not isinstance(pair, Pair):
        return pair[0], pair[1]
    if pair.order == "coils" and pair.given.kspace is None:  # another degradation would be learned
        found = "a Pair that did not keep the k-space of its file"
        raise InputError(pair.target_path or "pair", found, "the files: (reference, target)")
    return pair.reference, pair.given


def mirror(volume: Volume) -> Volume:
    """Left and right exchanged, in k-space too: another head, for the price of none.

    The image is mirrored *before* it is degraded: a crop keeps pixel 0 of both (even) grids in one
    place, so a mirrored low-resolution image does not belong to the mirrored target.
    """
    kspace = volume.kspace
    if kspace is not None:
        kspace = fft2c(ifft2c(kspace).flip(-1))
    return Volume(volume.images.flip(-1), kspace=kspace)


def cut_slices(
    pairs: Iterable, scale: int, flip: bool = True, **options: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """All slices of (reference, target) volumes as training tensors lr, ref, target, in memory.

    >>> lr, ref, target = cut_slices([(torch.rand(3, 32, 32), torch.rand(3, 32, 32))], scale=4)
    >>> lr.shape, ref.shape
    (torch.Size([6, 1, 8, 8]), torch.Size([6, 1, 32, 32]))

    With ``flip`` the mirror images of a volume follow its slices; ``options`` are the other fields of
    ``Cutting``. Raises InputError when the volumes differ in size.
    """
    cutting = Cutting(mirror=flip, **options)
    return join_slices([cut_pair(pair, scale, cutting) for pair in pairs])


def cut_pair(
    pair: Pair | Sequence, scale: int, cutting: Cutting = DEFAULT
) -> tuple[Tensor, Tensor, Tensor]:
    """The slices of one pair as ``cut_slices`` gives them.

    Slices whose LR image has no contrast are left out: no network is asked for them.
    """
    # first turned onto each other, then mirrored
    sources = list_volumes(pair)
    if cutting.average_repetitions:
        sources = read_average(sources[0]), read_average(sources[1])
    if cutting.register:
        volumes = read_registered(*sources, scale, cutting.order)[:2]
    else:
        volumes = read_pair(*sources, cutting.common_slices)
    parts = []
    for one, other in [volumes, tuple(map(mirror, volumes))] if cutting.mirror else [volumes]:
        read = make_pair(one, other, scale, cutting.order, cutting.normalisation)
        seen = read.std.flatten() > 0
        brightness = read.given.images.mean((-2, -1)) * seen
        keep = seen if cutting.keep_dark else brightness > brightness.max() / 4
        parts.append(tuple(x[keep] for x in (read.lr, read.ref, read.target) if x is not None))
    return join_slices(parts)


def join_slices(parts: list[tuple]) -> tuple[Tensor, Tensor, Tensor]:
    """The slices of several pairs as one; InputError where their sizes differ."""
    check_sizes([part[1].shape for part in parts])
    lr, ref, target = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return lr, ref, target


def check_sizes(shapes: Sequence[Sequence[int]], patch: int | None = None) -> None:
    """Raise InputError unless there are pairs, of one size or no smaller than a ``patch``.

    ``shapes`` has one for each pair.
    """
    if not shapes:
        raise InputError("training data", "no pairs", "at least one reference and target")
    first = tuple(shapes[0][-2:])
    for number, shape in enumerate(shapes, 1):
        size = tuple(shape[-2:])
        if patch and min(size) < patch:
            found = f"{size} in pair {number}"
            raise InputError("training data", found, f"at least {patch} x {patch}, or less --patch")
        if not patch and size != first:
            found = f"{size} in pair {number} beside {first}"
            raise InputError("training data", found, "volumes of one size, or --patch")


def sample_means(data: "Slices") -> list[float]:
    """A few numbers that other data hardly share: mean sizes of three references and targets.

    >>> lr, image = torch.zeros(3, 1, 8, 8), torch.ones(3, 1, 32, 32)
    >>> sample_means(TensorDataset(lr, image, 2 * image))
    [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]
    """
    chosen = (0, len(data) // 2, len(data) - 1)
    return [float(image.double().abs().mean()) for i in chosen for image in data[i][1:]]


class StoredSlices(Dataset):
    """Slices in safetensors files, one file per pair, each slice read when it is asked for.

    Files are mapped into memory, so the operating system keeps what is used most and lets go of it
    when memory is short; the data may be larger than memory. Raises InputError as ``cut_slices``.
    """

    def __init__(self, files: Sequence[Path], patch: int | None = None):
        shapes = [read_shape(file) for file in files]
        check_sizes(shapes, patch)
        counts = zip(files, shapes, strict=True)
        self.index = [(file, i) for file, shape in counts for i in range(shape[0])]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        file, i = self.index[number]
        with safe_open(file, framework="pt") as tensors:
            lr, ref, target = (tensors.get_slice(name)[i] for name in NAMES)
        return lr, ref, target


Slices = TensorDataset | ConcatDataset | StoredSlices


def read_shape(file: Path) -> list[int]:
    """The shape of the references in a stored file, from its header."""
    try:
        with safe_open(file, framework="pt") as tensors:
            return tensors.get_slice("ref").get_shape()
    except (SafetensorError, OSError) as error:
        raise_if_out_of_memory(file, error)
        expected = "stored slices: remove this file, it is made anew"
        raise InputError(file, str(error), expected) from None


def write_slices(file: Path, part: tuple[Tensor, Tensor, Tensor]) -> None:
    content = to_bytes(dict(zip(NAMES, (t.contiguous() for t in part), strict=True)))
    with atomic_path(file) as temporary:
        temporary.write_bytes(content)


def hash_pair(pair: Pair | Sequence, scale: int, cutting: Cutting = DEFAULT) -> str:
    """Changes with the pair: a file's place, size and date; the values of what is in memory."""
    chosen = "" if cutting == DEFAULT else f" {cutting}"
    digest = sha256(f"{scale} {READING}{chosen}".encode())
    for source in list_volumes(pair):
        if isinstance(source, str | Path):
            for path in _list_read(Path(source), cutting.average_repetitions):
                known = (
                    path.stat() if path.is_file() else None
                )  # the reader will say what is missing
                digest.update(f"{path} {known and (known.st_size, known.st_mtime_ns)}".encode())
        else:
            volume = read_volume(source)
            values = volume.images if volume.kspace is None else volume.kspace
            digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def _sweep(folder: Path) -> None:
    """Remove what killed runs were writing: parts that nobody has touched for an hour."""
    for part in folder.glob(".part-*.safetensors"):
        with suppress(OSError):  # another run has swept
            if part.stat().st_mtime < time.time() - 3600:
                part.unlink()


def _list_read(source: Path, average: bool) -> list[Path]:
    """The files that are read of a source: one, all repetitions, or those of a DICOM series' folder."""
    if is_dicom(source):
        folder = source if source.is_dir() else source.parent
        return [source.resolve(), *sorted(folder.resolve().iterdir())]
    return [path.resolve() for path in (list_repetitions(source) if average else [source])]


def collect_slices(
    pairs: Iterable,
    scale: int,
    folder: str | Path,
    limit: float,
    patch: int | None = None,
    **options: Any,
) -> Slices:
    """The slices of all pairs: in memory while they need no more than ``limit`` bytes, else on disk.

    >>> pairs = [(torch.rand(3, 32, 32), torch.rand(3, 32, 32))]
    >>> type(collect_slices(pairs, 4, "cache", limit=1e9)).__name__
    'TensorDataset'
    >>> data = collect_slices(pairs, 4, "cache", limit=0)
    >>> type(data).__name__, len(data), data[5][1].shape
    ('StoredSlices', 6, torch.Size([1, 32, 32]))

    On disk, in ``folder``, the next run finds them again, and several processes share the work of
    writing them. For a ``patch`` pairs may differ in size, down to its side. ``options`` are the
    fields of ``Cutting``. Raises InputError as ``cut_slices``, and
    when ``folder`` cannot be written.
    """

    cutting = Cutting(**options)
    if get_rank() == 0:
        _sweep(Path(folder))

    def name_file(pair: Pair | Sequence) -> Path:
        return Path(folder) / f"{hash_pair(pair, scale, cutting)}.safetensors"

    pairs, held, size = iter(pairs), [], 0
    for pair in pairs:
        held.append((name_file(pair), cut_pair(pair, scale, cutting)))
        size += sum(tensor.nbytes for tensor in held[-1][1])
        if size > limit:
            break
    else:
        parts = [part for _, part in held]
        if patch:
            check_sizes([part[1].shape for part in parts], patch)
            return ConcatDataset([TensorDataset(*part) for part in parts])
        return TensorDataset(*join_slices(parts))
    files = [file for file, _ in held]
    for file, part in held:
        if get_rank() == 0 and not file.is_file():
            write_slices(file, part)
    held.clear()
    for number, pair in enumerate(pairs):
        files.append(file := name_file(pair))
        if number % count_processes() == get_rank() and not file.is_file():
            write_slices(file, cut_pair(pair, scale, cutting))
    wait_for_all()
    return StoredSlices(files, patch)
