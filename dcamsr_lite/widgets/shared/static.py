"""What an explorer leaves behind without a kernel: a page that still answers, and a picture.

>>> len(picture({}, {}, None, (0, 0), "nothing to show")) > 0
True
"""

import base64
import html
import json
from io import BytesIO
from pathlib import Path

from torch import Tensor

_WIDGETS = Path(__file__).parents[1]
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="dx-page">
<main></main>
<script type="application/json" id="state">{state}</script>
<script type="module">
{script}
standalone(document.querySelector("main"), JSON.parse(document.querySelector("#state").textContent));
</script>
</body>
</html>
"""


def script(*names: str) -> str:
    """One module of the shared parts and the named files, in this order.

    >>> "export default" in script()
    True

    Without names, what shows a message.
    """
    files = ("shared/numbers.js", "shared/ui.js", *(names or ("shared/empty.js",)))
    return "\n".join((_WIDGETS / name).read_text(encoding="utf-8") for name in files)


def style(*names: str) -> str:
    """The shared style sheet and the named files after it.

    >>> style().startswith("/*")
    True
    """
    files = ("shared/ui.css", *names)
    return "\n".join((_WIDGETS / name).read_text(encoding="utf-8") for name in files)


def page(state: dict, module: str, sheet: str) -> bytes:
    """One HTML file with the explorer's state inside: it asks the network for nothing.

    >>> page({"info": {"title": "<b>"}}, script(), style())[:15]
    b'<!doctype html>'
    """
    data = json.dumps(state, default=lambda b: base64.b64encode(b).decode(), allow_nan=False)
    return PAGE.format(
        policy=POLICY,
        title=html.escape(state["info"].get("title", "nothing to show")),
        style=sheet,
        state=data.replace("<", "\\u003c"),  # a file name could close the script element
        script=module,
    ).encode()


def bar_below(axis, drawn, limit: float, unit: str = "") -> None:
    """A colour bar from -limit to limit that leaves the picture as large as its neighbours.

    >>> from matplotlib.figure import Figure
    >>> axis = Figure().subplots()
    >>> bar_below(axis, axis.imshow([[-1, 1]]), 1.0)
    """
    place = axis.inset_axes([0, -0.09, 1, 0.045])
    bar = axis.figure.colorbar(drawn, cax=place, orientation="horizontal")
    bar.set_ticks([-limit, 0, limit], labels=[f"{-limit:.2g}", "0", f"{limit:.2g}"])
    bar.ax.tick_params(labelsize=7)
    for label, side in zip(bar.ax.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)  # inside the picture's width
    bar.set_label(unit, fontsize=7)


def picture(
    info: dict, images: dict[str, Tensor], lifted: Tensor | None, query: tuple[int, int], title: str
) -> bytes:
    """PNG of the panels and of the lifted map (rows, columns of its level); without one, the title.

    >>> picture({}, {}, None, (0, 0), "nothing to show")[:4]
    b'\\x89PNG'
    """
    from matplotlib.figure import Figure  # loads when first used

    from ...figures import signed_map

    count = len(images) + 1
    figure = Figure(figsize=(2.1 * count, 2.9), layout="constrained", dpi=90)
    if lifted is None:
        figure.text(0.5, 0.5, title or "nothing to show", ha="center", wrap=True)
    else:
        *axes, last = figure.subplots(1, count)
        (rows, columns), (top, left) = info["grid"], info["offset"]
        edges = dict(xlim=(0, info["shape"][1]), ylim=(info["shape"][0], 0), xticks=[], yticks=[])
        for axis, (name, image) in zip(axes, images.items(), strict=True):
            bounds = (0, image.shape[1], image.shape[0], 0)
            axis.imshow(image.numpy(), "gray", vmin=0, vmax=info["windows"][name], extent=bounds)
            axis.set_title(info["titles"][name], fontsize=8)
        limit = float(lifted.abs().max()) or 1.0
        drawn = last.imshow(
            lifted.numpy(),
            signed_map(),
            vmin=-limit,
            vmax=limit,
            interpolation="nearest",
            extent=(-left, columns - left, rows - top, -top),
        )
        last.set_title(title, fontsize=8)
        bar_below(last, drawn, limit)
        for axis in (*axes, last):
            axis.plot(query[1] + 0.5, query[0] + 0.5, "+", color="red")
            axis.set(**edges)
        figure.suptitle(f"{info['title']}. Not for clinical use.", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
