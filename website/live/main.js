// The live page: the network runs in this tab. Where a pixel looks, and the intervention lab, on one head.
//
// For tests and lectures: window.live = { look, lab(), own, ready }.

import lab from "../../dcamsr_lite/widgets/lab/explorer.js";
import { button, make } from "../../dcamsr_lite/widgets/shared/elements.js";
import { unpack } from "../../dcamsr_lite/widgets/shared/numbers.js";
import { inWords } from "../../dcamsr_lite/widgets/shared/offsets.js";
import { readAddress, writeAddress } from "./address.js";
import { Engine, hasWebGPU } from "./engine.js";
import { makeHead, toMatrix } from "./imaging.js";
import { liveModel, makeRunner, ownState } from "./live_model.js";
import { lookPanel, mapsOf } from "./look_panel.js";
import { ownImages } from "./own_images.js";
import { compare, selftest } from "./selftest.js";
import { unzip } from "./unzip.js";

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
const RUNS = { wasm: "the processor (WebAssembly)", webgpu: "the graphics processor (WebGPU)" };
const exact = (packed) => Float64Array.from(unpack(packed).values);

async function open() {
  const webgpu = hasWebGPU(asked.get("engine")); // while the head is on its way
  const scale = asked.get("scale") === "2" && !asked.has("selftest") ? 2 : 4;
  const answer = await fetch(`demo-${scale}x.json.gz`);
  if (!answer.ok) throw new Error(`the demo head did not come (${answer.status}): load this page again`);
  const { lab: state, exact: held, network, first, shapes } = revive(await (await unzip(await answer.blob())).json());
  const { info } = state;
  const pictures = Object.fromEntries(
    ["reference", "target", "low", "filled", "other"].map((n) => [n, exact(held[n])]),
  );
  const head = /** @type {import("./imaging.js").Head} */ (
    /** @type {any} */ ({ size: info.shape, scale, ...pictures })
  );

  const status = make("p", { class: "lv-status", role: "status" });
  const meter = make("progress", { max: 1, value: 0, "aria-label": "The network is loading" });
  const right = unpack(held.sr).values;
  const files = { networks: network.files, bytes: network.bytes };
  const engine = new Engine(files, asked.get("engine"), webgpu, {
    progress(loaded, total) {
      meter.value = Math.min(1, loaded / total);
      const [came, all] = [loaded, total].map((bytes) => (bytes / 1e6).toFixed(1));
      status.textContent = `Loading the network: ${came} of ${all} MB. The map below is there already.`;
    },
    ready() {
      meter.remove();
      const words = `The network runs here, on ${RUNS[engine.kind]}: what you change is computed in this tab, and nothing leaves it.`;
      status.textContent = [engine.note, words].filter(Boolean).join(" ");
    },
    failed(error) {
      meter.remove();
      status.textContent = `${error.message} Pictures and the first map are still there.`;
      status.classList.add("dx-message");
    },
    check: (candidate) => compare(makeRunner(head, candidate, info), info.blank, right),
  });
  const run = makeRunner(head, engine, info);
  if (asked.has("selftest")) {
    status.textContent = "Running the demo head through the network …";
    main.replaceChildren(make("div", { class: "dcamsr-explorer" }, make("h2", {}, "Self-test"), status));
    status.textContent = await selftest(run, info.blank, right);
    return;
  }

  const address = readAddress(location.search, info);
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
  /**
   * @param {Record<string, import("./files.js").Stack>} pair
   * @param {number} slice
   * @param {boolean} fresh
   */
  async function openOwn({ reference, target }, slice, fresh) {
    const [a, b] = [reference, target].map((stack) => toMatrix(stack.take(slice), stack.size, info.shape[0]));
    const own = makeHead(a, b, info.shape, scale);
    const runOn = makeRunner(own, engine, info);
    const answer = await runOn(info.blank, wanted);
    share.hidden = true; // no address can hold them
    link.textContent = `The demo head at ${other}x`; // which the link leaves these for
    told.textContent = `Your own images: ${target.name} is blurred, and sharpened ${scale}x with the help of ${reference.name}. Point at the output: the map shows where that pixel looks. `;
    if (fresh) look.element.scrollIntoView({ block: "nearest" });
    mount(ownState(state, own, answer, { reference, target, slice }), own, runOn);
    shown(answer);
  }
  const stored = Object.fromEntries(
    Object.entries(first.maps).map(([name, packed]) => [name, { values: unpack(packed).values, shape: packed.shape }]),
  );
  const { result } = state;
  const change = result.change ? exact(result.change) : new Float64Array(head.reference.length);
  const output = exact(state.images.output).map((x, i) => x + change[i]);
  const reference = result.images.reference ? exact(result.images.reference) : head.reference;
  look.show({ output, reference }, stored, result);
  if (address.intervention) state.intervention = address.intervention;
  look.choose(address.look);
  const other = scale === 4 ? 2 : 4;
  const explorer = () => /** @type {any} */ (place.firstElementChild).explorer;
  const told = make("span");
  const link = make("a", { href: `?scale=${other}` }, `See it at ${other}x`);
  const share = button("Link to what you see", async () => {
    const { branch, level, head, query } = look.state;
    history.replaceState(null, "", writeAddress(scale, explorer().asked(), info.blank, { branch, level, head, query }));
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false); // prettier-ignore
    share.textContent = copied ? "Copied: it is in the address bar, too" : "It is in the address bar";
  });
  const own = ownImages(openOwn, () => location.reload());
  const loading = make("div", { class: "lv-loading" }, meter, status);
  if (address.odd.length) {
    const words = `The address asks for what this page does not have (${address.odd.join(", ")}): that is as usual.`;
    loading.append(make("p", { class: "dx-message" }, words));
  }
  if (asked.has("embed")) {
    // of another page of the site: the lab or the map alone, which leads here
    const more = make("a", { href: `?scale=${scale}`, target: "_top" }, "Cut it, move it, paint, or drop in your own images"); // prettier-ignore
    const alone = asked.get("embed") === "lab" ? [loading] : [look.element, loading, more];
    main.replaceChildren(make("div", { class: "dcamsr-explorer lv-top" }, ...alone));
    if (asked.get("embed") === "lab") main.append(place);
  } else {
    const moved = inWords(state.intervention.shift, 0.01, (x) => `${x} px`); // as it opens, where the network can find it
    told.textContent = `A blurred T2 image is sharpened ${scale}x by a sharp T1 image of the same head${moved && `, which was moved ${moved}; the network was not told`}. Point at the output: the map shows where that pixel looks in the reference. Then cut, move or paint below, and the network answers. `;
    const top = make("header", { class: "dcamsr-explorer lv-top" }, make("h1", {}, "The network runs in this tab"));
    loading.append(share);
    const drop = make("a", { href: "#own" }, "drop in two images of your own");
    const home = make("a", { href: "../index.html" }, "What this is, its course and its code");
    const lead = make("p", {}, told, link, ", or ", drop, ". ", home, ".");
    top.append(lead, loading, look.element);
    main.replaceChildren(top, place, make("div", { class: "dcamsr-explorer" }, own.element));
  }
  const model = mount(state, head, run);
  // the first live answer: to how the page opens
  const ready = engine.load().then(
    () => model.save_changes(),
    () => {},
  );
  Object.assign(window, { live: { look, lab: explorer, own, ready } });
}

open().catch((error) => {
  const words = String(error instanceof Error ? error.message : error);
  if (asked.has("selftest")) document.title = `selftest failed: ${words}`;
  main.replaceChildren(make("p", { class: "dx-message", role: "alert" }, `This page could not start: ${words}.`));
});
