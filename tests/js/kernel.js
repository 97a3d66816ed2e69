// A model as an explorer has it in a notebook, for tests: `answer` is what the kernel would send, `heard` what it got.
async ([module, state]) => {
  const revive = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (typeof value.dtype === "string") {
      const bytes = Uint8Array.from(atob(value.data), (c) => c.charCodeAt(0));
      return { ...value, data: new DataView(bytes.buffer) };
    }
    return Array.isArray(value) ? value.map(revive) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
  };
  const values = revive(state), listeners = {};
  window.heard = [];
  window.model = {
    get: (name) => values[name],
    set: (name, value) => {
      if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
      values[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: () => {},
    save_changes: () => heard.push(structuredClone([values.intervention, values.draft])),
    answer: (result) => window.model.set("result", revive(result)),
  };
  // A page that waits for seconds takes its kernel for gone: how long a test takes to answer is no matter here.
  const { setTimeout } = window;
  window.setTimeout = (act, ms, ...given) => (ms >= 10000 ? 0 : setTimeout(act, ms, ...given));
  const { default: lab } = await import(`data:text/javascript;base64,${module}`);
  const el = document.body.appendChild(document.createElement("main"));
  lab.render({ model: window.model, el });
}
