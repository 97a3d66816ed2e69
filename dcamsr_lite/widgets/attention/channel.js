// The channel branch on the page: its d x d matrices, the feature maps that the chosen cell compares and mixes.
// `view` as in spatial.js.

/** A signed feature map with its colour bar, the cursor, and the value under it. */
function featurePanel(view, title, unit) {
  const canvas = make("canvas", { class: "dx-overlay", role: "img" }), value = make("output"), name = make("b", {}, title);
  const { element, mark } = frame(view.size, canvas), bar = colourBar("signed", unit);
  element.classList.add("dx-foot");
  const figure = make("figure", {}, make("figcaption", {}, name, value), element, bar.bar), [top, left] = view.info.offset;
  let map;
  function draw(drawn, words) {
    map = drawn;
    const high = extent(map.values);
    paint(canvas, map.values, map.size, -high, high, "signed");
    overImage(canvas, view);
    canvas.setAttribute("aria-label", words);
    name.textContent = words;
    bar.set(-high, high);
  }
  /** The value under the cursor; row and column in the image's pixels, the map covers the padded grid. */
  function read([row, column], moved) {
    const [r, c] = [row + top, column + left].map((x, i) => Math.floor((x * map.size[i]) / view.info.grid[i]));
    value.textContent = format(map.values[r * map.size[1] + c]);
    moved(mark);
  }
  follow(element, view.size, { look: view.actions.look, hover: view.actions.look, stay: view.actions.stay, leave: view.actions.leave });
  return { figure, draw, read };
}

function channelPart(view) {
  const { state, actions } = view, matrices = make("div", { class: "dx-matrices" });
  const bar = colourBar("viridis", "share of the reference feature"), cell = make("p", { class: "dx-reading" });
  const what = make("p", { class: "dx-what" });
  const element = card("Channel attention", what, matrices, bar.bar, cell);
  const panels = {
    query: featurePanel(view, "query", "feature value"), key: featurePanel(view, "key", "feature value"),
    value: featurePanel(view, "value", "feature value"), mixed: featurePanel(view, "mixed", "feature value"),
  };
  const words = make("p", { class: "dx-words" });
  const maps = make("section", { class: "dx-card dx-wide" }, make("h3", {}, "The feature maps behind this cell"),
    make("div", { class: "dx-maps" }, ...Object.values(panels).map((panel) => panel.figure)), words);
  let each = [], shown;

  function layMatrices() {
    each = [...Array(view.net.heads).keys()].map((head) => {
      const canvas = make("canvas", { role: "img", tabindex: 0, "data-head": head }), mark = make("div", { class: "dx-cell" });
      return { head, canvas, mark, box: make("div", {}, make("div", { class: "dx-matrix" }, canvas, mark), make("small", {}, `head ${head}`)) };
    });
    matrices.replaceChildren(...each.map(({ box }) => box));
  }
  /** Maps and words of a cell: the one chosen, or the one under the pointer. */
  function read([head, i, j]) {
    const { level } = view, { d } = level, weight = level.matrix(head)[i * d + j], alike = level.cosine(head)[i * d + j];
    shown = [head, i, j];
    for (const one of each) {
      one.mark.hidden = one.head !== head;
      one.box.classList.toggle("dx-now", one.head === head);
      place(one.mark, [d, d], i, j, 1, 1);
    }
    panels.query.draw(level.feature("query", head, i), `query feature ${i}`);
    panels.key.draw(level.feature("key", head, j), `key feature ${j}`);
    panels.value.draw(level.feature("value", head, j), `value feature ${j}`);
    panels.mixed.draw(level.mixed(head, i), `mixed into ${i}`);
    cell.textContent = `Head ${head}: query feature ${i} takes ${format(weight)} of reference feature ${j}; uniform would be ${format(1 / d)}.`;
    words.textContent = `Over all pixels, query feature ${i} of the input and key feature ${j} of the reference have cosine ${format(alike)}. ` +
      `The softmax over the row makes that a share of ${format(weight)}: so much of value feature ${j} goes into feature ${i}. ` +
      `The last map is the whole row: all ${d} value features of head ${head}, mixed by their shares.`;
    if (view.mark) show(view);
  }
  function update() {
    const { level } = view;
    element.hidden = maps.hidden = state.branch !== "channel";
    if (element.hidden) return;
    if (each.length !== view.net.heads) layMatrices();
    const high = extent(level.channel.matrix.values);
    for (const { head, canvas } of each) {
      paint(canvas, level.matrix(head), [level.d, level.d], 0, high, "viridis");
      canvas.setAttribute("aria-label", `channel attention of head ${head}: arrow keys choose a cell`);
    }
    what.textContent = `level ${state.level} · one ${level.d} × ${level.d} square per head. Row (↓): a query feature of the input. Column (→): the reference feature it takes from. Point at a cell, click to keep it.`;
    bar.set(0, high);
    read(state.cell);
  }
  const show = ({ at, mark }) => { for (const panel of Object.values(panels)) panel.read(at, mark); };

  const inside = (x) => Math.max(0, Math.min(view.level.d - 1, x));
  const pointed = ({ target, offsetX, offsetY }) => {
    if (!target.dataset.head) return null;
    const { d } = view.level;
    return [+target.dataset.head, inside(Math.floor((offsetY / target.clientHeight) * d)), inside(Math.floor((offsetX / target.clientWidth) * d))];
  };
  const same = (a, b) => a.every((x, i) => x === b[i]);
  matrices.addEventListener("pointermove", (event) => { const at = pointed(event); if (at && !same(at, shown)) read(at); });
  matrices.addEventListener("pointerleave", () => read(state.cell));
  matrices.addEventListener("click", (event) => { const at = pointed(event); if (at) actions.set({ cell: at }); });
  arrows(matrices, (dr, dc, target) => {
    const head = +target.dataset.head, [from, i, j] = state.cell;
    const next = from === head ? [head, inside(i + dr), inside(j + dc)] : [head, inside(dr), inside(dc)];
    state.cell = next;
    read(next);
  }, actions.settle);
  matrices.addEventListener("focusin", ({ target }) => {
    if (target.dataset.head && +target.dataset.head !== state.cell[0] && target.matches(":focus-visible")) read([+target.dataset.head, 0, 0]);
  });
  return { elements: [element, maps], update, show, said: () => cell.textContent };
}
