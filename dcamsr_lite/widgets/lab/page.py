"""What stands around the intervention lab: its guided tour and its static twin.

>>> all(isinstance(step["text"], str) for step in TOUR)
True
"""

from io import BytesIO
from textwrap import fill

from ...interpret.interventions import Outcome
from ..shared.slices import TITLES as COMMON
from ..shared.static import bar_below

IMAGES = ("low", "reference", "output", "target")
TITLES = COMMON | {"reference": "Reference, as used", "change": "Change of the output"}
TOUR = [
    {
        "text": "The network as it was trained: a blurred T2 image, sharpened with the help of the"
        " reference. Its PSNR is the one that every change is measured against.",
        "intervention": {},
    },
    {
        "text": "A blank reference. Where the change is blue or orange, the output had taken"
        " something from the reference. What does the PSNR fall by?",
        "intervention": {"reference": "blank"},
    },
    {
        "text": "The reference of another head. Does it hurt more, or less, than none at all?",
        "intervention": {"reference": "other"},
    },
    {
        "text": "The own reference again, but two pixels to the right: this is what a patient's"
        " motion between the two scans does.",
        "intervention": {"shift": [0, 2]},
    },
    {
        "text": "Every pixel now reads the same average of the reference: spatial attention is"
        " uniform. Compare with the blank reference.",
        "intervention": {"cuts": [{"branch": "spatial", "state": "uniform"}]},
    },
    {
        "text": "The spatial branch cut off altogether, its bias included.",
        "intervention": {"cuts": [{"branch": "spatial", "state": "off"}]},
    },
    {
        "text": "The channel branch cut off instead. Which branch does this network live on? Now it is"
        " your turn: switch single heads, paint a lesion into the reference only.",
        "intervention": {"cuts": [{"branch": "channel", "state": "off"}]},
    },
]


def twin(result: Outcome, base: Outcome, info: dict) -> bytes:
    """The static twin as PNG: the images of a result, and what it changes against the base.

    >>> import torch
    >>> from dcamsr_lite.interpret.interventions import Intervention
    >>> image = torch.rand(16, 16)
    >>> result = Outcome(Intervention("blank"), image, image, None, image)
    >>> twin(result, result, {"windows": {}})[:4]
    b'\\x89PNG'
    """
    from matplotlib.figure import Figure  # loads when first used

    from ...figures import signed_map

    shown = {n: getattr(result, n) for n in IMAGES if getattr(result, n) is not None}
    shown["change"] = result.output - base.output
    figure = Figure(figsize=(2.1 * len(shown), 2.9), layout="constrained", dpi=90)
    for axis, (name, image) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
        grey = {"cmap": "gray", "vmin": 0, "vmax": info["windows"].get(name)}
        limit = float(image.abs().max()) or 1.0
        signed = {"cmap": signed_map(), "vmin": -limit, "vmax": limit}
        drawn = axis.imshow(image.numpy(), **signed if name == "change" else grey)
        axis.set(title=TITLES[name], xticks=[], yticks=[])
        axis.title.set_fontsize(8)
    bar_below(axis, drawn, limit)
    quality = "" if result.psnr is None else f": {result.psnr:.2f} dB ({result.change:+.2f})"
    words = f"{result.intervention}{quality}. Not for clinical use."
    figure.suptitle(fill(words, 26 * len(shown)), fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
