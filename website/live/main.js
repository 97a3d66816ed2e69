// The live page: the network runs in this tab. Where a pixel looks, and the intervention lab, on one head.
//
// For tests and lectures: window.live = { look, lab(), own, ready }.

import lab from "../../dcamsr_lite/widgets/lab/explorer.js";
import { make } from "../../dcamsr_lite/widgets/shared/elements.js";
import { unpack } from "../../dcamsr_lite/widgets/shared/numbers.js";
import { Engine } from "./engine.js";
import { makeHead, toMatrix } from "./imaging.js";
import { liveModel, makeRunner, ownState } from "./live_model.js";
import { lookPanel, mapsOf } from "./look_panel.js";
import { ownImages } from "./own_images.js";
import { selftest } from "./selftest.js";

const asked = new URLSearchParams(location.search);
const main = /** @type {HTMLElement} */ (document.querySelector("main"));

/** A page's state, with bytes in base64, as arrays of bytes. */
function revive(value) {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.dtype === "string")
    return { ...value, data: new DataView(Uint8Array.from(atob(value.data), (c) => c.charCodeAt(0)).buffer) };
  if (Array.isArray(value)) return value.map(revive);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}
const exact = (packed) => Float64Array.from(unpack(packed).values);

async function open() {
  const scale = asked.get("scale") === "2" && !asked.has("selftest") ? 2 : 4;
  const answer = await fetch(`demo-${scale}x.json`);
  if (!answer.ok) throw new Error(`the demo head did not come (${answer.status}): load this page again`);
  const { lab: state, exact: held, network, first, shapes } = revive(await answer.json());
  const { info } = state;
  const pictures = Object.fromEntries(
    ["reference", "target", "low", "filled", "other"].map((n) => [n, exact(held[n])]),
  );
  const head = /** @type {import("./imaging.js").Head} */ (
    /** @type {any} */ ({ size: info.shape, scale, ...pictures })
  );

  const status = make("p", { class: "lv-status", role: "status" });
  const meter = make("progress", { max: 1, value: 0, "aria-label": "The network is loading" });
  const total = (network.bytes / 1e6).toFixed(1);
  const engine = new Engine({ network: network.file, bytes: network.bytes }, (share, megabytes) => {
    meter.value = share;
    status.textContent = `Loading the network: ${megabytes.toFixed(1)} of ${total} MB. The map below is there already.`;
  });
  const run = makeRunner(head, engine, info);
  if (asked.has("selftest")) {
    status.textContent = "Running the demo head through the network …";
    main.replaceChildren(make("div", { class: "dcamsr-explorer" }, make("h2", {}, "Self-test"), status));
    status.textContent = await selftest(run, info.blank, unpack(held.sr).values);
    return;
  }

  const look = lookPanel({ ...info, ...network }, shapes, first.level);
  const wanted = mapsOf(shapes);
  const place = make("div", {});
  const shown = (answer) =>
    look.show({ output: answer.output, reference: answer.given.reference }, answer.maps, answer.row);
  let latest = 0; // of several heads, one after the other, the last is on screen
  /** The lab on a head, whose answers also draw the map. */
  function mount(page, on, runOn) {
    const mine = ++latest;
    const model = liveModel(page, on, runOn, wanted, (answer) => mine === latest && shown(answer));
    place.replaceChildren();
    lab.render({ model, el: place });
    return model;
  }
  /** @param {Record<string, import("./files.js").Stack>} pair */
  async function openOwn({ reference, target }, slice) {
    const [a, b] = [reference, target].map((stack) => toMatrix(stack.take(slice), stack.size, info.shape[0]));
    const own = makeHead(a, b, info.shape, scale);
    const runOn = makeRunner(own, engine, info);
    const answer = await runOn(info.blank, wanted);
    mount(ownState(state, own, answer, { reference, target, slice }), own, runOn);
    shown(answer);
  }
  const stored = Object.fromEntries(
    Object.entries(first.maps).map(([name, packed]) => [name, { values: unpack(packed).values, shape: packed.shape }]),
  );
  look.show({ output: exact(state.images.output), reference: head.reference }, stored);
  const other = scale === 4 ? 2 : 4;
  const own = ownImages(openOwn, () => location.reload());
  const loading = make("div", { class: "lv-loading" }, meter, status);
  if (asked.has("embed")) {
    // of another page of the site: the map alone, which leads here
    const more = make(
      "a",
      { href: `?scale=${scale}`, target: "_top" },
      "Cut it, move it, paint, or drop in your own images",
    );
    main.replaceChildren(make("div", { class: "dcamsr-explorer lv-top" }, look.element, loading, more));
  } else {
    const lead = `A blurred T2 image is sharpened ${scale}x by a sharp T1 image of the same head. Point at the output: the map shows where that pixel looks in the reference. Then cut, move or paint below, and the network answers. `;
    const link = make("a", { href: `?scale=${other}` }, `See it at ${other}x`);
    const top = make("header", { class: "dcamsr-explorer lv-top" }, make("h1", {}, "The network runs in this tab"));
    top.append(make("p", {}, lead, link, "."), loading, look.element);
    main.replaceChildren(top, place, make("div", { class: "dcamsr-explorer" }, own.element));
  }
  const model = mount(state, head, run);
  const ready = engine.load().then(
    async () => {
      model.save_changes(); // the first live answer: nothing changed
      meter.remove();
      status.textContent = "The network runs here: what you change is computed in this tab, and nothing leaves it.";
    },
    (error) => {
      meter.remove();
      status.textContent = `${error.message} Pictures and the first map are still there.`;
      status.classList.add("dx-message");
    },
  );
  const explorer = () => /** @type {any} */ (place.firstElementChild).explorer;
  Object.assign(window, { live: { look, lab: explorer, own, ready } });
}

open().catch((error) => {
  const words = String(error instanceof Error ? error.message : error);
  if (asked.has("selftest")) document.title = `selftest failed: ${words}`;
  main.replaceChildren(make("p", { class: "dx-message", role: "alert" }, `This page could not start: ${words}.`));
});
