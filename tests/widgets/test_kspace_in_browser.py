"""The k-space explorer in the browser: pointer, keys, tour, rate, layout, JupyterLab."""

import base64

import numpy as np
import pytest
import torch
from explorers import assert_nothing_overlaps, drawings
from helpers import coil_kspace, phantom
from traitlets import TraitError

from dcamsr_lite.widgets import KSpaceExplorer, explore_kspace

ROOT = "document.querySelector('.dcamsr-explorer').explorer"
NAMES = ("box", "shape", "noise", "window", "taper", "matrix", "rescale", "point", "along")
STATE = f"names => names.map(name => {ROOT}.state[name])"


def setting(page) -> dict:
    return dict(zip(NAMES, page.evaluate(STATE, list(NAMES)), strict=True))


def place(page, row: float, column: float, panel: int = 0, side: int = 64) -> tuple[float, float]:
    """Screen coordinates of a place on a panel: 0 k-space, 1 image, 2 difference."""
    box = page.locator(".kx-parts .dx-frame").nth(panel).bounding_box()
    return box["x"] + box["width"] * column / side, box["y"] + box["height"] * row / side


def drag(page, start: tuple[float, float], *path: tuple[float, float]) -> list[int]:
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    for stop in path:
        page.mouse.move(*place(page, *stop))
    page.mouse.up()
    return setting(page)["box"]


def test_the_flat_kspace_of_a_point_is_drawn_at_the_top_of_its_scale(opened):
    image = torch.zeros(1, 32, 32)
    image[0, 16, 16] = 1.0
    figure = opened(explore_kspace(image)).locator(".kx-parts figure").first
    assert figure.locator(".dx-ticks span").all_text_contents() == ["−1", "−0.5", "0"]
    pixel = "canvas => [...canvas.getContext('2d').getImageData(3, 5, 1, 1).data]"
    assert figure.locator("canvas").evaluate(pixel) == [253, 231, 37, 255]


def test_the_pointer_moves_and_sizes_the_box(opened):
    page = opened(explore_kspace(phantom(1, 64)))
    assert setting(page)["box"] == [24, 24, 16, 16]
    assert drag(page, (32, 32), (40, 35), (42, 22)) == [34, 14, 16, 16]  # its inside moves it
    assert drag(page, (10, 50), (12, 50)) == [4, 42, 16, 16]  # from elsewhere it comes first
    assert drag(page, (12, 50), (12, 70)) == [4, 48, 16, 16]  # it stays in k-space
    page.get_by_role("button", name="Box: moved to the centre").click()
    assert setting(page)["box"] == [24, 24, 16, 16]
    assert drag(page, (40, 40), (44, 44)) == [20, 20, 24, 24]  # a corner, about the box's centre
    assert drag(page, (32, 44), (32, 36)) == [20, 28, 24, 8]  # an edge: the width alone
    page.get_by_label("Shape: phase-encoding lines").check()
    assert drag(page, (2, 36), (2, 40)) == [20, 24, 24, 16]  # lines have no upper edge to drag
    assert drag(page, (10, 32), (40, 40)) == [20, 32, 24, 16]  # and move to the side alone
    page.locator(".kx-box").press("ArrowDown")
    assert setting(page)["box"] == [20, 32, 24, 16]


def test_image_and_numbers_follow_while_the_pointer_is_down(opened):
    page = opened(explore_kspace(phantom(1, 64)))
    before = page.locator(".kx-tiles").inner_text()
    page.mouse.move(*place(page, 32, 32))
    page.mouse.down()
    page.mouse.move(*place(page, 46, 32))
    page.wait_for_function(f"{ROOT}.state.box[0] === 38")
    page.wait_for_function("t => document.querySelector('.kx-tiles').innerText !== t", arg=before)
    page.mouse.up()
    # the profile goes where the pointer is put on an image
    page.mouse.move(*place(page, 20.5, 40.5, panel=2))
    page.mouse.down()
    page.mouse.up()
    assert setting(page)["point"] == [20, 40]
    assert "row 20, %" in page.locator(".kx-parts section").first.inner_text()


def test_numbers_on_screen_are_those_of_python(opened):
    explorer = explore_kspace(coil_kspace(1, 64), slice=0)
    explorer.box, explorer.noise, explorer.window = [20, 26, 24, 12], 0.02, "hann"
    page, quality = opened(explorer), explorer.quality()
    expected = {
        "PSNR": f"{quality['psnr']:.2f} dB",
        "SSIM": f"{quality['ssim']:.4f}",
        "Brightness": f"{quality['brightness']:.3f} ×",
        "NMSE": f"{100 * quality['nmse']:.3g} %",
        "Samples kept": f"{100 * 24 * 12 / 64**2:.3g} %",
    }
    shown = page.locator(".kx-tiles > div").all_inner_texts()
    assert dict(text.split("\n") for text in shown).items() >= expected.items()
    shares = [line.split("\n")[-1] for line in page.locator(".kx-share").all_inner_texts()]
    assert shares == [f"{100 * quality[name]:.3g} %" for name in ("inside", "outside")]
    assert f"{100 * quality['measured']:.3g} % in" in page.locator(".kx-parts").inner_text()


def test_a_keyboard_is_enough(opened):
    """Tab from the top of the page through every control, and operate each."""
    explorer = explore_kspace(phantom(1, 64))
    explorer.point = [20, 30]
    page, names = opened(explorer), []

    def tab(*keys: str) -> None:
        page.keyboard.press("Tab")
        name = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        )
        names.append(name.split(".")[0])
        for key in keys:
            page.keyboard.press(key)

    tab("Enter")  # Next: the tour's first step is all of k-space
    assert setting(page)["box"] == [0, 0, 64, 64]
    for side in (64, 32, 16, 8):
        tab("Enter")
        assert setting(page)["box"] == [32 - side // 2] * 2 + [side] * 2
    tab("Enter")  # centre
    tab("ArrowRight", "ArrowRight")  # shape: disc
    tab("ArrowRight", "ArrowRight")  # window: Tukey
    tab("ArrowRight")  # matrix: as acquired
    tab("ArrowRight")  # brightness: as it comes
    tab("ArrowRight")  # grey: stretched
    tab("ArrowRight")  # Tukey's width
    tab("ArrowRight", "ArrowRight")  # noise
    tab(
        "ArrowUp", "ArrowUp", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowLeft"
    )
    tab("ArrowDown", "Shift+ArrowRight")  # the place of the profile
    before = setting(page)["point"]
    tab("ArrowRight")  # along a column
    now = setting(page)
    assert now["box"] == [26, 29, 9, 8]
    assert (now["shape"], now["window"], now["matrix"]) == ("disc", "tukey", "acquired")
    assert (now["rescale"], now["along"]) == (False, "column")
    assert now["taper"] == pytest.approx(0.55) and now["noise"] == pytest.approx(0.01)
    live = page.locator("[aria-live]").last.text_content()
    assert "Box of 9 × 8 samples, -2 rows and 1 columns off the centre. PSNR" in live
    assert before == [place + step for place, step in zip(explorer.point, (1, 8), strict=True)]
    assert all(names) and names[:2] == ["Next", "Box: all of k-space"], names
    assert names[-2:] == ["Place of the profile", "along a: row"]


def test_the_default_tour_walks_through_every_step(opened):
    explorer = explore_kspace(torch.rand(45, 37) + 1)
    with pytest.raises(TraitError, match="step 1 of the tour sets .'head'.*box, shape"):
        explorer.tour = [{"text": "No such thing.", "head": 3}]
    page = opened(explorer)
    tour = page.get_by_role("navigation", name="Guided tour")
    for number, step in enumerate(explorer.tour, 1):
        tour.get_by_role("button", name="Next").click()
        assert f"{number} of {len(explorer.tour)}" in tour.inner_text()
        assert step["text"] in tour.inner_text()
        now = setting(page)
        assert {name: now[name] for name in step if name != "text"} == {
            name: value for name, value in step.items() if name != "text"
        }
        for name, value in step.items():  # and the kernel would take it
            if name != "text":
                setattr(explorer, name, value)


def test_brightness_is_shown(opened):
    """The orthonormal crop by 4 makes the small image 4 times brighter, unless it is rescaled."""
    explorer = explore_kspace(phantom(1, 64))
    explorer.box, explorer.matrix, explorer.rescale = [24, 24, 16, 16], "acquired", False
    page = opened(explorer)
    tiles = page.locator(".kx-tiles")
    assert "Image, 16 × 16 as acquired" in page.inner_text("body")
    bright = float(tiles.inner_text().split("Brightness\n")[1].split(" ")[0])
    page.get_by_label("Brightness: divided by the brightening of the crop").check()
    rescaled = float(tiles.inner_text().split("Brightness\n")[1].split(" ")[0])
    assert bright == pytest.approx(4 * rescaled, abs=0.01) and 0.9 < rescaled < 1.1


def test_a_faint_image_can_be_stretched(opened):
    explorer = explore_kspace(phantom(1, 64, 2)[0])
    explorer.box = [0, 0, 6, 6]  # far from the centre: next to nothing
    page = opened(explorer)
    ticks = page.locator(".kx-parts figure").nth(1).locator(".dx-ticks span")
    image = np.sort(np.array(page.evaluate(f"[...{ROOT}.image({ROOT}.state)]")))
    full = np.sort(np.array(page.evaluate(f"[...{ROOT}.full]")))
    at = int(0.995 * len(full))
    ends = []
    for grey in ("white as in this image", "white as in the full image"):
        page.get_by_label(f"Grey: {grey}").check(force=True)
        ends.append(ticks.last.text_content())
    per_cent = [100 * values[at] / full[-1] for values in (image, full)]
    assert ends == [page.evaluate(f"v => {ROOT}.format(v, 2)", float(x)) for x in per_cent]
    assert per_cent[0] < per_cent[1] / 4


@pytest.mark.slow
def test_the_static_twin_stands_beside_the_widget():
    explorer = explore_kspace(torch.rand(20, 33))
    for shape, matrix, along in (("disc", "acquired", "column"), ("lines", "zero-filled", "row")):
        explorer.shape, explorer.matrix, explorer.along = shape, matrix, along
        data, _ = explorer._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        assert base64.b64decode(data["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert data["text/plain"].startswith("KSpaceExplorer: image, 20 x 33")


def test_the_script_can_stand_inside_a_page_and_asks_for_nothing(tmp_path):
    assert "</" not in KSpaceExplorer._esm
    explore_kspace(coil_kspace(1, 128)).save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert len(page) < 6e6
    inside = page.replace("img-src", "").replace('src="data:image/png;base64,', "")
    for tag in ("src=", "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert tag not in inside


def test_reasons_and_file_names_are_text(opened, tmp_path):
    page = opened(KSpaceExplorer(message="<img src=x onerror=alert(1)></script>"))
    assert page.get_by_role("alert").text_content() == "<img src=x onerror=alert(1)></script>"
    name = tmp_path / "<script>throw 1<b>.npy"
    np.save(name, phantom(1, 32).numpy())
    text = opened(explore_kspace(name)).inner_text("body")
    assert "<script>throw 1<b>.npy" in text and "Not for clinical use." in text


@pytest.mark.parametrize("busy", [pytest.param(False, marks=pytest.mark.slow), True])
def test_nothing_overlaps_or_runs_out(busy, opened):
    explorer = explore_kspace(coil_kspace(1, 64))
    if busy:  # every control on the page, the longest numbers, the last step's text
        explorer.window, explorer.matrix, explorer.rescale = "tukey", "acquired", False
        explorer.noise, explorer.along, explorer.shape = 0.195, "column", "disc"
        explorer.box = [1, 3, 62, 50]
        explorer.tour = [explorer.tour[-1]["text"] and {"text": explorer.tour[-1]["text"]}]
    page = opened(explorer)
    if busy:
        page.get_by_role("button", name="Next").click()
    parts = """h2, h3, p, small, figcaption *, .dx-ticks span, button, .dx-frame, legend,
        .dx-controls label, .kx-slider *, svg text, .kx-tiles b, .kx-share > *"""
    for width in (700, 1400):
        assert_nothing_overlaps(page, width, f":is({parts}):not(:has(> p, > input))")


@pytest.mark.parametrize(
    "matrix", ["zero-filled", pytest.param("acquired", marks=pytest.mark.slow)]
)
def test_a_step_of_a_drag_draws_each_picture_once(matrix, opened):
    """`make bench` measures how long that takes."""
    explorer = explore_kspace(coil_kspace(1, 128))
    explorer.matrix, explorer.noise = matrix, 0.02
    page = opened(explorer)
    steps = [f"{ROOT}.show([{row}, 20, 60, 60])" for row in range(5)]
    assert drawings(page, steps) == [2] * 5  # image and difference
