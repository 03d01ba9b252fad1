// Files as inputs: picked, pasted or dropped, with small pictures of them and an order.

import { upload } from "./api.js";
import { button, h, icon, speak } from "./dom.js";
import { bytes } from "./words.js";

const EDGE = 176; // pixels of a small picture, for screens with two a dot

export function picturesControl(field, id, changed) {
  let items = [];
  const input = h("input", {
    id,
    type: "file",
    class: "unseen",
    multiple: field.many,
    accept: "image/*",
    "aria-describedby": `${id}-hint`,
    onchange: () => (add([...input.files]), (input.value = "")),
  });
  const list = h("ol", { class: "pictures", "aria-label": field.label });
  const zone = h(
    "label",
    { class: "zone", for: id },
    icon("picture"),
    h("span", {}, field.many ? "Drop, paste or choose pictures" : "Drop, paste or choose a picture"),
  );
  const element = h("div", { class: "files" }, list, input, zone);

  function add(files) {
    addItems(files.map((file) => ({ file, name: file.name, detail: bytes(file.size) })));
  }
  function addItems(added) {
    if (!added.length) return;
    items = field.many ? [...items, ...added] : added.slice(0, 1);
    speak(`${field.label}: ${items.length} chosen.`);
    show();
  }
  function move(from, to) {
    if (to < 0 || to >= items.length) return;
    const [item] = items.splice(from, 1);
    items.splice(to, 0, item);
    speak(`${item.name} is now number ${to + 1}.`);
    show();
    list.children[to].querySelector(`[data-move="${to > from ? "later" : "earlier"}"]`)?.focus();
  }
  function remove(at) {
    items.splice(at, 1);
    show();
    (list.children[Math.min(at, items.length - 1)]?.querySelector("button") ?? input).focus();
  }
  function show() {
    list.replaceChildren(...items.map(shown));
    changed();
  }
  function shown(item, at) {
    item.picture ??= smallPicture(item);
    const tools = [
      items.length > 1 && tool("Move earlier", "earlier", () => move(at, at - 1)),
      items.length > 1 && tool("Move later", "later", () => move(at, at + 1)),
      tool("Remove", "close", () => remove(at)),
    ].filter(Boolean);
    const row = h("li", { class: "chosen", draggable: items.length > 1 ? "true" : null, title: item.name }, item.picture, tools);
    row.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-place", String(at)));
    row.addEventListener("dragover", (event) => event.preventDefault());
    row.addEventListener("drop", (event) => {
      const from = event.dataTransfer.getData("text/x-place");
      if (from === "") return;
      event.preventDefault();
      event.stopPropagation();
      move(Number(from), at);
    });
    function tool(label, symbol, act) {
      return button(`${label}: ${item.name}`, act, { kind: "tiny", symbol, named: false, "data-move": symbol });
    }
    return row;
  }

  return {
    element,
    add,
    addItems,
    get: () => (items.length ? (field.many ? items.map(stand) : stand(items[0])) : undefined),
    set: (value) => {
      items = [value ?? []].flat().map(ofAddress);
      show();
    },
    focus: () => input.focus(),
    // Uploads what is not at the API yet, so that `get` then gives addresses alone.
    async send(tell) {
      for (const [at, item] of items.entries()) {
        if (item.url) continue;
        tell(`Uploading ${item.name} (${at + 1} of ${items.length})`);
        item.url = await upload(item.file);
      }
    },
  };
}

export function ofAddress(url) {
  const absolute = new URL(url, location.origin).href;
  const name = decodeURIComponent(absolute.split("/").pop().split("?")[0]) || "picture";
  return { url: absolute, name: name.startsWith("data:") ? "picture" : name };
}

// Before it is uploaded a file has no address, and its name stands for it.
function stand(item) {
  return item.url ?? item.name;
}

function smallPicture(item) {
  if (!item.file) {
    const image = h("img", { alt: item.name, src: item.small ?? smallOf(item.url), decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(nameless(item)));
    return image;
  }
  const canvas = h("canvas", { role: "img", "aria-label": item.name, width: EDGE, height: EDGE });
  draw(item.file, canvas).catch(() => canvas.replaceWith(nameless(item)));
  return canvas;
}

function smallOf(url) {
  const path = new URL(url);
  const isOurs = path.origin === location.origin && path.pathname.startsWith("/files/");
  return isOurs ? `/playground/thumbnail${path.pathname}` : "data:,";
}

async function draw(file, canvas) {
  // Decoded and scaled outside the page's own thread.
  const whole = await createImageBitmap(file, { resizeHeight: EDGE, resizeQuality: "medium" });
  const scale = Math.max(EDGE / whole.width, EDGE / whole.height);
  const [width, height] = [whole.width * scale, whole.height * scale];
  canvas.getContext("2d").drawImage(whole, (EDGE - width) / 2, (EDGE - height) / 2, width, height);
  whole.close();
}

function nameless(item) {
  return h("span", { class: "nameless" }, item.name);
}
