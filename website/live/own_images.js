// A reader's own pair: two files are dropped or chosen, a slice is picked, and the page works on them.

import { slider } from "../../dcamsr_lite/widgets/shared/controls.js";
import { button, card, make } from "../../dcamsr_lite/widgets/shared/elements.js";
import { makePair, readFile } from "./files.js";

const NAMES = ["reference", "target"];
const HINTS = { reference: "sharp, the guide", target: "to be blurred and sharpened" };

const inWords = (error) => String(error instanceof Error ? error.message : error);

/**
 * @param {(pair: Record<string, import("./files.js").Stack>, slice: number, fresh: boolean) => Promise<void>} open
 * @param {() => void} leave back to the demo head
 */
export function ownImages(open, leave) {
  /** @type {Record<string, import("./files.js").Stack>} */
  let held = {}; // as they were read
  /** @type {Record<string, import("./files.js").Stack>} */
  let pair = {}; // turned onto each other
  /** @type {Record<string, string>} */
  const refused = {}; // why a file was not taken, until another is in its place
  let slice = 0;
  let reading = 0; // how many files are on their way
  let asked = 0; // the last one alone says how it went
  const message = make("p", { class: "lv-said", role: "status" });
  const picks = NAMES.map((name) => {
    const input = make("input", {
      type: "file",
      accept: ".png,.jpg,.jpeg,.nii,.gz,.npy",
      "aria-label": `Your ${name}`,
    });
    input.addEventListener("change", () => input.files?.length && take({ [name]: input.files[0] }));
    const file = make("output"); // of what was dropped: the input names what was chosen
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
      if (settled) show(false);
    },
  );
  which.group.hidden = true;
  const swap = button("Swap the two", () => {
    held = { reference: held.target, target: held.reference };
    take({});
  });
  swap.hidden = true; // a file manager has an order of its own
  const back = button("Back to the demo head", leave);
  back.hidden = true;
  const element = card(
    "Your own images",
    make("p", { class: "dx-what" }, "Two contrasts of one slice on one matrix: PNG, JPEG, NIfTI (.nii, .nii.gz) or .npy. Drop both on this page, the reference first, or choose them here. They are brought to 128 x 128, and never leave this tab."), // prettier-ignore
    make("div", { class: "lv-picks" }, ...picks.map(({ label }) => label)),
    which.group,
    make("div", { class: "dx-buttons" }, swap, back),
    message,
  );
  element.id = "own";
  element.classList.add("lv-own-images");

  /** @param {Record<string, File>} files */
  async function take(files) {
    asked++;
    if (!reading) for (const name of NAMES) if (held[name]) delete refused[name];
    reading++;
    say("");
    for (const [name, file] of Object.entries(files)) {
      delete refused[name];
      say(`Reading ${file.name} …`);
      try {
        const stack = await readFile(file);
        held = { ...held, [name]: stack };
      } catch (error) {
        refused[name] = inWords(error);
      }
    }
    reading--;
    if (reading) return; // another one is chosen already: what is read last goes on with both
    try {
      for (const { name, input, file } of picks) {
        const now = held[name]?.name ?? "";
        file.textContent = now === input.files?.[0]?.name ? "" : now;
      }
      const wrong = Object.values(refused);
      if (wrong.length) throw new Error(wrong.join(". "));
      const missing = NAMES.filter((name) => !held[name]);
      if (missing.length) return say(`Now the ${missing[0]}.`);
      swap.hidden = false;
      pair = makePair(held.reference, held.target);
      slice = pair.target.slices >> 1;
      const input = /** @type {HTMLInputElement} */ (which.group.querySelector("input"));
      input.max = String(pair.target.slices - 1);
      which.group.hidden = pair.target.slices < 2;
      await show(true);
    } catch (error) {
      complain(error);
    }
  }
  /** @param {boolean} fresh whether the files are new, not the slice alone */
  async function show(fresh) {
    const mine = ++asked;
    which.sync();
    const notes = [...pair.reference.notes, ...pair.target.notes];
    say("The network runs on your images …");
    try {
      await open(pair, slice, fresh);
      back.hidden = false;
      if (mine !== asked) return;
      say(
        [`On screen: ${pair.target.name}, guided by ${pair.reference.name}.`, ...notes.map((n) => `${n}.`)].join(" "),
      );
    } catch (error) {
      complain(error);
    }
  }
  function complain(error) {
    say(`${inWords(error)}. What was on screen stays.`, true);
  }
  function say(words, wrong = false) {
    message.textContent = words;
    message.classList.toggle("dx-message", wrong);
  }
  // anywhere on the page: elsewhere the browser would leave it for the file
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    const free = files.length > 1 ? NAMES : [NAMES.find((name) => !held[name]) ?? "target"];
    take(Object.fromEntries(free.flatMap((name, i) => (files[i] ? [[name, files[i]]] : []))));
  });
  return { element, take };
}
