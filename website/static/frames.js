// A page in a page is as tall as what it shows, as an explorer is in a notebook.

for (const frame of document.querySelectorAll(".explorer iframe")) {
  const fit = () => {
    const page = frame.contentDocument?.body; // none where the file was opened without a server
    if (!page) return;
    const grow = () => (frame.style.height = `${Math.ceil(page.ownerDocument.documentElement.offsetHeight) + 2}px`);
    new ResizeObserver(grow).observe(page);
  };
  frame.addEventListener("load", fit);
  fit();
}
