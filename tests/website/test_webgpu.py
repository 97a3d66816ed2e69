"""The network on a graphics processor, played by a program that headless Chromium brings."""

import json
import re
import shutil

import chromium
import links
import pytest
import torch
from chromium import wait_until

import dcamsr_lite as dl
from dcamsr_lite import Cut, Intervention
from dcamsr_lite.figures import brightest_slice
from dcamsr_lite.interpret.cuts import cut
from dcamsr_lite.interpret.interventions import edit
from dcamsr_lite.widgets.tours import MISPLACED

pytestmark = pytest.mark.slow
ADAPTER = "(async () => Boolean(await navigator.gpu?.requestAdapter()))()"
ANSWERED = "window.live?.lab()?.answers > 0 && !live.lab().waiting()"
TRIED = [
    Intervention(),
    Intervention(shift=(0, 3), cuts=(Cut("spatial", "uniform", levels=(1,)),)),
    Intervention("blank", cuts=(Cut("channel", "off", heads=(0, 5)),)),
]
# what is put before the engine's own code
NO_DEVICE = (
    "GPUAdapter.prototype.requestDevice = () => Promise.reject(new Error('a driver that fails'));\n"
)
LOST = """const asked = GPUAdapter.prototype.requestDevice;
let device, runs = 0;
GPUAdapter.prototype.requestDevice = async function (...given) {
  return (device = await asked.apply(this, given));
};
addEventListener("message", ({ data }) => data.type === "run" && ++runs === 2 && device.destroy());
"""
# an engine that comes, and whose numbers are wrong, whatever runs it
ZEROS = """addEventListener("message", ({ data: { id, type, inputs } }) => {
  const sr = () => ({ values: new Float32Array(inputs.ref.values.length), shape: inputs.ref.shape });
  const answer = type === "load" ? {} : { outputs: { sr: sr() }, seconds: 0 };
  postMessage({ type: "answer", id, answer });
});"""


@pytest.fixture
def page(browser, address):
    """A page of a browser with the adapter, ``.asked`` for what it asked for."""
    path = next(filter(None, map(shutil.which, chromium.NAMES)))
    flags = [*chromium.FLAGS, "--enable-unsafe-webgpu"]
    own = browser.browser_type.launch(executable_path=path, args=flags)
    with own.new_page() as asking:
        asking.goto(f"{address.rsplit('/', 1)[0]}/licences.txt")
        has = asking.evaluate(ADAPTER)
    if not has:
        own.close()
        pytest.skip("this Chromium gives no WebGPU adapter, not even SwiftShader's")
    page = own.new_page()
    page.set_default_timeout(1e6)  # a program that plays one takes minutes
    page.asked, page.problems = [], []
    page.on("request", lambda asked: page.asked.append(asked.url.rsplit("/", 1)[1]))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(message.text))
    yield page
    own.close()


def status(page):
    return page.locator(".lv-status").inner_text()


def check_output(page, one):
    model, pair = dl.load("lite-4x"), dl.simulated_pair(dl.DEMO_SEED, 4)
    made = edit(pair, brightest_slice(pair), one)
    with torch.inference_mode(), cut(model, one.cuts):
        right = made.restore(model(made.lr, made.ref))[0]
    found = torch.tensor(page.evaluate("[...live.lab().values('output')]"))
    assert (found - right.flatten()).abs().max() < 1e-3 * (right.max() - right.min())


def test_what_comes_out_of_webgpu_is_what_torch_gives(page, address):
    _, query = links.open_live(4, TRIED[0].as_dict()).split("?")  # what the page's own check runs
    page.goto(f"{address}?{query}&engine=webgpu")
    wait_until(page, ANSWERED)
    assert status(page).startswith("The network runs here, on the graphics processor (WebGPU)")
    for one in TRIED:
        page.evaluate("wanted => live.lab().set(wanted)", one.as_dict())
        # not "waiting": the lab tells a reader after 10 s that its answer is late
        wait_until(page, f"live.lab().shown().tried === {json.dumps(str(one))}")
        check_output(page, one)
    assert not page.problems and not {"worker.js"} & {*page.asked}


def test_a_program_that_plays_an_adapter_is_not_taken_unasked(page, address):
    page.goto(address)
    wait_until(page, ANSWERED)
    assert status(page).startswith("The network runs here, on the processor (WebAssembly)")
    assert not [name for name in page.asked if "webgpu" in name or "jspi" in name]
    assert not page.problems


def change_worker(page, change):
    """What the page gets in place of its worker for the graphics processor."""

    def respond(route):
        body = change(route.fetch().text())
        route.fulfill(body=body, content_type="text/javascript")

    page.route("**/worker_webgpu.js", respond)


def names(page):
    return [name for name in page.asked if name.startswith("worker")]


def test_wrong_numbers_on_webgpu_are_left_for_the_processor(page, address):
    change_worker(page, lambda own: ZEROS)
    page.goto(f"{address}?engine=webgpu")
    wait_until(page, ANSWERED)
    words = r"Not on the graphics processor: the output is \S+ of its range from torch's\. "
    assert re.match(words + r"The network runs here, on the processor", status(page))
    assert names(page) == ["worker_webgpu.js", "worker_webgpu.js", "worker.js"]


@pytest.mark.parametrize(
    "before", [NO_DEVICE, LOST], ids=["no device", "lost after its first answer"]
)
def test_an_adapter_that_fails_leaves_the_processor_no_second_engine_to_load(page, address, before):
    change_worker(page, lambda own: before + own)
    page.goto(f"{address}?engine=webgpu")
    wait_until(
        page, f"{ANSWERED} && !document.querySelector('.lv-status').textContent.startsWith('Load')"
    )
    found = re.fullmatch(
        r"Not on the graphics processor: (.+)\. The network runs here, on the processor .+",
        status(page),
    )
    assert found and not page.problems
    assert names(page) == ["worker_webgpu.js", "worker_webgpu.js"]
    check_output(page, Intervention(shift=MISPLACED))  # as the page opens


def test_where_there_is_no_webgpu_the_page_says_so(live_page):
    page = live_page.open("?engine=webgpu")
    wait_until(page, ANSWERED)
    assert status(page).startswith(
        ("This browser has no WebGPU", "The network runs here, on the graphics")
    )
