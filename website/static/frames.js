// A page in a page is as tall as what it shows, as an explorer is in a notebook.

for (const frame of document.querySelectorAll(".explorer iframe, .live-frame")) {
  const fit = () => {
    const page = frame.contentDocument?.body; // none where the file was opened without a server
    if (!page) return;
    const whole = page.ownerDocument.documentElement;
    whole.style.overflowY = "hidden"; // a bar that comes and goes would change the width, and so the height
    new ResizeObserver(() => (frame.style.height = `${whole.offsetHeight}px`)).observe(page);
  };
  frame.addEventListener("load", fit);
  fit();
}
