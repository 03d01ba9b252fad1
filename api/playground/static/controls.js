// One control for each kind of input. Each has `element`, `get`, `set` and `focus`; `get` gives
// undefined where nothing was chosen.

import { h } from "./dom.js";
import { ratioOf } from "./schema.js";

const SEGMENTS = 5;
const LONGEST_SLIDER = 1000;

export function controlFor(field, id, changed) {
  if (field.choices) return choice(field, id, changed);
  if (field.type === "boolean") return toggle(field, id, changed);
  if (field.type === "integer" || field.type === "number") return number(field, id, changed);
  if (field.type === "string" && !field.many) return text(field, id, changed);
  return json(field, id, changed);
}

function choice(field, id, changed) {
  const shapes = field.choices.filter((each) => ratioOf(String(each)));
  if (shapes.length > 2) return shape(field, id, changed);
  if (field.choices.length <= SEGMENTS) return segments(field, field.choices, id, changed);
  return select(field, field.choices, id, changed);
}

function segments(field, choices, id, changed, drawn = (each) => [String(each)]) {
  const radios = choices.map((value) =>
    h("input", { type: "radio", name: id, value: String(value), onchange: changed }),
  );
  const labels = radios.map((radio, at) => h("label", {}, radio, h("span", {}, drawn(choices[at]))));
  const element = h("div", { class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label` }, labels);
  const chosen = () => radios.findIndex((radio) => radio.checked);
  return {
    element,
    get: () => choices[chosen()],
    set: (value) => radios.forEach((radio) => (radio.checked = radio.value === String(value))),
    focus: () => (radios[chosen()] ?? radios[0]).focus(),
  };
}

function select(field, choices, id, changed, empty = null) {
  const options = choices.map((value) => h("option", { value: String(value) }, String(value)));
  if (empty !== null || (!field.required && field.fallback === null))
    options.unshift(h("option", { value: "" }, empty ?? "not set"));
  const element = h("select", { id, onchange: changed }, options);
  return {
    element,
    get: () => choices.find((value) => String(value) === element.value),
    set: (value) => (element.value = value ?? ""),
    focus: () => element.focus(),
  };
}

// Ratios as little drawings, exact sizes in a list beside them: the last one chosen counts.
function shape(field, id, changed) {
  const isExact = (each) => /^\d+x\d+$/.test(String(each));
  const ratios = field.choices.filter((each) => !isExact(each));
  const exact = field.choices.filter(isExact);
  const tiles = segments(field, ratios, id, () => (sizes?.set(""), changed()), tile);
  tiles.element.classList.add("shapes");
  const sizes = exact.length ? select(field, exact, `${id}-exact`, picked, "Exact size") : null;
  sizes?.element.setAttribute("aria-label", `${field.label}, exact size`);
  function picked() {
    tiles.set(sizes.get() === undefined ? ratios[0] : null);
    changed();
  }
  return {
    element: h("div", { class: "shape" }, tiles.element, sizes?.element),
    get: () => sizes?.get() ?? tiles.get(),
    set: (value) => (tiles.set(value), sizes?.set(exact.includes(value) ? value : "")),
    focus: () => (sizes?.get() ? sizes.focus() : tiles.focus()),
  };
}

function tile(choice) {
  const ratio = ratioOf(String(choice));
  const drawn = h("i", { class: ratio ? "ratio" : "ratio any", "aria-hidden": "true" });
  if (ratio) {
    drawn.style.width = `${ratio >= 1 ? 20 : 20 * ratio}px`;
    drawn.style.height = `${ratio >= 1 ? 20 / ratio : 20}px`;
  }
  return [drawn, String(choice)];
}

function number(field, id, changed) {
  const { minimum, maximum, type } = field;
  const isSlider = maximum - minimum <= LONGEST_SLIDER && type === "integer";
  const step = type === "integer" ? 1 : "any";
  const input = h("input", { id, type: isSlider ? "range" : "number", min: minimum, max: maximum, step });
  const shown = h("output", { for: id });
  const show = () => (shown.value = input.value);
  input.addEventListener("input", () => (show(), changed()));
  return {
    element: isSlider ? h("div", { class: "slider" }, input, shown) : input,
    get: () => (input.value === "" ? undefined : Number(input.value)),
    set: (value) => ((input.value = value ?? ""), show()),
    focus: () => input.focus(),
  };
}

function text(field, id, changed) {
  const isLong = field.required || field.name.includes("prompt");
  const element = field.secret
    ? h("input", { id, type: "password", autocomplete: "off", spellcheck: "false" })
    : h(isLong ? "textarea" : "input", { id, rows: isLong ? 4 : null, type: isLong ? null : "text" });
  element.addEventListener("input", () => changed());
  return {
    element,
    get: () => (element.value === "" ? undefined : element.value),
    set: (value) => (element.value = value ?? ""),
    focus: () => element.focus(),
  };
}

function toggle(field, id, changed) {
  const element = h("input", { id, type: "checkbox", class: "toggle", onchange: changed });
  return {
    element,
    get: () => element.checked,
    set: (value) => (element.checked = value === true),
    focus: () => element.focus(),
  };
}

// Lists and objects of other models, as they are written in JSON.
function json(field, id, changed) {
  const element = h("textarea", { id, rows: 3, class: "code", placeholder: "JSON", oninput: changed });
  return {
    element,
    get: () => (element.value.trim() ? parsed(element.value) : undefined),
    set: (value) => (element.value = value === null || value === undefined ? "" : JSON.stringify(value)),
    focus: () => element.focus(),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text; // which the API refuses with a sentence of its own
  }
}
