"""PNG and JPEG pictures as one slice: grey values as they are, colours by their brightness.

>>> from PIL import Image
>>> Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("t2.png")
>>> read_picture("t2.png").images.shape
torch.Size([1, 8, 8])
"""

from importlib import import_module
from pathlib import Path

import numpy as np

from .volume import Volume, check_cap, refuse_errors, volume_from_array

ENDINGS = (".png", ".jpg", ".jpeg")
GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")


def read_picture(path: str | Path) -> Volume:
    """One picture as a volume of one slice, which lies nowhere. Raises InputError.

    >>> from PIL import Image
    >>> Image.new("RGB", (8, 9), "red").save("red.png")
    >>> read_picture("red.png")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: red.png: found a constant volume (76 everywhere); expected an image
    """
    pillow = import_module("PIL.Image")  # comes with matplotlib
    notes = []
    with (
        refuse_errors(path, "a PNG or JPEG picture"),
        pillow.open(path, formats=("PNG", "JPEG")) as picture,
    ):
        width, height = picture.size
        check_cap(path, f"{height} x {width} pixels", 4 * 4 * height * width)
        if picture.mode not in GREY:
            values = np.asarray(picture.convert("RGB"))
            if not (values == values[..., :1]).all():
                notes.append(f"{Path(path).name}: colours: their brightness is taken")
            picture = picture.convert("L")
        array = np.asarray(picture, np.float32)
    return volume_from_array(path, array, path=str(path), notes=tuple(notes))
