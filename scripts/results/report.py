"""The results page: every sentence with a number in it is computed from the tables beside it.

What a person concludes stands in notes.md, without numbers, and is put where it belongs.
"""

import itertools
import json
from collections import defaultdict
from pathlib import Path

import displacement
from matplotlib.figure import Figure
from tables import (
    METHODS,
    Table,
    average_moved,
    find_deciding,
    find_smallest_effect,
    first_table,
    name,
    read,
    second_table,
    simulate_false_alarms,
    table_of,
    tell_share,
    verdict,
)

from dcamsr_lite.errors import atomic_path
from dcamsr_lite.training.study import seed_interval

QUESTIONS = {
    "Does the scramble cost anything? Do uniform spatial or one-hot channel attention?": [
        ("unscrambled", "released"),
        ("corrected", "scrambled"),
        ("corrected", "uniform_spatial"),
        ("corrected", "one_hot_channel"),
        ("corrected", "released"),
        ("corrected", "paper"),
        ("one_hot_channel", "paper"),
    ],
    "Which spatial attention pays?": [
        ("corrected", "no_spatial"),
        ("corrected", "scaled_dot_product"),
        ("corrected", "pooled_tokens"),
        ("aligned", "corrected"),
        *(("aligned_displaced", f"{x}_displaced") for x in ("corrected", "concatenation", "minet")),
        ("aligned_displaced", "no_reference"),
        ("corrected_displaced", "no_reference"),
        ("aligned_displaced", "corrected"),
        ("corrected", "local_window"),
        ("corrected", "no_spatial_deep"),
        ("corrected", "local_window_deep"),
        ("corrected", "no_multiscale"),
    ],
    "How much of the gain is the reference, how much the network?": [
        ("corrected", "no_reference"),
        ("corrected", "concatenation"),
        ("no_spatial_deep", "concatenation"),
        ("concatenation", "concatenation_shallow"),
        ("corrected", "concatenation_shallow"),
        ("corrected", "no_channel"),
        ("no_channel", "no_reference"),
        ("corrected", "bilinear"),
        ("no_reference", "zero-fill"),
        ("released", "released_no_channel"),
        ("released", "released_no_spatial"),
        ("paper", "paper_no_channel"),
        ("paper", "paper_no_spatial"),
    ],
}
OURS = ("corrected", "as_large")  # the study's size, and the baselines'
DATA = {"simulated": "simulated heads", "real": "real patients"}
LIKEWISE = ("a difference", "no difference shown", "one seed, no claim")
LIKEWISE += ("too few subjects for an interval", "not run")


def sentence(table: Table, data: str, better: str, than: str) -> str:
    found = table.difference(data, better, than)
    start = f"- {name(better)} against {name(than)}, {DATA[data]}: "
    if found is None:
        return start + "not run."
    interval = ""
    if found["low"] is not None:
        interval = f" (95 % interval over subjects {found['low']:+.2f} to {found['high']:+.2f})"
    seeds = ", ".join(f"{x:+.2f}" for x in found["seeds"])
    if len(found["seeds"]) > 1:
        seeds += " (95 % interval over seeds {:+.2f} to {:+.2f})".format(
            *seed_interval(found["seeds"])
        )
    return start + f"**{found['mean']:+.2f} dB**{interval}; seed by seed {seeds}: {verdict(found)}."


def answer(table: Table, pairs: list) -> str:
    """One paragraph: which of the differences on simulated heads are shown, and which are not."""
    groups = defaultdict(list)
    for better, than in pairs:
        found = table.difference("simulated", better, than)
        gain = f" ({found['mean']:+.2f} dB)" if found else ""
        groups[verdict(found)].append(f"{name(better)} against {name(than)}{gain}")
    parts = [f"{kind}: {'; '.join(groups[kind])}" for kind in LIKEWISE if groups[kind]]
    share = tell_share(table) if ("corrected", "no_reference") in pairs else ""
    return f"On simulated heads, in short. {'. '.join(p[0].upper() + p[1:] for p in parts)}.{share}"


def figure(table: Table, pairs: list, path: Path) -> None:
    """Differences in dB with their intervals, one line per pair of rows, both data sets."""
    drawing = Figure(figsize=(7.5, 0.55 * len(pairs) + 1.3), layout="constrained", dpi=120)
    axis = drawing.subplots()
    for data, colour, shift in (("simulated", "#0072b2", -0.12), ("real", "#d55e00", 0.12)):
        points = [(i, table.difference(data, *pair)) for i, pair in enumerate(pairs)]
        points = [(i, found) for i, found in points if found]
        for i, found in points:
            if ends := find_deciding(found):  # what the claim rests on
                axis.plot(ends, [i + shift] * 2, color=colour, lw=2)
            axis.plot(found["seeds"], [i + shift] * len(found["seeds"]), "|", color=colour, ms=7)
        at = [[found["mean"] for _, found in points], [i + shift for i, _ in points]]
        axis.plot(*at, "o", color=colour, label=DATA[data])
    axis.axvline(0, color="0.5", lw=1)
    labels = [f"{name(a)}\nminus {name(b)}" for a, b in pairs]
    axis.set_yticks(range(len(pairs)), labels, fontsize=8)
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.set_xlabel(
        "difference of PSNR in dB\nbar: the wider 95 % interval, over heads or seeds; ticks: seeds"
    )
    axis.legend(fontsize=8)
    save(drawing, path)


def save(drawing: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, metadata={"Software": None})


def study_of(runs: list[dict]) -> list[str]:
    """What all rows of one scale share, and where they ran."""
    lines = []
    for shared in sorted({r["study"] for r in runs}):
        s = json.loads(shared)
        train, test = s["real"]
        lines.append(
            f"**{s['scale']}x**: {s['size']} x {s['size']} at 240 mm, {s['steps']} steps of batch"
            f" {s['batch']}, Adam at {s['rate']} ({s['schedule']}), L1; {s['subjects']} simulated"
            f" heads and {train} real sessions in training; scored on {s['tests']} simulated"
            f" heads and {test} real patients that no row trains on. Network: `{s['preset']}`"
            f"{''.join(f', {k} {v}' for k, v in s['network'].items())} in all rows. Run on:"
            f" {'; '.join(sorted({r['where'] for r in runs}))}."
        )
    return lines


def ranking(tables: dict, scale: str) -> list[str]:
    """Is the corrected network ahead of everything that it is compared with, and by how much?"""
    table, lines = tables[scale], []
    others = [row for row in METHODS if row not in (*OURS, "ceiling")]
    for ours, data in itertools.product(OURS, DATA):
        start = f"- {scale}x, {DATA[data]}, {name(ours)}: "
        found = {row: table.difference(data, ours, row) for row in others}
        known = {row: d for row, d in found.items() if d}
        if not known:
            lines.append(start + "not run.")
            continue
        start += f"of {len(known)} methods, "
        ahead = [ahead_by(name(r), d) for r, d in known.items() if d["mean"] < 0]
        closest = min(known, key=lambda row: known[row]["mean"])
        if ahead:
            lines.append(start + f"ahead of it: {'; '.join(ahead)}.")
        else:
            gain = known[closest]["mean"]
            lines.append(
                start + f"none is ahead; the closest is {name(closest)}, {gain:.2f} dB behind."
            )
        missing = [name(row) for row in others if not found[row]]
        lines[-1] += f" Not run: {', '.join(missing)}." if missing else ""
    return lines


def ahead_by(who: str, found: dict) -> str:
    return f"{who} by {-found['mean']:.2f} dB ({verdict(found)})"


def limits(tables: dict) -> list[str]:
    """Question 4, one paragraph a scale."""
    lines = []
    for scale, table in tables.items():
        rows = ("zero-fill", "corrected", "ceiling")
        floor, best, ceiling = (table.mean("simulated", row, "psnr") for row in rows)
        if not (floor and best and ceiling):
            lines.append(f"{scale}x: not run.")
            continue
        lines.append(
            f"{scale}x: on simulated heads zero-fill reaches {floor:.2f} dB, the corrected network"
            f" {best:.2f} dB. The target is one noisy repetition, so that hardly any method can pass"
            f" {ceiling:.2f} dB (estimated, as if noise were alike everywhere). The network covers"
            f" {100 * (best - floor) / (ceiling - floor):.0f} % of that way, in dB;"
            f" {ceiling - best:.2f} dB are left."
        )
    return lines


def limits_figure(tables: dict, path: Path) -> list[str]:
    """PSNR of every method per scale, one dot a subject, and the ceiling; names what it shows."""
    scales = [scale for scale, table in tables.items() if "ceiling" in table.psnr["simulated"]]
    drawing = Figure(figsize=(7.5, 4.2), layout="constrained", dpi=120)
    axes = drawing.subplots(1, len(scales), sharey=True, squeeze=False)[0]
    methods = [row for row in METHODS if row != "ceiling"]
    for scale, axis in zip(scales, axes, strict=True):
        of = tables[scale].psnr["simulated"]
        for i, row in enumerate(methods):
            dots = [sum(seeds.values()) / len(seeds) for seeds in of[row].values()]
            axis.plot(dots, [i] * len(dots), "o", color="#0072b2", alpha=0.5, ms=4)
            if not dots:
                middle = {"transform": axis.get_yaxis_transform(), "ha": "center", "va": "center"}
                axis.text(0.5, i, "not run", fontsize=8, color="0.4", **middle)
        ceiling = tables[scale].mean("simulated", "ceiling", "psnr")
        axis.axvline(ceiling, color="#d55e00", lw=2, label="noise ceiling, mean")
        axis.set_title(f"{scale}x, simulated heads", fontsize=9)
        axis.set_xlabel("PSNR in dB, one dot a subject")
    axes[0].set_yticks(range(len(methods)), [name(row) for row in methods], fontsize=8)
    axes[0].set_ylim(len(methods) - 0.5, -0.5)
    # outside: inside it lies on the line itself, where that is far to the right
    drawing.legend(*axes[0].get_legend_handles_labels(), fontsize=8, loc="outside lower right")
    save(drawing, path)
    return scales


def moved_figure(
    found: dict[str, dict[float, float]], floors: dict[str, float], path: Path
) -> None:
    """Mean PSNR over the shift of the reference, one line a method, and what needs no reference."""
    drawing = Figure(figsize=(9, 4.2), layout="constrained", dpi=120)
    axis = drawing.subplots()
    colours = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
    for i, (row, curve) in enumerate(found.items()):
        style = ("-o", "--s", "-.^")[i // len(colours)]
        axis.plot(
            *zip(*curve.items(), strict=True), style, ms=4, color=colours[i % 7], label=name(row)
        )
    for (row, floor), style in zip(floors.items(), (":", "-."), strict=False):
        axis.axhline(floor, color="0.3", lw=1.5, ls=style, label=f"floor: {name(row)}")
    axis.set_xlabel("shift of the reference in pixels of 2.5 mm")
    axis.set_ylabel("PSNR in dB, mean over simulated heads and seeds")
    drawing.legend(fontsize=7, loc="outside right upper")
    save(drawing, path)


def moved_table(data: str, lines: list[dict]) -> list[str]:
    curves = average_moved(lines)
    pixels = [*next(iter(curves.values()))]
    seeds = {row: len({r["seed"] for r in lines if r["row"] == row}) for row in curves}
    rows = [
        [name(row), *(f"{curve[x]:.2f}" for x in pixels), str(seeds[row])]
        for row, curve in curves.items()
    ]
    return table_of([f"PSNR in dB, 4x, {data}", *(f"{x:g} px" for x in pixels), "seeds"], rows)


def out_of_place(table: Table, lines: list[dict], folder: Path) -> list[str]:
    """shift.csv: what is left when the reference is moved, and where one without it wins."""
    known = {row: table.mean("simulated", row, "psnr") for row in ("zero-fill", "no_reference")}
    floors = {row: psnr for row, psnr in known.items() if psnr is not None}
    if not lines or not floors:
        return ["Not run: `python scripts/results/make.py shifts`.", ""]
    real = [r for r in lines if not r["subject"].isdecimal()]
    lines = [r for r in lines if r not in real]
    curves = average_moved(lines)
    moved_figure(curves, floors, folder / "shift.png")
    said = []
    for floor_row, floor in floors.items():
        crossed = {name(row): _cross(curve, floor) for row, curve in curves.items()}
        said += [
            f"A floor: {name(floor_row)}, {floor:.2f} dB. Shift at which a row falls below it, in"
            f" pixels: {'; '.join(map(' '.join, crossed.items()))}.",
            "",
        ]
    return [
        *said,
        *moved_table("simulated heads", lines),
        "",
        *([*moved_table("real patients p03 and p19", real), ""] if real else []),
        "![PSNR falls with the shift of the reference for every method](shift.png)",
        "",
    ]


def _cross(curve: dict[float, float], floor: float) -> str:
    """Where a curve first falls below the floor, on the straight line between two of its points."""
    points = sorted(curve.items())
    if points[0][1] < floor:
        return "below it from the start"
    for (a, above), (b, below) in itertools.pairwise(points):
        if below < floor:
            return f"{a + (b - a) * (above - floor) / (above - below):.1f}"
    return "none of these"


def say_what_can_be_shown(table: Table) -> str:
    """The smallest effect that the design can detect, and how often it sees one that is not there."""
    pairs = [pair for pairs in QUESTIONS.values() for pair in pairs]
    alone, both = simulate_false_alarms()
    alarms = (
        "Of two equally good rows with eight heads and three seeds (simulated,"
        " `tables.py:simulate_false_alarms`) the interval over heads alone claims a difference in"
        f" {alone:.0%} of cases, even where seeds do not scatter (notebook six finds the same), the"
        f" rule of both intervals in {both:.0%}."
    )
    found = find_smallest_effect(table, pairs)
    if found is None:
        return alarms
    count, least, middle, most = found
    return (
        f"The smallest effect that this design can show: the deciding, wider interval reaches"
        f" {middle:.2f} dB to either side (median of the {count} comparisons below with more than"
        f" one seed; {least:.2f} to {most:.2f}). A smaller difference is neither shown nor excluded."
        f" {alarms}"
    )


def notes(folder: Path) -> dict[str, str]:
    """notes.md as heading -> text."""
    path = folder / "notes.md"
    if not path.is_file():
        return {}
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:]
    return {head.strip(): text.strip() for head, _, text in (p.partition("\n") for p in parts)}


def write_page(folder: Path) -> None:
    """README.md and question-N.png from study.csv, runs.csv, those of 2x, and speed.csv."""
    suffix = {"4": "", "2": "-2x"}
    tables = {scale: Table(read(folder / f"study{s}.csv")) for scale, s in suffix.items()}
    runs = {scale: read(folder / f"runs{s}.csv") for scale, s in suffix.items()}
    table, said = tables["4"], notes(folder)

    def note(heading: str) -> list[str]:
        return [said[heading], ""] if heading in said else []

    lines = [
        "# Results",
        "",
        "Written by `python scripts/results/make.py page` from the tables in this",
    ]
    lines += ["folder; no number of ours was typed. Not for clinical use.", ""]
    lines += ["Every row is trained alike; a row that was not run says so.", ""]
    lines += [text for scale in suffix for line in study_of(runs[scale]) for text in (line, "")]
    lines += [
        "Commands: `make results REAL=FOLDER`; one part: `.venv/bin/python scripts/results/make.py",
        "study --real FOLDER --rows corrected no_spatial --seeds 3`, then `page`. It goes on where it",
        "stopped, replaces the rows that it ran and keeps the others. `--out` is a folder of your own:",
        "without the real data, the study is another one. FOLDER comes from `.venv/bin/python",
        "scripts/weights/make.py prepare OPEN_MS FOLDER --matrix 96 --keep-out p03 p19`; data and",
        "credit: [weights](../weights/README.md#data). Columns of scores: PSNR in dB / SSIM / NMSE,",
        "means over volumes and seeds. Minutes are those of training on one thread while other work",
        "ran on the machine; ms per slice: `make.py speed`, one thread, 4x.",
        "",
    ]
    if (folder / "gpu.md").is_file():
        lines += ["What one run on a GPU measured stands on [a page of its own](gpu.md).", ""]
    lines += [*note("What is compared"), say_what_can_be_shown(table), ""]
    lines += ["## Table 1: all methods", ""]
    lines += [*first_table(tables, runs, read(folder / "speed.csv")), ""]
    lines += [
        "The last column is the paper's, typed, about its own network (`released` is nearest to it,",
        "not our corrected one): other data, other training, never to be mixed with ours.",
    ]
    lines += ["", *ranking(tables, "4"), *ranking(tables, "2"), "", *note("Table 1")]
    lines += ["## Table 2: one switch at a time, 4x", "", *second_table(table, runs["4"]), ""]
    lines += [
        "Entropy after training: mean over heads and queries at levels 1, 2, 4; 1 is uniform, 0"
    ]
    lines += ["one-hot. Error by band: share of the target's energy inside (measured) and outside"]
    lines += ["(removed) of the kept k-space.", "", *note("Table 2")]
    for number, (question, pairs) in enumerate(QUESTIONS.items(), 1):
        known = [p for p in pairs if any(table.difference(data, *p) for data in DATA)]
        lines += [
            f"## {number}. {question}",
            "",
            answer(table, pairs),
            "",
            *note(f"Question {number}"),
        ]
        lines += [sentence(table, data, *pair) for pair in pairs for data in DATA]
        if known:
            figure(table, known, folder / f"question-{number}.png")
            described = "; ".join(f"{name(a)} minus {name(b)}" for a, b in known)
            described = f"Differences of PSNR with intervals: {described}"
            lines += ["", f"![{described}](question-{number}.png)"]
        lines.append("")
    lines += ["## 4. How close is everything to the noise ceiling?", ""]
    lines += [text for line in limits(tables) for text in (line, "")] + note("Question 4")
    if any("ceiling" in t.psnr["simulated"] for t in tables.values()):
        shown = " and ".join(f"{s}x" for s in limits_figure(tables, folder / "question-4.png"))
        lines.append(f"![PSNR of every method and the noise ceiling, at {shown}](question-4.png)")
    lines += ["", "## Beyond the questions: a reference out of place", ""]
    lines += note("Out of place") + out_of_place(table, read(folder / "shift.csv"), folder)
    lines += ["## Beyond the questions: networks that ship, a reference displaced", ""]
    lines += note("Displaced") + displacement.section(folder) + displacement.section(folder, 2)
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print("wrote README.md")
