"""What NIfTI headers say that is not taken as it stands: units, odd fields, the axis of the slices.

>>> read_unit({"xyzt_units": 2})
1.0
"""

from typing import Any

import numpy as np

from .oddities import FLAT

CODES = range(6)  # what NIfTI's forms may be
THICK = 2  # times: a voxel so much longer along one axis than along both others is of a thick slice


def read_unit(header: Any) -> float:
    """The millimetres of a NIfTI header's unit of length; one that is not said is mm.

    >>> read_unit({"xyzt_units": 1})
    1000.0
    """
    return {1: 1e3, 3: 1e-3}.get(int(header["xyzt_units"]) % 8, 1.0)


def mend_header(header: Any) -> None:
    """Change what nibabel refuses in a NIfTI header that other programs write, as its checks would.

    >>> import nibabel
    >>> header = nibabel.Nifti1Header()
    >>> header["pixdim"][:4] = 0, -2, 2, 5
    >>> mend_header(header)
    >>> header["pixdim"][:4].tolist()
    [1.0, 2.0, 2.0, 5.0]

    Sizes have no sign, ``pixdim[0]`` is 1 or -1, and a code that does not exist is none. A size that
    is no number or 0 is 1, and makes a qform none, save that of the third axis of a file with two.
    """
    pixdim = header["pixdim"]
    pixdim[0] = -1 if pixdim[0] == -1 else 1
    sizes = abs(pixdim[1:4])
    known = (sizes > 0) & np.isfinite(sizes)
    pixdim[1:4] = np.where(known, sizes, 1)
    if not known[:2].all():
        header["qform_code"] = 0
    for form in ("sform_code", "qform_code"):
        if int(header[form]) not in CODES:
            header[form] = 0


def find_slice_axis(header: Any, shape: tuple[int, ...]) -> int:
    """The axis of (x, y, z) that the slices of a NIfTI file lie along: the last, or a clear other one.

    >>> import nibabel
    >>> header = nibabel.Nifti1Header()
    >>> header.set_data_shape((18, 256, 256))
    >>> header.set_zooms((5, 1, 1))
    >>> find_slice_axis(header, (18, 256, 256))
    0

    ``shape`` is (x, y, z). Clear is an axis of few, thick voxels; of a file that says its place, also
    one that has so few voxels, no thinner than the others, that it is not one of rows or columns.
    """
    sizes = np.linalg.norm(header.get_best_affine()[:3, :3], axis=0)
    placed = bool(header["sform_code"]) or bool(header["qform_code"])
    for axis in (0, 1) if len(shape) == 3 and np.isfinite(sizes).all() else ():
        longest, fewest = (np.delete(of, axis) for of in (sizes, shape))
        thick = sizes[axis] >= THICK * longest.max() and shape[axis] <= fewest.min()
        flat = sizes[axis] >= 0.99 * longest.max() and FLAT * shape[axis] <= fewest.min()
        if thick or (flat and placed):
            return axis
    return 2
