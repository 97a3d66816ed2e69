"""Panels of images: one look everywhere, whatever the reader's own settings are."""

import base64
import itertools
import re
from pathlib import Path

import matplotlib as mpl
import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite import course, figures
from dcamsr_lite.figures import COLOURS, draw_panel, lay_out, mark_pixel, overview, render_png

OTHERS = {"image.origin": "lower", "font.size": 20, "figure.dpi": 40, "savefig.dpi": 300}
OTHERS |= {"image.interpolation": "bicubic", "axes.facecolor": "red", "savefig.facecolor": "black"}


def draw_overview() -> bytes:
    torch.manual_seed(0)
    pair = dl.load_pair(phantom(1, 32), phantom(1, 32, seed=1), 4)
    return render_png(overview(dl.DCAMSR(scale=4, image_size=32), pair))


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(draw_overview, marks=pytest.mark.slow),
        lambda: render_png(course.picture({"T1": phantom(1)[0]}, kind="signed")),
        lambda: dl.explore_kspace(phantom(1)).png(),
    ],
)
def test_the_readers_matplotlibrc_changes_nothing(draw):
    expected = draw()
    with mpl.rc_context(OTHERS):
        assert draw() == expected
        assert mpl.rcParams["image.origin"] == "lower"


@pytest.mark.parametrize("kind", COLOURS)
def test_every_panel_has_a_colour_bar_with_numbers(kind):
    figure, (axes,) = lay_out(1)
    draw_panel(axes, "error", phantom(1)[0] - 0.5, kind)
    figure.draw_without_rendering()
    bar = figure.axes[1]
    assert len([label for label in bar.get_xticklabels() if label.get_text()]) >= 3
    low, high = axes.images[0].get_clim()
    assert low == (-high if kind == "signed" else 0)
    assert axes.images[0].get_cmap().name not in ("jet", "rainbow", "RdYlGn")


@pytest.mark.parametrize("kind", ["signal", "signed"])
@pytest.mark.parametrize("limit", [3.2e-6, 4.5e-4, 0.022, 0.32, 1.0, 76, 8765, 31234, 2.5e7])
def test_the_numbers_of_a_colour_bar_lie_side_by_side(kind, limit):
    """At 4.5e-4, the weight of an attention on a pixel, they lay on each other."""
    figure, (axes,) = lay_out(1)
    draw_panel(axes, "one head", limit * torch.eye(4), kind, label="weight")
    figure.draw_without_rendering()
    bar = figure.axes[1]
    boxes = [one.get_window_extent() for one in bar.get_xticklabels()]
    low, high = bar.get_xlim()
    shown = [b for b, x in zip(boxes, bar.get_xticks(), strict=True) if low <= x <= high]
    assert len(shown) >= 2
    assert all(a.x1 + 2 < b.x0 for a, b in itertools.pairwise(shown))
    words = [one.get_text().replace("\N{MINUS SIGN}", "-") for one in bar.get_xticklabels()]
    unit = float(bar.get_xlabel().partition(", in ")[2] or 1)
    assert [*map(float, words)] == pytest.approx([x / unit for x in bar.get_xticks()], rel=1e-3)


def test_grey_says_arbitrary_units_and_magnified_images_share_one_bar():
    figure = dl.compare_images({"low": torch.zeros(32, 32), "high": torch.ones(32, 32)})._draw()
    [bar] = [axes for axes in figure.axes if axes.get_ylabel()]
    assert bar.get_ylabel() == "signal, a.u." and len(figure.axes) == 5
    figure, (axes,) = lay_out(1)
    draw_panel(axes, "T1", phantom(1)[0])
    assert figure.axes[1].get_xlabel() == "signal, a.u."
    shared = course.picture({"a": phantom(1)[0], "b": phantom(1)[0]}, shared=True)
    assert shared.axes[-1].get_ylabel() == "signal, a.u."


@pytest.mark.slow
def test_a_slice_has_one_psnr_in_figure_and_explorer_and_the_figure_even_columns():
    """The figure took the volume's largest value: of a dark slice another number."""
    torch.manual_seed(0)
    volume = torch.cat([phantom(1, 32), 3 * phantom(1, 32, seed=1)])
    model, pair = dl.DCAMSR(scale=4, image_size=32), dl.load_pair(volume, volume.square(), 4)
    explorer = dl.explore(model, pair, slice=0, cuts=False)
    shown = [explorer.info["quality"]["psnr"], explorer.networks["corrected"]["quality"]["psnr"]]
    figure = overview(model, pair, index=0)
    titles = [axes.get_title() for axes in figure.axes if " dB" in axes.get_title()]
    assert [re.search(r"[-\d.]+ dB", title)[0] for title in titles] == shown
    case = figures.draw_case(pair, pair.zero_filled, "zero-fill")
    index = int(re.search(r"Slice (\d)", case.get_suptitle())[1])
    expected = dl.explore(model, pair, slice=index, cuts=False).info["quality"]["psnr"]
    assert any(expected in axes.get_title() for axes in case.axes)
    figure.draw_without_rendering()
    panels = [axes.get_position() for axes in figure.axes[:5]]
    gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(panels)]
    assert max(gaps) - min(gaps) < 0.005
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert len(bars) == 13 and all(bar.get_xlabel() for bar in bars)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind is 'jet', expected one of .'signal'"):
        course.picture({"T1": phantom(1)[0]}, kind="jet")


def test_a_map_of_a_level_lies_on_the_pixels_it_is_of():
    _, (axes,) = lay_out(1)
    draw_panel(axes, "level 4", torch.eye(8), "signed", corner=(-2, -6), pixel=4)
    mark_pixel(axes, 3, 5)
    left, right, bottom, top = axes.images[0].get_extent()
    assert (top, left, bottom, right) == (-2.5, -6.5, 29.5, 25.5)
    assert axes.lines[-1].get_xydata().tolist() == [[5, 3]]


HOSTILE = {"text.usetex": True, "font.family": ["No Such Font"], "path.sketch": (1, 100, 2)}
HOSTILE |= {"savefig.bbox": "tight", "savefig.format": "pdf", "figure.facecolor": "black"}
HOSTILE |= {"image.aspect": "auto", "image.interpolation": "bicubic", "text.color": "white"}


def test_a_figure_of_our_panels_is_the_same_under_hostile_settings():
    def draw() -> bytes:
        figure, (axes,) = lay_out(1, words="One head")
        draw_panel(axes, "error", phantom(1)[0] - 0.5, "signed")
        mark_pixel(axes, 3, 5)
        return render_png(figure)

    expected = draw()
    with mpl.rc_context(HOSTILE | {"image.origin": "lower"}):
        assert draw() == expected


def test_a_widget_shows_although_its_picture_cannot_be_drawn(monkeypatch):
    explorer = dl.explore_kspace(phantom(1))
    data, _ = explorer._repr_mimebundle_()
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} < set(data)
    monkeypatch.setattr(explorer, "_draw", lambda: 1 / 0)
    with pytest.warns(UserWarning, match="no picture of .*division by zero"):
        data, _ = explorer._repr_mimebundle_()
    assert "image/png" not in data and "application/vnd.jupyter.widget-view+json" in data
    with pytest.warns(UserWarning, match="no picture"):
        explorer.save_html("without.html")


def test_a_saved_page_shows_its_picture_where_javascript_does_not_run():
    explorer = dl.explore_kspace(phantom(1))
    explorer.save_html("page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    shown = page.split("<noscript>")[1].split("</noscript>")[0]
    assert base64.b64encode(explorer.png()).decode() in shown and "Not for clinical use" in shown


def test_a_map_has_the_anatomys_outline_and_each_panel_its_mark():
    """Of a coarser level too: map, outline and mark lie in the image's pixels, at full width."""
    image = torch.zeros(32, 32)
    image[8:24, 4:28] = 1
    maps = {"a": torch.randn(16, 16), "b": torch.randn(16, 16)}
    marks = [(9, 5), (20, 11)]
    figure = course.picture(maps, "signed", shared=True, outline=image, marks=marks)
    for axes, (row, column) in zip(figure.axes[:2], marks, strict=True):
        assert axes.lines[-1].get_xydata().tolist() == [[column, row]]
        edges = [path.get_extents() for path in axes.collections[0].get_paths() if len(path)]
        box = edges[0].union(edges)
        assert box.x0 == pytest.approx(3.5, abs=0.5) and box.y1 == pytest.approx(23.5, abs=0.5)
        assert axes.images[0].get_extent() == [-0.5, 31.5, 31.5, -0.5]
        assert axes.get_xlim() == (-0.5, 31.5)
    many = course.picture({str(n): image for n in range(3)})
    assert many.get_size_inches()[0] == pytest.approx(11.8)
    course.picture({"blank": maps["a"]}, "signed", outline=torch.zeros(32, 32), marks=[(1, 1)])
