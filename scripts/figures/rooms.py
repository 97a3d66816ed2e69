"""The rooms of the package and what flows between them: python scripts/figures/rooms.py

Blue is what comes in, orange the simulated head, green what attends, grey what all share; the numbers
are the three walks of docs/architecture.md, at the rooms where each turns.
"""

from pathlib import Path

from architecture import COLOURS, Drawing

WORDS = "#4a505a"


def rooms() -> Drawing:
    d = Drawing(
        1120, 560, "The rooms",
        "Files or the simulated head become volumes, data makes pairs of them with the crop of k-space, the"
        " network super-resolves a pair; training changes its weights; evaluation scores what it gives, interpret"
        " records and cuts it; widgets, course and commands show all this to people.",
    )  # fmt: skip
    d.text(20, 34, "The rooms of dcamsr_lite, and what flows between them", 17, anchor="start", weight="700")  # fmt: skip
    d.box(20, 100, 150, 56, ["files, arrays", ".h5 .nii .npy .npz"], "input", dashed=True)
    d.box(20, 220, 150, 72, ["phantom/", "anatomy, sequences,", "head, subjects"], "reference")
    d.box(240, 60, 160, 56, ["kspace.py", "crop, zero-fill"], "shared")
    d.box(240, 166, 160, 72, ["data/", "files, volume, pairs,", "augmentation"], "input")
    d.arrow((170, 128), (205, 128), (205, 190), (238, 190), kind="input")
    d.arrow((170, 256), (205, 256), (205, 214), (238, 214), kind="reference")
    d.text(120, 186, "volumes, k-space", 11.5, WORDS)
    d.arrow((320, 116), (320, 164))
    d.text(328, 144, "degrade", 11.5, WORDS, anchor="start")
    d.box(530, 156, 190, 92, ["network/", "attention, tokens, model,", "checkpoints; baselines/"], "attention")  # fmt: skip
    d.arrow((400, 202), (528, 202), kind="input")
    d.text(464, 194, "Pair: lr, ref", 11.5, WORDS)
    d.arrow((400, 88), (625, 88), (625, 154))
    d.text(512, 80, "Fourier upsampling", 11.5, WORDS)
    d.box(
        530,
        370,
        190,
        72,
        ["training/", "dataset, loop, run, study,", "distributed, memory"],
        "shared",
    )
    d.arrow((320, 238), (320, 406), (528, 406), kind="input")
    d.text(424, 398, "slices", 11.5, WORDS)
    d.arrow((600, 248), (600, 368), kind="attention")
    d.arrow((650, 370), (650, 250))
    d.text(592, 314, "loss", 11.5, WORDS, anchor="end")
    d.text(658, 314, "step", 11.5, WORDS, anchor="start")
    d.box(240, 456, 160, 56, ["assets/weights", "a file and its card"], "input", dashed=True)
    d.arrow((625, 442), (625, 484), (402, 484))
    d.text(512, 476, "last.safetensors", 11.5, WORDS)
    d.box(800, 60, 150, 56, ["evaluation.py", "metrics.py"], "shared")
    d.box(800, 166, 150, 72, ["interpret/", "tracing, interventions,", "attribution"], "attention")
    d.arrow((720, 176), (760, 176), (760, 88), (798, 88), kind="attention")
    d.text(752, 130, "SR image", 11.5, WORDS, anchor="end")
    d.arrow((720, 210), (798, 210), kind="attention")
    d.text(760, 228, "attention", 11.5, WORDS)
    d.box(990, 60, 110, 56, ["commands/", "cli.py"], "shared")
    d.box(990, 166, 110, 72, ["widgets/", "one folder for", "each explorer"], "shared")
    d.box(990, 288, 110, 56, ["course/", "exercises/"], "shared")
    d.arrow((950, 88), (988, 88))
    d.text(969, 80, "scores", 11, WORDS)
    d.arrow((950, 202), (988, 202), kind="attention")
    d.text(969, 194, "Record", 11, WORDS)
    d.arrow((875, 238), (875, 316), (988, 316), kind="attention")
    for number, x, y in ((1, 990, 166), (1, 800, 166), (2, 240, 166), (2, 800, 60), (3, 530, 370)):
        d.tag(x, y, number)
    d.tag(530, 156, 1)
    for i, words in enumerate(
        ["a click on the explorer, to its map", "a file, to its metric", "a training step"]
    ):
        d.tag(790, 420 + 26 * i, i + 1)
        d.text(808, 424.5 + 26 * i, words, size=12, anchor="start")
    d.text(780, 510, "Not drawn: errors.py and figures.py, which many rooms use;", 11.5, WORDS, anchor="start")  # fmt: skip
    d.text(780, 528, "training/ also scores by evaluation.py.", 11.5, WORDS, anchor="start")
    d.parts.append(
        f'<rect x="772" y="396" width="328" height="92" rx="7" fill="none" stroke="{COLOURS["flaw"][1]}"'
        ' stroke-width="1" stroke-dasharray="2 3"/>'
    )
    return d


if __name__ == "__main__":
    rooms().write(Path(__file__).parents[2] / "docs" / "rooms.svg")
