// The original, as large as the window; SVG too, which runs nothing inside an image.

import { button, h } from "./dom.js";

export function openLarge(pictures, at) {
  const image = h("img", { decoding: "async" });
  const count = h("span", { class: "facts" });
  const dialog = h(
    "dialog",
    { class: "large", "aria-label": "Picture" },
    image,
    h(
      "div",
      { class: "tools" },
      pictures.length > 1 ? button("Previous picture", () => show(at - 1), { kind: "quiet", symbol: "earlier", named: false }) : null,
      count,
      pictures.length > 1 ? button("Next picture", () => show(at + 1), { kind: "quiet", symbol: "later", named: false }) : null,
      button("Close", () => dialog.close(), { kind: "quiet", symbol: "close", named: false }),
    ),
  );
  function show(wanted) {
    at = (wanted + pictures.length) % pictures.length;
    image.src = pictures[at].url;
    image.alt = `Picture ${at + 1} of ${pictures.length}`;
    count.textContent = `${at + 1} of ${pictures.length}`;
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  dialog.addEventListener("click", (event) => (event.target === dialog || event.target === image) && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  show(at);
  dialog.showModal();
}
