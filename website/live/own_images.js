// A reader's own pair: two files are dropped or chosen, a slice is picked, and the page works on them.

import { slider } from "../../dcamsr_lite/widgets/shared/controls.js";
import { button, card, make } from "../../dcamsr_lite/widgets/shared/elements.js";
import { checkPair, readFile } from "./files.js";

const NAMES = ["reference", "target"];
const HINTS = { reference: "sharp, the guide", target: "to be blurred and sharpened" };

/**
 * @param {(pair: Record<string, import("./files.js").Stack>, slice: number) => Promise<void>} open
 * @param {() => void} leave back to the demo head
 */
export function ownImages(open, leave) {
  /** @type {Record<string, import("./files.js").Stack>} */
  let held = {};
  let slice = 0;
  const message = make("p", { class: "lv-said", role: "status" });
  const picks = NAMES.map((name) => {
    const input = make("input", {
      type: "file",
      accept: ".png,.jpg,.jpeg,.nii,.gz,.npy",
      "aria-label": `Your ${name}`,
    });
    input.addEventListener("change", () => input.files?.length && take({ [name]: input.files[0] }));
    const file = make("output", {}, "none yet");
    return {
      name,
      input,
      file,
      label: make("label", { class: "lv-pick" }, make("b", {}, `${name}`), ` (${HINTS[name]}) `, input, file),
    };
  });
  const which = slider(
    "slice",
    { kind: "dx-range", hint: "slice of your volumes", bounds: [0, 1, 1], text: (x) => String(x) },
    () => slice,
    (value, settled) => {
      slice = value;
      if (settled) show();
    },
  );
  which.group.hidden = true;
  const back = button("Back to the demo head", leave);
  back.hidden = true;
  const element = card(
    "Your own images",
    make("p", { class: "dx-what" }, "Two contrasts of one slice on one matrix: PNG, JPEG, NIfTI (.nii, .nii.gz) or .npy. Drop both here, the reference first, or choose them. They are brought to 128 x 128, and never leave this tab."), // prettier-ignore
    make("div", { class: "lv-picks" }, ...picks.map(({ label }) => label)),
    which.group,
    make("div", { class: "dx-buttons" }, back),
    message,
  );
  element.classList.add("lv-own-images");

  /** @param {Record<string, File>} files */
  async function take(files) {
    say("");
    try {
      for (const [name, file] of Object.entries(files)) {
        say(`Reading ${file.name} …`);
        held = { ...held, [name]: await readFile(file) };
      }
      for (const { name, file } of picks) file.textContent = held[name]?.name ?? "none yet";
      const missing = NAMES.filter((name) => !held[name]);
      if (missing.length) return say(`Now the ${missing[0]}.`);
      checkPair(held.reference, held.target);
      slice = held.target.slices >> 1;
      const input = /** @type {HTMLInputElement} */ (which.group.querySelector("input"));
      input.max = String(held.target.slices - 1);
      which.group.hidden = held.target.slices < 2;
      await show();
    } catch (error) {
      say(`${error instanceof Error ? error.message : error}. What was on screen stays.`, true);
    }
  }
  async function show() {
    which.sync();
    const notes = [...held.reference.notes, ...held.target.notes];
    say("The network runs on your images …");
    try {
      await open(held, slice);
      back.hidden = false;
      say(
        [`On screen: ${held.target.name}, guided by ${held.reference.name}.`, ...notes.map((n) => `${n}.`)].join(" "),
      );
    } catch (error) {
      say(`${error instanceof Error ? error.message : error}. What was on screen stays.`, true);
    }
  }
  function say(words, wrong = false) {
    message.textContent = words;
    message.classList.toggle("dx-message", wrong);
  }
  for (const name of ["dragover", "drop"]) element.addEventListener(name, (event) => event.preventDefault());
  element.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    const free = files.length > 1 ? NAMES : [NAMES.find((name) => !held[name]) ?? "target"];
    take(Object.fromEntries(free.flatMap((name, i) => (files[i] ? [[name, files[i]]] : []))));
  });
  return { element, take };
}
