"""The paper's Figs. 1 to 3 in this project's terms, and what we add, drawn by us.

    python scripts/figures/architecture.py

Blue is the low-resolution side, orange the reference, grey what both share; a violet tag marks where
the released code, or the printed equation, does something else (the three variants: config.py).
"""

from html import escape
from pathlib import Path

from dcamsr_lite.errors import atomic_path

COLOURS = {
    "input": ("#dbe9fb", "#1a5fb4"),
    "reference": ("#fde5d0", "#b5520a"),
    "shared": ("#eceef1", "#5b626d"),
    "attention": ("#d9f0ec", "#0b6e62"),
    "flaw": ("#f3e3fb", "#7a1fa2"),
}


class Drawing:
    """Boxes, arrows and words on a white ground, in one coordinate system."""

    def __init__(self, width: int, height: int, title: str, description: str):
        self.size, self.parts = (width, height), []
        self.head = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"

    def text(self, x, y, words, size=13, colour="#1d2026", anchor="middle", weight="normal"):
        self.parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
            f' font-weight="{weight}">{escape(words)}</text>'
        )

    def box(self, x, y, width, height, lines, kind="shared", dashed=False):
        """A rounded box with its top left corner at x, y; the first line is its name."""
        fill, line = COLOURS[kind]
        dash = ' stroke-dasharray="5 3"' if dashed else ""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{fill}"'
            f' stroke="{line}" stroke-width="1.4"{dash}/>'
        )
        first = y + height / 2 + 4.5 - 8 * (len(lines) - 1)
        for i, words in enumerate(lines):
            style = {"weight": "600"} if i == 0 else {"size": 11.5, "colour": "#4a505a"}
            self.text(x + width / 2, first + 16 * i, words, **style)

    def tag(self, x, y, number):
        """A numbered mark of a departure; the legend says which."""
        fill, line = COLOURS["flaw"]
        self.parts.append(
            f'<circle cx="{x}" cy="{y}" r="10" fill="{fill}" stroke="{line}" stroke-width="1.6"/>'
        )
        self.text(x, y + 4.2, str(number), size=12, colour=line, weight="700")

    def arrow(self, *points, kind="shared"):
        path = " ".join(f"{'ML'[i > 0]}{x},{y}" for i, (x, y) in enumerate(points))
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{COLOURS[kind][1]}" stroke-width="1.6"'
            f' marker-end="url(#{kind})"/>'
        )

    def legend(self, x, y, lines):
        for i, words in enumerate(lines):
            self.tag(x + 10, y + 24 * i, i + 1)
            self.text(x + 28, y + 4.5 + 24 * i, words, size=12, anchor="start")

    def write(self, path: Path) -> None:
        width, height = self.size
        heads = "".join(
            f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            f' orient="auto-start-reverse"><path d="M0,0 L8,4 L0,8 z" fill="{line}"/></marker>'
            for kind, (_, line) in COLOURS.items()
        )
        content = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            f' font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">\n'
            f"{self.head}\n<defs>{heads}</defs>\n"
            f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>\n'
        )
        with atomic_path(path) as temporary:
            temporary.write_text(content + "\n".join(self.parts) + "\n</svg>\n", encoding="utf-8")


def network() -> Drawing:
    d = Drawing(
        1120, 620, "The network",
        "The upsampled input and the reference pass one encoder; at each of three levels a transformer"
        " finds a texture in the reference; the decoder fuses the textures from coarse to fine.",
    )  # fmt: skip
    d.text(20, 34, "The network  (paper, Fig. 2a; model.py)", 17, anchor="start", weight="700")
    d.box(20, 70, 120, 56, ["LR image", "H/s × W/s"], "input")
    d.box(20, 176, 120, 56, ["upsample × s", "by Fourier"], "input")
    d.tag(140, 176, 1)
    d.arrow((80, 126), (80, 174), kind="input")
    d.box(20, 400, 120, 56, ["reference", "H × W"], "reference")
    rows = {1: 150, 2: 285, 4: 420}
    d.box(190, 70, 130, 440, [], "shared")
    d.text(255, 94, "Encoder", 13, weight="600")
    d.text(255, 111, "one, for both", 11.5, "#4a505a")
    d.arrow((140, 204), (188, 204), kind="input")
    d.arrow((140, 428), (188, 428), kind="reference")
    for level, y in rows.items():
        size = "H × W" if level == 1 else f"H/{level} × W/{level}"
        d.box(202, y - 24, 106, 48, [f"level {level}", size], "shared")
        d.box(420, y - 34, 190, 68, ["transformer", "query: input, key: reference"], "attention")
        d.arrow((308, y - 10), (418, y - 14), kind="input")
        d.arrow((308, y + 10), (418, y + 14), kind="reference")
        d.text(363, y - 19, "features", 11, COLOURS["input"][1])
        d.text(363, y + 30, "features", 11, COLOURS["reference"][1])
        d.box(760, y - 30, 150, 60, [f"fusion {level}", "SAM, concatenate, conv"], "shared")
        d.arrow((610, y), (758, y), kind="attention")
        d.text(684, y - 7, "texture", 11.5, COLOURS["attention"][1])
    d.tag(760, rows[1] - 30, 2)
    d.arrow((255, 174), (255, 259))
    d.arrow((255, 309), (255, 394))
    d.box(420, 530, 190, 56, ["decoder, level 8", "stride 2, up again, join"], "shared")
    d.arrow((255, 444), (255, 558), (418, 558), kind="input")
    d.arrow((610, 558), (835, 558), (835, 452))
    d.arrow((835, 390), (835, 317))
    d.arrow((835, 255), (835, 182))
    d.text(848, 358, "up × 2", 11.5, "#4a505a", anchor="start")
    d.text(848, 223, "up × 2", 11.5, "#4a505a", anchor="start")
    d.box(960, 122, 130, 56, ["convolution", "c → 1"], "shared")
    d.tag(960, 122, 3)
    d.arrow((910, 150), (958, 150))
    d.box(985, 250, 80, 44, ["+"], "shared")
    d.tag(985, 250, 4)
    d.arrow((1025, 178), (1025, 248))
    d.arrow((140, 190), (165, 190), (165, 52), (1102, 52), (1102, 272), (1067, 272), kind="input")
    d.box(965, 360, 120, 56, ["SR image", "H × W"], "input")
    d.arrow((1025, 294), (1025, 358))
    d.legend(
        900, 470,
        [
            "released: bilinear, shifted",
            "released: one SAM for three",
            "paper: 1 × 1; released: 3 × 3",
            "paper: no global residual",
        ],
    )  # fmt: skip
    return d


def block() -> Drawing:
    d = Drawing(
        1120, 330, "The transformer block",
        "Layer norm of both inputs, dual cross-attention, residual, feed-forward network, residual.",
    )  # fmt: skip
    title = (
        "The transformer at one level  (paper, Fig. 2b, Eqs. 6, 7; DualCrossAttentionTransformer)"
    )
    d.text(20, 34, title, 17, anchor="start", weight="700")
    d.box(20, 90, 110, 56, ["input x", "b (h w) c"], "input")
    d.box(20, 200, 110, 56, ["reference", "b (h w) c"], "reference")
    d.box(180, 130, 110, 86, ["LayerNorm", "one for both"], "shared")
    d.arrow((130, 118), (178, 148), kind="input")
    d.arrow((130, 228), (178, 198), kind="reference")
    d.box(
        350,
        118,
        190,
        110,
        ["dual cross-attention", "spatial | channel", "halves concatenated"],
        "attention",
    )
    d.arrow((290, 150), (348, 150), kind="input")
    d.arrow((290, 196), (348, 196), kind="reference")
    d.box(600, 151, 50, 44, ["+"], "shared")
    d.arrow((540, 173), (598, 173), kind="attention")
    d.arrow((75, 90), (75, 62), (625, 62), (625, 149), kind="input")
    d.box(700, 145, 120, 56, ["LayerNorm", "before the FFN"], "shared")
    d.tag(700, 145, 1)
    d.arrow((650, 173), (698, 173))
    d.box(860, 145, 100, 56, ["FFN", "two 1 × 1"], "shared")
    d.arrow((820, 173), (858, 173))
    d.box(1000, 151, 50, 44, ["+"], "shared")
    d.arrow((960, 173), (998, 173))
    d.arrow((675, 173), (675, 100), (1025, 100), (1025, 149))
    d.arrow((1050, 173), (1108, 173), kind="attention")
    d.text(1080, 160, "texture", 11.5, COLOURS["attention"][1])
    d.legend(180, 285, ["released: no norm before the FFN"])
    return d


def attention() -> Drawing:
    d = Drawing(
        1120, 660, "Dual cross-attention",
        "Shared queries and keys; the spatial branch attends to 64 projected tokens, the channel branch"
        " to features; each branch is reduced to half of the channels.",
    )  # fmt: skip
    d.text(
        20,
        34,
        "Dual cross-attention  (paper, Fig. 3, Eqs. 1 to 5; attention.py)",
        17,
        anchor="start",
        weight="700",
    )
    d.box(20, 130, 110, 56, ["input", "b n c"], "input")
    d.box(20, 380, 110, 56, ["reference", "b n c"], "reference")
    d.box(180, 130, 130, 56, ["q", "b head n d"], "input")
    d.arrow((130, 158), (178, 158), kind="input")
    for y, name in ((270, "v, spatial"), (380, "k"), (490, "v, channel")):
        d.box(180, y, 130, 56, [name, "b head n d"], "reference")
        d.arrow((130, 408), (155, 408), (155, y + 28), (178, y + 28), kind="reference")
    d.text(675, 108, "Spatial branch: where", 14, COLOURS["attention"][1], weight="700")
    d.box(380, 190, 150, 52, ["E k", "b head p d,  p = 64"], "reference")
    d.tag(380, 190, 1)
    d.box(380, 270, 150, 52, ["F v", "b head p d"], "reference")
    d.tag(380, 270, 2)
    d.arrow((310, 395), (345, 395), (345, 216), (378, 216), kind="reference")
    d.arrow((310, 298), (378, 298), kind="reference")
    d.box(590, 130, 170, 60, ["softmax(q · E k)", "b head n p"], "attention")
    d.tag(590, 130, 3)
    d.arrow((310, 150), (588, 150), kind="input")
    d.arrow((530, 216), (560, 216), (560, 176), (588, 176), kind="reference")
    d.box(800, 190, 130, 56, ["weights · F v", "b head n d"], "attention")
    d.arrow((760, 160), (865, 160), (865, 188), kind="attention")
    d.arrow((530, 298), (780, 298), (780, 226), (798, 226), kind="reference")
    d.box(960, 190, 140, 56, ["merge heads", "b n (head d)"], "attention")
    d.tag(960, 190, 4)
    d.arrow((930, 218), (958, 218), kind="attention")
    d.text(675, 380, "Channel branch: what", 14, COLOURS["attention"][1], weight="700")
    d.box(590, 400, 170, 60, ["softmax(qᵀ · k)", "b head d d"], "attention")
    d.tag(590, 400, 5)
    d.arrow((245, 186), (245, 240), (360, 240), (360, 418), (588, 418), kind="input")
    d.arrow((310, 420), (340, 420), (340, 442), (588, 442), kind="reference")
    d.box(800, 460, 130, 56, ["weights · v", "b head n d"], "attention")
    d.arrow((760, 430), (865, 430), (865, 458), kind="attention")
    d.arrow((310, 518), (780, 518), (780, 498), (798, 498), kind="reference")
    d.box(960, 460, 140, 56, ["merge heads", "b n (head d)"], "attention")
    d.arrow((930, 488), (958, 488), kind="attention")
    d.box(960, 325, 140, 60, ["concatenate", "each reduced to c/2"], "attention")
    d.arrow((1030, 246), (1030, 323), kind="attention")
    d.arrow((1030, 460), (1030, 387), kind="attention")
    d.legend(
        20, 588,
        [
            "E, F: two sets of footprints; released: one",
            "F lifts attention to pixels (Record.lift)",
            "released: normalised over tokens, so uniform",
        ],
    )  # fmt: skip
    for i, words in enumerate(
        [
            "released: scrambled, “b (d head n)” cut into rows of c",
            "paper: summed over all tokens unscaled, so one-hot; released: cosine",
        ]
    ):
        d.tag(410, 588 + 24 * i, 4 + i)
        d.text(428, 592.5 + 24 * i, words, size=12, anchor="start")
    return d


def aligned() -> Drawing:
    d = Drawing(
        1120, 480, "The variant aligned",
        "Every query compares itself with the reference at the offsets around its own place; the"
        " votes of all queries elect a motion of the head, those near by a bend; the reference is moved"
        " to where they say, and both branches read it there.",
    )  # fmt: skip
    title = "Finding the reference  (ours, no figure of the paper; motion.py, alignment.py)"
    d.text(20, 34, title, 17, anchor="start", weight="700")
    d.box(20, 90, 120, 60, ["input", "features, b n c"], "input")
    d.box(20, 250, 120, 60, ["reference", "features, b n c"], "reference")
    d.box(180, 90, 110, 60, ["q", "b head n d"], "input")
    d.box(180, 250, 110, 60, ["k", "b head n d"], "reference")
    d.arrow((140, 120), (178, 120), kind="input")
    d.arrow((140, 280), (178, 280), kind="reference")
    d.box(
        340,
        160,
        170,
        80,
        ["votes, b n p", "cosine of q with the k", "at each of p offsets"],
        "attention",
    )
    d.arrow((290, 120), (400, 120), (400, 158), kind="input")
    d.arrow((290, 280), (400, 280), (400, 242), kind="reference")
    d.text(675, 66, "Where do they say it lies?", 14, COLOURS["attention"][1], weight="700")
    d.box(
        570, 82, 210, 60, ["motion: a shift with a turn", "votes of all × sharpness"], "attention"
    )
    bend = ["bend around that motion", "votes near by × sharpness"]
    d.box(570, 170, 210, 60, bend, "attention")
    d.box(
        570,
        258,
        210,
        60,
        ["ahead: no motion, no bend", "most references lie in place"],
        "shared",
    )
    for y in (112, 200):
        d.arrow((510, 200), (540, 200), (540, y), (568, y), kind="attention")
    d.box(830, 170, 44, 60, ["+"], "shared")
    d.arrow((780, 112), (852, 112), (852, 168), kind="attention")
    d.arrow((675, 142), (675, 168), kind="attention")
    d.arrow((780, 200), (828, 200), kind="attention")
    d.arrow((675, 258), (675, 232))
    d.box(920, 170, 170, 60, ["nine pixels there", "b n p: where it looks"], "attention")
    d.arrow((874, 200), (918, 200), kind="attention")
    d.box(
        900,
        350,
        190,
        76,
        ["reference, moved", "level 1: the image, encoded", "anew; 2 and 4: features"],
        "reference",
    )
    d.arrow((1005, 230), (1005, 348), kind="attention")
    d.arrow((80, 310), (80, 446), (995, 446), (995, 428), kind="reference")
    d.box(620, 332, 230, 48, ["spatial half", "v at every query's own place"], "attention")
    d.box(620, 392, 230, 48, ["channel branch", "q with k and v as found"], "attention")
    d.arrow((900, 372), (875, 372), (875, 356), (852, 356), kind="reference")
    d.arrow((900, 404), (875, 404), (875, 416), (852, 416), kind="reference")
    d.box(400, 358, 150, 60, ["concatenate", "each reduced to c/2"], "attention")
    d.arrow((620, 356), (590, 356), (590, 380), (552, 380), kind="attention")
    d.arrow((620, 416), (590, 416), (590, 396), (552, 396), kind="attention")
    d.arrow((400, 388), (330, 388), kind="attention")
    d.text(285, 392, "texture", 11.5, COLOURS["attention"][1])
    d.text(
        560,
        470,
        "p: 9 × 9 offsets at level 1, 5 × 5 at level 2, 3 × 3 at level 4, in pixels of the level;"
        " the map has one ring more",
        12,
    )
    return d


FIGURES = {"network": network, "block": block, "attention": attention, "aligned": aligned}


def main(folder: Path) -> None:
    for name, draw in FIGURES.items():
        draw().write(folder / f"architecture-{name}.svg")


if __name__ == "__main__":
    main(Path(__file__).parents[2] / "assets" / "figures")
