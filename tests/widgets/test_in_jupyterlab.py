"""The explorers in a real JupyterLab: each hears its kernel, and the kernel hears the reader.

The quick test has them all in one notebook; the slow ones look closer at each.
"""

import re

import pytest
from explorers import ROOT

ALL = "[...document.querySelectorAll('.dcamsr-explorer')].map((e) => e.explorer)"
FIVE = (
    "import dcamsr_lite as dl, ipywidgets, torch\n"
    "pair = dl.load_pair(*torch.rand(2, 1, 32, 32), scale=4)\n"
    "model = dl.DCAMSR(scale=4, image_size=32)\n"
    "five = [dl.explore(model, pair), dl.explore_kspace(pair),\n"
    "        dl.intervention_lab(model, pair, other=pair),\n"
    "        dl.explore_attribution(lambda lr, ref: ref.roll(2, 3), pair),\n"
    "        dl.explore_displacement(dl.DCAMSR(image_size=32, variant='aligned'), pair)]\n"
    "five[0].level, five[0].head = 1, None\n"
    "heard = ipywidgets.Label()\n"
    "def hear(change):\n"
    "    heard.value += f'{change.name} {change.new}; '\n"
    "five[0].observe(hear, 'query')\n"
    "five[1].observe(hear, 'box')",
    "ipywidgets.VBox([*five, heard])",
)


def test_every_explorer_hears_its_kernel_and_is_heard(in_lab):
    page = in_lab(*FIVE)
    page.wait_for_function(f"{ALL}.filter(Boolean).length === 5")
    page.locator(".dx-panels").first.press("ArrowDown")
    page.get_by_text("query [17, 16]; ").wait_for()
    page.locator(".kx-box").press("ArrowDown")
    page.get_by_text("box [13, 12, 8, 8]; ").wait_for()
    page.get_by_role("button", name="channel attention, level 2, head 3: on").click()
    page.get_by_role("row", name="channel attention off at level 2 in head 3").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".da-status", has_text="done in").wait_for()
    page.locator(".da-share", has_text="reference 100.0 %").wait_for()
    page.get_by_label("shift down, px").press("ArrowRight")
    page.get_by_text("Planted: 0.25 down and 2.0 to the right. Found by aligned").wait_for()
    page.locator(".dp-curve circle").nth(4).wait_for()  # the curve of this slider comes by itself


@pytest.mark.slow
def test_the_kernel_hears_where_a_walk_of_the_query_ends(in_lab):
    page = in_lab(
        "import torch, dcamsr_lite as dl\n"
        "pair = dl.load_pair(*torch.rand(2, 2, 128, 128), scale=4)\n"
        "explorer = dl.explore(dl.load('lite-4x'), pair, slice=0, cuts=False)\nexplorer",
        "import ipywidgets\n"
        "places = []\n"
        "heard = ipywidgets.Label()\n"
        "def hear(change):\n"
        "    places.append(change.new)\n"
        "    heard.value = f'heard {places}'\n"
        "explorer.observe(hear, 'query')\n"
        "heard",
    )
    page.evaluate(f"() => {{ for (let i = 0; i < 80; i++) {ROOT}.show(24 + i, 20 + i); }}")
    page.locator(".dx-panels").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.get_by_text("heard [[65, 64], [65, 65]]").wait_for()  # of the 80 looks, nothing
    # another slice: new pictures, the same place, and the slider keeps the focus
    picture = "document.querySelector('.dx-panels canvas').toDataURL()"
    before = page.evaluate(picture)
    page.get_by_label("Slice", exact=True).press("ArrowRight")
    page.locator(".dx-about", has_text="slice 1 (counted 0 to 1)").first.wait_for()
    assert page.evaluate(picture) != before and page.evaluate(f"{ROOT}.state.query") == [65, 65]
    assert page.evaluate("document.activeElement.ariaLabel") == "Slice"
    assert page.locator(".dcamsr-explorer footer").count() == 1


@pytest.mark.slow
def test_the_box_is_moved_and_the_kernel_hears_where_it_ends(in_lab):
    page = in_lab(
        "import torch, dcamsr_lite as dl\n"
        "torch.manual_seed(0)\n"
        "explorer = dl.explore_kspace(torch.rand(128, 128))\nexplorer",
        "import ipywidgets\n"
        "heard = ipywidgets.Label()\n"
        "explorer.observe(lambda change: setattr(heard, 'value', f'at {change.new}'), 'box')\n"
        "heard",
    )
    page.locator(".kx-box").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("at [49, 48, 32, 33]").wait_for()


@pytest.mark.slow
def test_each_click_has_one_answer_and_a_drag_its_latest(in_lab):
    """lite at 128 x 128; `make bench` measures the time from a click to its picture."""
    page = in_lab(
        "import torch, dcamsr_lite as dl\n"
        "pair = dl.load_pair(*torch.rand(2, 1, 128, 128), scale=4)\n"
        "explorer = dl.intervention_lab(dl.load('lite-4x'), pair)\nexplorer"
    )
    answers = page.evaluate(f"""async () => {{
      const lab = {ROOT}, before = lab.answers;
      const heads = [...document.querySelectorAll("button.dx-switch")]
        .filter((b) => b.ariaLabel.startsWith("channel attention, level 2, head"));
      for (const head of heads) {{
        head.click();
        while (lab.waiting()) await new Promise(requestAnimationFrame);
      }}
      return lab.answers - before;
    }}""")
    assert answers == 8 and page.get_by_role("row").count() == 2 + 8
    changed = page.evaluate(f"{ROOT}.values('change').some((x) => Math.abs(x) > 1e-3)")
    assert changed and "channel attention off" in page.evaluate(f"{ROOT}.shown().tried")
    # a slider that is dragged: the kernel is asked again only when it has answered
    answers = page.evaluate(f"""async () => {{
      const lab = {ROOT}, before = lab.answers;
      lab.reset();
      for (let i = 1; i <= 20; i++) lab.set({{ shift: [0, i / 4] }});
      while (lab.waiting()) await new Promise(requestAnimationFrame);
      return lab.answers - before;
    }}""")
    assert answers <= 3
    assert page.evaluate(f"{ROOT}.shown().tried") == "reference shifted 5 px right"
    assert page.get_by_role("row", name="reference shifted 5 px right").count() == 1


@pytest.mark.slow
def test_a_run_of_attribution_is_stopped_and_taken_up_by_keys_alone(in_lab):
    page = in_lab(
        "import time, torch, dcamsr_lite as dl\n"
        "def slow(lr, ref):\n"
        "    time.sleep(0.1)\n"
        "    return ref.roll(2, 3)\n"
        "pair = dl.load_pair(*torch.rand(2, 1, 32, 32), scale=4)\n"
        "explorer = dl.explore_attribution(slow, pair)\nexplorer",
    )
    # while cells still run, the notebook takes the focus for itself
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    for method in ("Blur path (LAM)", "Integrated gradients"):
        page.get_by_label(f"Method: {method}").press("ArrowRight")
    assert page.evaluate(f"{ROOT}.state.method") == "occlusion"
    page.get_by_role("button", name="Run", exact=True).press("Enter")
    status = page.locator(".da-status")
    page.locator(".da-status", has_text="left").wait_for()
    page.get_by_role("button", name="Stop", exact=True).press("Enter")
    assert "stopped after" in status.text_content()
    assert re.search(r"the kernel is free .* within \d+\.\d s$", status.text_content())
    assert not page.evaluate(f"{ROOT}.state.running")
    page.get_by_role("button", name="Continue").press("Enter")
    page.locator(".da-status", has_text="Occlusion done").wait_for()
    page.locator(".da-share", has_text="do not add up").wait_for()  # so no share is shown
    net = page.evaluate(f"{ROOT}.result().net")
    assert net["lr"] == 0 and net["ref"] != 0  # the output is the reference's alone
    assert page.evaluate(f"{ROOT}.result().patch") == [12, 12, 8, 8]


@pytest.mark.slow
def test_the_dark_theme_of_jupyterlab_is_followed(in_lab, lab):
    """Set as its settings do, while the system asks for light."""
    _, folder = lab
    setting = (
        "lab_config/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    )
    path = folder.parent / setting
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"theme": "JupyterLab Dark"}')
    try:
        page = in_lab(
            "import torch, dcamsr_lite as dl\n"
            "pair = dl.load_pair(*torch.rand(2, 1, 64, 64), scale=4)\n"
            "dl.explore(dl.DCAMSR(scale=4, image_size=64), pair)",
        )
        page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
        light = """(selector) => {
          const element = document.querySelector(selector), style = getComputedStyle(element);
          const grey = (text) => text.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 765;
          return [grey(style.color), grey(style.backgroundColor)];
        }"""
        page.get_by_label("View: all heads side by side").check()  # tiles are made when asked for
        for part in (".dx-card", ".dx-controls span", ".dx-tile"):
            text, ground = page.evaluate(light, part)
            assert ground < 0.3 and text > 0.6, (part, text, ground)
    finally:
        path.unlink()
