// Elements of a page: text is never read as markup.

/** @typedef {Node | string | null} Child */

const SVG = "http://www.w3.org/2000/svg"; // a name, never fetched

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/**
 * The same for drawings.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/**
 * @param {string} title
 * @param {...Child} children
 */
export const card = (title, ...children) => make("section", { class: "dx-card" }, make("h3", {}, title), ...children);

/**
 * @param {string} label
 * @param {() => void} act
 */
export function button(label, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", act);
  return element;
}

/** Words that a screen reader says when they change. */
export const announcer = () => make("div", { class: "dx-hidden", "aria-live": "polite" });

/**
 * Put an element over image pixels: its corner and its size, in pixels of an image of that size.
 * @param {HTMLElement} element
 * @param {number[]} size
 */
export const place = (element, [rows, columns], row, column, height, width) =>
  Object.assign(element.style, {
    top: `${(100 * row) / rows}%`,
    left: `${(100 * column) / columns}%`,
    height: `${(100 * height) / rows}%`,
    width: `${(100 * width) / columns}%`,
  });
