"""The live page in a real browser: the network in the tab is torch's, and the page answers."""

import gzip
import io
import json
import re
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import links
import nibabel
import numpy as np
import pytest
import torch
from chromium import wait_until
from PIL import Image

import dcamsr_lite as dl
from dcamsr_lite import Cut, Intervention, Lesion
from dcamsr_lite.data.files import read_volume
from dcamsr_lite.figures import brightest_slice
from dcamsr_lite.interpret.cuts import cut
from dcamsr_lite.interpret.interventions import edit
from dcamsr_lite.widgets.tours import MISPLACED

pytestmark = pytest.mark.slow
SETTLED = "live.lab().answers > 0 && !live.lab().waiting()"
MARKS = (
    ".dx-mark:not(.lv-found) >> nth=1",
    ".lv-found",
)  # on the reference: its place, what is found
TRIED = [
    Intervention(),
    Intervention(shift=(0, 3), cuts=(Cut("spatial", "uniform", levels=(1,)),)),
    Intervention("blank", cuts=(Cut("channel", "off", heads=(0, 5)),)),
]


def wait(page):
    page.wait_for_selector(".dcamsr-explorer footer")
    wait_until(page, SETTLED)


def said(page):
    return page.locator(".lv-look .dx-reading").inner_text()


def test_the_selftest_says_how_near_torch_it_is_in_the_title(live_page):
    page = live_page.open("?selftest")
    wait_until(page, "document.title.startsWith('selftest')")
    found = re.fullmatch(r"selftest ok (\d\.\de[-+]\d\d)", page.title())
    assert found and float(found[1]) < 1e-4
    assert not live_page.problems


@pytest.mark.parametrize("scale", [4, 2])
def test_the_first_answer_takes_at_most_seven_megabytes(address, scale):
    with urlopen(f"{address.rsplit('/', 1)[0]}/demo-{scale}x.json.gz") as answer:
        packed = answer.read()
    network = json.loads(gzip.decompress(packed))["network"]
    assert len(packed) + network["bytes"]["wasm"] < 6e6  # the page's scripts come beside them
    assert len(packed) + network["bytes"]["webgpu"] < 6.5e6


@pytest.mark.parametrize("scale", [4, 2])
def test_what_comes_out_is_what_torch_gives(live_page, scale):
    page = live_page.open(f"?scale={scale}")
    wait(page)
    model, pair = dl.load(f"lite-{scale}x"), dl.simulated_pair(dl.DEMO_SEED, scale)
    index = brightest_slice(pair)
    for one in TRIED:
        made = edit(pair, index, one)
        with torch.inference_mode(), cut(model, one.cuts):
            right = made.restore(model(made.lr, made.ref))[0]
        page.evaluate("wanted => live.lab().set(wanted)", one.as_dict())
        wait_until(page, "!live.lab().waiting()")
        assert page.evaluate("live.lab().shown().tried") == str(one)
        found = page.evaluate("[...live.lab().values('output')]")
        far = (torch.tensor(found) - right.flatten()).abs().max()
        assert far < 1e-3 * (right.max() - right.min())
        quality = dl.psnr(made.target_image, right[None])
        assert page.evaluate("live.lab().shown().psnr_db") == pytest.approx(quality, abs=0.01)
    assert not live_page.problems


def test_a_map_is_there_before_the_network_and_follows_the_reference_after(live_page):
    page = live_page.open("?scale=4")
    wait(page)
    reading = page.locator(".lv-look .dx-reading")
    places = (
        (0, "looks at its own place"),
        (3, r"looks [23]\.\d px to the right of its own place"),
    )
    for right, words in places:
        page.evaluate("x => live.lab().set({ shift: [0, x] })", right)
        wait_until(page, "!live.lab().waiting()")
        page.evaluate("live.look.look(52, 44)")
        assert re.search(words, reading.inner_text()), reading.inner_text()
    page.locator(".lv-pair").press("ArrowDown")
    assert "Row 53, column 44" in reading.inner_text()
    assert page.locator(".lv-tried").inner_text().startswith("Reference shifted 3 px right: PSNR")
    page.get_by_label("Branch: which features are taken").check()
    with torch.inference_mode(), dl.trace(dl.load("lite-4x")) as record:
        pair = dl.simulated_pair(dl.DEMO_SEED, 4)
        made = edit(pair, brightest_slice(pair), Intervention(shift=(0, 3)))
        record.model(made.lr, made.ref)
    most = float(record.channel[1].max())
    assert f"the most is {most:.2f}, uniform would be 0.25" in reading.inner_text()
    assert page.locator(".lv-matrices canvas:visible").count() == 8
    page.get_by_label("Branch: where each pixel looks").check()


def test_it_opens_with_the_reference_moved_and_shows_where_it_is_found(live_page):
    page = live_page.open("?level=1")
    wait(page)
    assert page.evaluate("live.lab().asked().shift") == [*MISPLACED]
    assert re.search(r"looks [12]\.\d px down and [23]\.\d px to the left", said(page))
    own, found = (page.locator(f".lv-pair {mark}").bounding_box() for mark in MARKS)
    assert found["y"] > own["y"] and found["x"] < own["x"]
    strongest, ends = page.evaluate(
        """() => {
          const near = document.querySelector(".lv-near canvas");
          const { data } = near.getContext("2d").getImageData(0, 0, near.width, near.height);
          const count = { length: data.length / 4 };
          const pixels = Array.from(count, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]);
          const bar = getComputedStyle(document.querySelector(".lv-side .dx-bar i")).backgroundImage;
          return [pixels.sort((a, b) => b[3] - a[3])[0], bar.match(/rgba?\\([^)]+\\)/g)];
        }"""
    )
    red, green, blue, opacity = map(float, re.findall(r"[\d.]+", ends[-1]))
    for seen, told in zip(strongest, (red, green, blue, 255 * opacity), strict=True):
        assert (
            abs(seen - told) <= 3
        )  # where most lies is the colour at the end of the bar beside it


def test_an_address_holds_what_is_seen(live_page):
    wanted = Intervention(
        shift=(0, 3), lesions=(Lesion("target", 60, 70),), cuts=(Cut("spatial", "off", (1,)),)
    )
    place = {"query": [40, 80], "level": "2"}
    _, query = links.open_live(4, wanted.as_dict(), **place).split("?")
    page = live_page.open(f"?{query}")
    wait(page)
    assert page.evaluate("live.lab().shown().tried") == str(wanted)
    assert said(page).startswith("Row 40, column 80, level 2")
    page.evaluate("live.lab().set({ reference: 'blank' })")
    wait_until(page, "!live.lab().waiting()")
    page.get_by_role("button", name="Link to what you see").click()
    asked = parse_qs(urlsplit(page.url).query)
    assert Intervention.from_dict(json.loads(asked["intervention"][0])) == Intervention("blank")
    assert asked["query"] == ["40,80"] and asked["level"] == ["2"]
    assert not live_page.problems


def test_the_page_answers_while_the_network_runs(live_page):
    page = live_page.open("?scale=4")
    wait(page)
    said = page.evaluate(
        """async () => {
          live.lab().set({ rotate: 2.5 });
          const waiting = live.lab().waiting();
          live.look.look(20, 30);
          await new Promise((done) => setTimeout(done));  // a frame may take longer than the network
          return [waiting, live.lab().waiting(), live.look.said()];
        }"""
    )
    assert said[:2] == [True, True] and said[2].startswith("Row 20, column 30")
    wait_until(page, "!live.lab().waiting()")


def test_another_page_can_hold_the_map_alone(live_page):
    page = live_page.open("?embed")
    wait_until(page, "window.live && live.look.said().startsWith('Row')")
    assert page.locator(".lv-look").is_visible() and not page.locator(".dx-lab").count()
    assert page.locator(".lv-top > a").get_attribute("target") == "_top"
    page = live_page.open("?embed=lab")
    wait_until(page, "window.live && live.lab().asked().shift[0] === 2")
    assert page.locator(".dx-lab").is_visible() and not page.locator(".lv-look").count()


@pytest.mark.parametrize("width", [390, 700, 1400])
def test_it_fits_a_window(live_page, width):
    page = live_page.open("?scale=4")
    wait(page)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def take(page, **files):
    for name, path in files.items():
        page.get_by_label(f"Your {name}").set_input_files(path)
    wait_until(
        page,
        "!/^$|^Reading|^The network runs on/.test(document.querySelector('.lv-said').textContent)",
    )
    return page.locator(".lv-said").inner_text()


@pytest.mark.parametrize("ending", ["nii.gz", "png", "16.png", "npy", "jpg"])
def test_a_pair_of_ones_own_is_sharpened_as_torch_does_it(live_page, tmp_path, ending):
    page = live_page.open("?scale=4")
    wait(page)
    images = dict(zip(("reference", "target"), dl.simulated_volumes(5, 128, 2), strict=True))
    paths = {name: tmp_path / f"{name}.{ending}" for name in images}
    held = {}
    for name, volume in images.items():
        image = volume.images.numpy()
        if ending == "png":
            image = (255 * image / image.max()).round().astype("uint8")
            Image.fromarray(image[1]).save(paths[name])
        elif ending == "16.png":  # 12 bits, as scanners have them: the upper 8 are 16 greys
            image = (4095 * image[1:] / image[1].max()).round().astype("uint16").repeat(2, 0)
            Image.fromarray(image[1]).save(paths[name])
        elif ending == "jpg":  # in colours, of which the brightness is taken
            shades = np.stack([image[1], 0.8 * image[1], 0.5 * image[1]], -1)
            Image.fromarray((255 * shades / shades.max()).astype("uint8")).save(paths[name])
            image = read_volume(paths[name]).images.numpy().repeat(2, 0)
        elif ending == "npy":
            np.save(paths[name], image)
        else:
            turned = np.ascontiguousarray(image[:, ::-1].transpose(2, 1, 0))  # x, y upwards, z
            nibabel.save(nibabel.Nifti1Image(turned, np.eye(4)), paths[name])
        held[name] = torch.from_numpy(image.astype("float32"))
    said = take(page, **paths)
    assert said.startswith(f"On screen: target.{ending}, guided by reference.{ending}.")
    model, pair = dl.load("lite-4x"), dl.load_pair(held["reference"], held["target"], 4)
    one = pair.take_slice(1)
    with torch.inference_mode():
        right = one.restore(model(one.lr, one.ref))[0]
    found = torch.tensor(page.evaluate("[...live.lab().values('output')]"))
    found = found * float(held["target"].max())  # the page counts from 0 to 1
    assert (found - right.flatten()).abs().max() < 1e-3 * (right.max() - right.min())
    page.evaluate("live.lab().set({ reference: 'blank' })")
    wait_until(page, "!live.lab().waiting()")
    assert page.evaluate("live.lab().shown().delta_psnr_db") < 0
    assert not live_page.problems


def test_files_may_be_dropped_anywhere_in_either_order(live_page):
    page = live_page.open("?scale=4")
    wait(page)
    buffers = {}
    for seed, name in enumerate(("one.npy", "two.npy")):
        with io.BytesIO() as file:
            np.save(file, np.random.default_rng(seed).random((32, 32)))
            buffers[name] = list(file.getvalue())
    page.evaluate(
        """(buffers) => {
          const dataTransfer = new DataTransfer();
          for (const [name, bytes] of Object.entries(buffers))
            dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
          const given = { dataTransfer, bubbles: true, cancelable: true };
          const place = document.querySelector(".lv-look");
          for (const kind of ["dragover", "drop"]) place.dispatchEvent(new DragEvent(kind, given));
        }""",
        buffers,
    )
    page.get_by_text("On screen: two.npy, guided by one.npy.").wait_for()
    page.get_by_role("button", name="Swap the two").click()
    page.get_by_text("On screen: one.npy, guided by two.npy.").wait_for()
    lead = page.locator(".lv-top > p").first
    assert lead.inner_text().startswith("Your own images: one.npy")
    leads = [link.get_attribute("href") for link in lead.locator("a").all()]
    assert leads == ["?scale=2", "#own", "../index.html"]
    page.evaluate("live.lab().set({ shift: [0, 1] })")
    wait(page)
    assert page.evaluate("live.lab().shown().tried") == "reference shifted 1 px right"
    assert not live_page.problems


def test_what_is_wrong_with_one_file_stands_while_the_other_is_read(live_page, tmp_path):
    page = live_page.open("?scale=4")
    wait(page)
    (tmp_path / "text.nii").write_text("no scan")
    np.save(tmp_path / "image.npy", np.random.default_rng(0).random((64, 48)))
    said = take(page, reference=tmp_path / "text.nii", target=tmp_path / "image.npy")
    assert said.startswith("text.nii: found a file that is no NIfTI")
    said = take(page, reference=tmp_path / "image.npy")
    assert said == "On screen: image.npy, guided by image.npy."
    assert not live_page.problems


def test_what_is_no_image_is_one_sentence_and_the_page_goes_on(live_page, tmp_path):
    page = live_page.open("?scale=4")
    wait(page)
    before = page.evaluate("live.lab().shown().tried")
    random = np.random.default_rng(0)
    (tmp_path / "text.nii").write_text("no scan")
    (tmp_path / "notes.txt").write_text("no scan")
    np.save(tmp_path / "nan.npy", np.full((32, 32), np.nan))
    np.save(tmp_path / "four.npy", np.zeros((1, 2, 32, 32)))
    np.save(tmp_path / "small.npy", random.random((32, 48)))
    np.save(tmp_path / "large.npy", random.random((64, 48)))
    Image.new("L", (4096, 4096)).save(tmp_path / "huge.png")
    deep = Image.fromarray(random.integers(0, 65535, (64, 48), dtype="uint16"))
    deep.save(tmp_path / "deep.png")
    torn = (tmp_path / "deep.png").read_bytes()[:2000]
    (tmp_path / "torn.png").write_bytes(torn)
    Image.fromarray(random.integers(0, 255, (64, 48, 3), dtype="uint8")).save(
        tmp_path / "photo.png"
    )
    for name, words in [
        ("text.nii", "found a file that is no NIfTI; expected NIfTI"),
        ("notes.txt", "found a file of another kind"),
        ("nan.npy", "found NaN or infinite values"),
        ("four.npy", "found 4 axes"),
        ("huge.png", "found 4096 x 4096 pixels; expected at most 2048 x 2048"),
        ("torn.png", "found a damaged file"),
    ]:
        said = take(page, reference=tmp_path / name)
        assert said.startswith(f"{name}: {words}") and said.endswith("What was on screen stays.")
    assert page.evaluate("live.lab().shown().tried") == before
    said = take(page, reference=tmp_path / "large.npy", target=tmp_path / "small.npy")
    assert "small.npy: found 1 slice of 32 x 48; expected 1 slice of 64 x 48" in said
    said = take(page, target=tmp_path / "photo.png")
    assert said == (
        "On screen: photo.png, guided by large.npy. photo.png: colours: their brightness is taken."
    )
    assert not live_page.problems


def test_a_network_that_does_not_come_is_one_sentence_and_the_pictures_stay(browser, address):
    page = browser.new_context().new_page()
    page.route("**/*.onnx.gz", lambda route: route.abort())
    page.goto(address)
    page.wait_for_selector(".lv-status.dx-message")
    words = page.locator(".lv-status").inner_text()
    assert words.startswith("The network could not be loaded") and "first map" in words
    assert page.evaluate("live.look.said()").startswith("Row 52")
    page.goto(f"{address}?selftest")
    wait_until(page, "document.title.startsWith('selftest failed: ')")
    page.context.close()
