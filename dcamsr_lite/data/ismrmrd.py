"""The ISMRMRD header of an HDF5 file: the geometry that it says, and M4Raw's, written.

>>> read_geometry(None)
(None, None, None)
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from torch import Tensor

from ..errors import InputError

SLICE_THICKNESS = 5.0  # mm, M4Raw


def read_geometry(
    header: ElementTree.Element | None,
) -> tuple[tuple[int, int] | None, tuple[float, ...] | None, float | None]:
    """(rows, columns) of the reconstructed matrix, its extent and slice in mm; None if not known.

    >>> import torch
    >>> protocol = {"tr": 500, "te": 18.4, "flip": 90}
    >>> header = make_m4raw_header(torch.ones(1, 4, 8, 8), "AXT1", protocol)
    >>> read_geometry(ElementTree.fromstring(header))
    ((8, 8), (240.0, 240.0), 5.0)
    """

    def values(name: str, axes: str) -> tuple[float, ...] | None:
        node = header.find(f".//{{*}}reconSpace/{{*}}{name}")
        try:
            found = tuple(float(node.findtext(f"{{*}}{axis}", "")) for axis in axes)
        except (AttributeError, TypeError, ValueError):
            return None
        return found if all(1 <= value <= 1e5 for value in found) else None

    if header is None:
        return None, None, None
    names = ("matrixSize", "fieldOfView_mm")
    matrix, extent = (values(name, "xy") for name in names)
    slices, thick = (values(name, "z") for name in names)
    thickness = thick[0] / slices[0] if slices and thick else None
    size = (int(matrix[0]), int(matrix[1])) if matrix else None
    return size, extent, thickness


def make_m4raw_header(
    kspace: Tensor, acquisition: str, protocol: object, field_of_view: float = 240.0
) -> bytes:
    """The ISMRMRD header of M4Raw for (slice, coil, row, column) k-space, prefix ``ns0`` included.

    >>> import torch
    >>> header = make_m4raw_header(torch.ones(1, 4, 8, 8), "AXT1", {"tr": 500, "te": 18.4, "flip": 90})
    >>> header[:22], b"<ns0:TR>500.0</ns0:TR>" in header
    (b'<ns0:ismrmrdHeader xml', True)
    """

    def value(name: str, default: float | None = None) -> float:
        if isinstance(protocol, Mapping):
            found = protocol.get(name)
        else:
            found = getattr(protocol, name, None)
        found = default if found is None else found
        if not isinstance(found, (int, float)) or not 0 <= found < 1e6:
            raise InputError("protocol", f"{name} = {found!r}", "a number of ms, degrees or echoes")
        return found

    _, coils, rows, columns = kspace.shape
    acquired = kspace.abs().sum((0, 1, 2)).nonzero().flatten()
    lines = int(acquired[-1] - acquired[0]) + 1 if len(acquired) else 0
    page = Path(__file__).with_name("m4raw_header.xml").read_text(encoding="utf-8")
    filled = re.sub(r">\s+<", "><", page.strip()).format(
        acquisition=escape(acquisition),
        coils=coils,
        rows=rows,
        columns=columns,
        field_of_view=field_of_view,
        slice_thickness=SLICE_THICKNESS,
        lines=lines,  # M4Raw counts its 195 lines as 0..195 with centre 97
        middle=lines // 2,
        tr=float(value("tr")),
        te=float(value("te")),
        ti=float(value("ti", 0.0)),
        flip=float(value("flip")),
        echo_train=int(value("echo_train", 1)),
    )
    return filled.encode("ascii", "xmlcharrefreplace")
