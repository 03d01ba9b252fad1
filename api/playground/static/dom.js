// Elements from JavaScript. Text is always text here: nothing is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function drawing(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const ICONS = {
  download: "M8 2v8m0 0 3-3m-3 3L5 7M3 13h10",
  reuse: "M3 8h9m0 0L8.5 4.5M12 8l-3.5 3.5",
  close: "M4 4l8 8m0-8-8 8",
  earlier: "M10 3 5 8l5 5",
  later: "M6 3l5 5-5 5",
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  picture: "M2.5 3h11v10h-11zM2.5 11l3-3 2.5 2.5L11 7l2.5 2.5",
};

export function icon(name) {
  const path = drawing("path", { d: ICONS[name] });
  return drawing("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}

export function button(label, onclick, { kind = "", symbol, named = true, ...rest } = {}) {
  const content = named ? [label] : [];
  const about = named ? {} : { "aria-label": label, title: label };
  if (symbol) content.unshift(icon(symbol));
  return h("button", { type: "button", class: `button ${kind}`, onclick, ...about, ...rest }, content);
}

// Tells screen readers what has changed elsewhere on the page.
export function speak(text) {
  document.getElementById("spoken").textContent = text;
}
