"""On a phone: one finger sets the place in every explorer, and still scrolls the page."""

import pytest
from explorers import ROOT, network, smooth

import dcamsr_lite as dl

SIDE = 64


def attention():
    return dl.explore(network((SIDE, SIDE)), pair())


def kspace():
    explorer = dl.explore_kspace(smooth(2, (SIDE, SIDE))[0])
    explorer.box = [16, 16, 32, 32]
    return explorer


def lab():
    return dl.intervention_lab(network((SIDE, SIDE)), pair(), other=pair())


def attribution():
    explorer = dl.explore_attribution(lambda lr, ref: ref.roll(2, 3), pair())
    explorer.run("occlusion")
    return explorer


def displacement():
    return dl.explore_displacement([network((SIDE, SIDE)), lambda lr, ref: ref], pair())


def pair():
    return dl.load_pair(smooth(1, (SIDE, SIDE)), smooth(2, (SIDE, SIDE)), 4)


# name -> (what makes it, its images, its place as JavaScript, the place that a tap at (10, 50) sets)
CASES = {
    "attention": (attention, ".dx-panels .dx-frame", "query", [50, 10]),
    "kspace": (kspace, ".kx-parts .dx-frame", "point", [50, 10]),
    "lab": (lab, ".dx-lab-panels .dx-frame", "lesions", 1),
    "attribution": (attribution, ".dx-panels .dx-frame", "patch", [46, 6, 8, 8]),
}


@pytest.fixture
def phone(browser, tmp_path):
    context = browser.new_context(
        has_touch=True, is_mobile=True, offline=True, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def open_(explorer):
        explorer.save_html(tmp_path / "page.html")
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_selector("footer")
        return page

    yield open_
    context.close()
    assert not problems


def swipe(page, start, end, steps=8):
    """One finger, in the window's pixels."""
    session = page.context.new_cdp_session(page)
    at = lambda t: [{"x": a + t * (b - a), "y": c + t * (d - c)}]  # noqa: E731
    (a, c), (b, d) = start, end
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(0)})
    for step in range(1, steps + 1):
        points = {"type": "touchMove", "touchPoints": at(step / steps)}
        session.send("Input.dispatchTouchEvent", points)
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)


def read_when(page, expression, is_there):
    """Its value as soon as it is there: a busy browser comes to a finger's events late."""
    for _ in range(1200):
        if is_there(found := page.evaluate(expression)):
            break
        page.wait_for_timeout(50)
    return found


QUICK = ("attention", "kspace")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES]
)
def test_a_finger_sets_the_place_and_scrolls_the_page(name, phone):
    make, images, place, wanted = CASES[name]
    page = phone(make())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    state = f"{ROOT}.state.{place}"
    frame = page.locator(images).nth(1)
    frame.scroll_into_view_if_needed()
    if name == "lab":
        page.get_by_label("Click: paints").locator("xpath=..").tap()
        frame.scroll_into_view_if_needed()
    before = page.evaluate(state)
    page.wait_for_timeout(100)
    box = frame.bounding_box()
    middle = box["x"] + box["width"] / 2
    top = page.evaluate("scrollY")
    swipe(page, (middle, box["y"] + 0.8 * box["height"]), (middle, box["y"] - 150))
    moved = read_when(page, "scrollY", lambda y: y > top + 50)
    assert moved > top + 50, "the page does not scroll under the finger"
    assert page.evaluate(state) == before, "scrolling moved the place"
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    at = (10.5 / SIDE * box["width"], 50.5 / SIDE * box["height"])
    frame.tap(position={"x": at[0], "y": at[1]})
    seen = f"{state}.length" if name == "lab" else state
    assert read_when(page, seen, wanted.__eq__) == wanted


def test_a_finger_draws_a_patch(phone):
    page = phone(attribution())
    frame = page.locator(".dx-panels .dx-frame").nth(1)
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    at = lambda row, column: (  # noqa: E731
        box["x"] + (column + 0.5) / SIDE * box["width"],
        box["y"] + (row + 0.5) / SIDE * box["height"],
    )
    swipe(page, at(20, 10), at(24, 30), steps=10)
    wanted = [20, 10, 5, 21]
    assert read_when(page, f"{ROOT}.state.patch", wanted.__eq__) == wanted


def test_a_finger_moves_the_box_of_k_space_and_not_the_page(phone):
    page = phone(kspace())
    frame = page.locator(".kx-parts .dx-frame").first
    frame.scroll_into_view_if_needed()
    box, top = frame.bounding_box(), page.evaluate("scrollY")
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    swipe(page, centre, (centre[0], centre[1] - 8 / SIDE * box["height"]))
    wanted = [8, 16, 32, 32]
    assert read_when(page, f"{ROOT}.state.box", wanted.__eq__) == wanted
    assert page.evaluate("scrollY") == top


@pytest.mark.slow
def test_what_is_written_on_a_phone_can_be_read(phone):
    small = """() => [...document.querySelectorAll("main *")].filter((e) => {
      if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) return false;
      const svg = e.closest("svg"), box = e.getBoundingClientRect();
      const wide = svg?.viewBox.baseVal.width;
      const scale = wide ? svg.getBoundingClientRect().width / wide : 1;
      return box.width > 1 && scale * parseFloat(getComputedStyle(e).fontSize) < 10.9;
    }).map((e) => e.textContent.slice(0, 30))"""
    for make in [*(make for make, *_ in CASES.values()), displacement]:
        page = phone(make())
        assert set(page.evaluate(small)) <= {"●"}  # a switch, not a word
