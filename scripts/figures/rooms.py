"""The rooms of the package and what flows between them: python scripts/figures/rooms.py

Blue is what comes in, orange the simulated head, green what attends, grey what all share; the numbers
are the three walks of docs/architecture.md, at the rooms that each passes.
"""

from pathlib import Path

from architecture import Drawing

TITLE = "The rooms of dcamsr_lite, and what flows between them"
DESCRIPTION = (
    "Files or the simulated head become volumes; data makes pairs of them with the crop of k-space;"
    " the network super-resolves a pair; training changes its weights; evaluation scores what it"
    " gives, interpret records and cuts it; commands, widgets and course show this to people."
)
WALKS = {
    "a click on the explorer, to its map": ((540, 166), (785, 166), (985, 166)),
    "a file, to its metric": ((240, 166), (540, 166), (785, 60), (985, 60)),
    "a training step": ((240, 166), (540, 166), (540, 370)),
}


def rooms() -> Drawing:
    d = Drawing(1120, 540, TITLE, DESCRIPTION)
    d.text(20, 34, TITLE, 17, anchor="start", weight="700")

    def note(x, y, words, anchor="middle"):
        d.text(x, y, words, 11.5, "#4a505a", anchor=anchor)

    d.box(20, 90, 150, 56, ["files, arrays", ".h5 .nii .npy .npz"], "input", dashed=True)
    d.box(20, 232, 150, 72, ["phantom/", "anatomy, sequences,", "head, subjects"], "reference")
    d.box(240, 60, 160, 56, ["kspace.py", "crop, zero-fill"], "shared")
    d.box(240, 166, 160, 72, ["data/", "files, volume, pairs,", "augmentation"], "input")
    d.arrow((95, 146), (95, 190), (238, 190), kind="input")
    d.arrow((95, 232), (95, 214), (238, 214), kind="reference")
    note(166, 182, "volumes, k-space")
    d.arrow((320, 116), (320, 164))
    note(328, 144, "degrade", "start")
    lines = ["network/", "attention, spatial_choices,", "model, baselines/"]
    d.box(540, 166, 180, 72, lines, "attention")
    d.arrow((400, 202), (538, 202), kind="input")
    note(470, 194, "Pair: lr, ref")
    d.arrow((400, 88), (630, 88), (630, 164))
    note(512, 80, "Fourier upsampling")
    d.box(
        540,
        370,
        180,
        72,
        ["training/", "recipe, dataset, loop, run,", "distributed, memory, study"],
    )
    d.arrow((320, 238), (320, 406), (538, 406), kind="input")
    note(430, 398, "slices")
    d.arrow((600, 238), (600, 368), kind="attention")
    d.arrow((660, 370), (660, 240))
    note(592, 308, "SR image, loss", "end")
    note(668, 308, "gradient step", "start")
    d.box(240, 456, 160, 56, ["assets/weights", "a file and its card"], "input", dashed=True)
    d.arrow((630, 442), (630, 484), (402, 484))
    note(512, 476, "last.safetensors")
    d.box(785, 60, 140, 72, ["evaluation.py", "metrics.py", "cohort.py, protocols.py"])
    d.box(785, 166, 140, 72, ["interpret/", "tracing, interventions,", "attribution"], "attention")
    d.arrow((720, 186), (752, 186), (752, 88), (783, 88), kind="attention")
    note(744, 130, "SR image", "end")
    d.arrow((720, 216), (783, 216), kind="attention")
    note(751, 234, "attention")
    d.box(985, 60, 115, 56, ["commands/", "cli.py, bench/"])
    d.box(985, 166, 115, 72, ["widgets/", "a folder for each", "explorer; shared/"])
    d.box(985, 288, 115, 56, ["course/", "exercises/"])
    d.arrow((925, 88), (983, 88))
    note(954, 106, "scores")
    d.arrow((925, 202), (983, 202), kind="attention")
    note(954, 220, "Record")
    d.arrow((855, 238), (855, 316), (983, 316), kind="attention")
    marks = {}
    for number, (words, places) in enumerate(WALKS.items(), 1):
        for place in places:
            marks[place] = marks.get(place, -1) + 1
            d.tag(place[0] + 24 * marks[place], place[1], number)
        d.tag(795, 396 + 26 * (number - 1), number)
        d.text(813, 400.5 + 26 * (number - 1), words, size=12, anchor="start")
    note(785, 482, "Not drawn: errors.py, global_state.py, figures.py,", "start")
    note(785, 498, "panels.py, overlays.py, extras.py; export/ (to ONNX);", "start")
    note(785, 514, "validation in training/ goes through evaluation.py.", "start")
    return d


if __name__ == "__main__":
    rooms().write(Path(__file__).parents[2] / "docs" / "rooms.svg")
