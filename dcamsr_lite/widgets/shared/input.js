// Pointer and keys: what they change is drawn in the next frame while a finger moves, and settled when it is lifted.

/** At most one drawing per frame, the latest; `flush` draws it now. */
export function eachFrame() {
  /** @type {(() => void) | null} */
  let pending = null;
  const flush = () => {
    const draw = pending;
    pending = null;
    draw?.();
  };
  /** @param {() => void} draw */
  const soon = (draw) => {
    if (!pending) requestAnimationFrame(flush);
    pending = draw;
  };
  return { soon, flush };
}

/**
 * Where a pointer is in an element that shows rows x columns, in fractions of a pixel.
 * @param {MouseEvent} event
 * @param {Element} element
 * @param {number[]} size
 */
export function pointIn({ clientX, clientY }, element, [rows, columns]) {
  const box = element.getBoundingClientRect();
  return [((clientY - box.top) / box.height) * rows, ((clientX - box.left) / box.width) * columns];
}

/**
 * @typedef {object} Pointer
 * @property {(row: number, column: number) => void} look while it is down
 * @property {() => void} stay when it is lifted
 * @property {() => void} leave when it is gone: off the image, or a finger that scrolls the page
 * @property {(row: number, column: number) => void} [hover] while it is up
 */
/**
 * A pointer on an image of that size.
 * @param {HTMLElement} element
 * @param {number[]} size
 * @param {Pointer} pointer
 */
export function follow(element, size, { look, stay, leave, hover = () => {} }) {
  const { soon, flush } = eachFrame();
  const pixel = (event) => pointIn(event, element, size).map(Math.floor);
  let down = false;
  element.addEventListener("pointerdown", (event) => {
    const [row, column] = pixel(event);
    down = true;
    element.setPointerCapture(event.pointerId);
    look(row, column);
  });
  element.addEventListener("pointermove", (event) => {
    const [row, column] = pixel(event);
    soon(() => (down ? look : hover)(row, column));
  });
  element.addEventListener("pointerup", () => {
    down = false;
    flush();
    stay();
  });
  const gone = () => {
    down = false;
    soon(leave);
  };
  element.addEventListener("pointerleave", () => down || gone());
  element.addEventListener("pointercancel", gone);
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
/**
 * Arrow keys as steps of rows and columns.
 * @param {HTMLElement} element
 * @param {(rows: number, columns: number, event: KeyboardEvent & { target: HTMLElement }) => void} move
 * @param {() => void} [settled] when the key is lifted
 */
export function steps(element, move, settled = () => {}) {
  element.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(step[0], step[1], /** @type {any} */ (event));
  });
  element.addEventListener("keyup", (event) => ARROWS[event.key] && settled());
}

/**
 * The same, with shift eight at a time.
 * @param {HTMLElement} element
 * @param {(rows: number, columns: number, target: HTMLElement) => void} move
 * @param {() => void} [settled]
 */
export const strides = (element, move, settled) =>
  steps(
    element,
    (rows, columns, { shiftKey, target }) => {
      const far = shiftKey ? 8 : 1;
      move(far * rows, far * columns, target);
    },
    settled,
  );
