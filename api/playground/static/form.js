// The form, built from the fields of a model's schema.

import { controlFor } from "./controls.js";
import { h } from "./dom.js";
import { picturesControl } from "./pictures.js";
import { grouped } from "./schema.js";

// Lists and objects are compared by what is in them.
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export function createForm(fields, changed) {
  const controls = new Map();
  const { first, more, secrets } = grouped(fields);
  const element = h("div", { class: "fields" }, first.map(row));
  if (secrets.length)
    element.append(
      h(
        "details",
        { class: "group" },
        h("summary", {}, "Your own key"),
        h("p", { class: "note" }, "Goes with this run alone: it is not kept by this page, nor shown again."),
        secrets.map(row),
      ),
    );
  if (more.length)
    element.append(h("details", { class: "group" }, h("summary", {}, "More options"), more.map(row)));

  function row(field) {
    const id = `input-${field.name}`;
    const make = field.file ? picturesControl : controlFor;
    const control = make(field, id, changed);
    controls.set(field.name, { field, control });
    const isGroup = control.element.matches(".segments, .shape");
    const label = isGroup
      ? h("span", { class: "label", id: `${id}-label` }, field.label)
      : h("label", { class: "label", for: id }, field.label);
    if (field.required) label.append(h("span", { class: "needed" }, " required"));
    const hint = h("p", { class: "hint", id: `${id}-hint` }, field.hint);
    const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
    for (const part of control.element.matches("input, textarea, select") ? [control.element] : [])
      part.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
    control.set(field.fallback);
    return h("div", { class: `field of-${field.file ? "files" : field.type}` }, label, control.element, wrong, hint);
  }

  const chosen = (isWanted) => {
    const values = {};
    for (const [name, { field, control }] of controls) {
      const value = control.get();
      if (isWanted(field) && value !== undefined && (field.required || !isSame(value, field.fallback)))
        values[name] = value;
    }
    return values;
  };
  const place = (name) => controls.get(name);

  return {
    element,
    // What differs from the schema's defaults, without secrets.
    values: () => chosen((field) => !field.secret),
    draft: () => chosen((field) => !field.secret && !field.file),
    secrets: () => chosen((field) => field.secret),
    defaults: Object.fromEntries(fields.map((field) => [field.name, field.fallback])),
    files: fields.filter((field) => field.file).map((field) => place(field.name).control),
    // Everything but the secrets, which no prediction gives back.
    set(values) {
      for (const [name, { field, control }] of controls)
        if (!field.secret) control.set(values[name] ?? field.fallback);
      if (more.some((field) => values[field.name] !== undefined && !isSame(values[field.name], field.fallback)))
        element.querySelector("details:last-of-type").open = true;
    },
    async send(tell) {
      for (const { field, control } of controls.values()) if (field.file) await control.send(tell);
    },
    // The first required field that is empty, with the focus on it.
    missing() {
      const found = [...controls.values()].find(({ field, control }) => field.required && control.get() === undefined);
      if (found) wrong(found.field.name, `${found.field.label} is needed.`);
      return found?.field ?? null;
    },
    clear() {
      for (const part of element.querySelectorAll(".wrong")) part.hidden = true;
    },
    wrong,
    focus: (name) => reveal(name)?.focus(),
  };

  function wrong(name, sentence) {
    const control = reveal(name);
    if (!control) return false;
    const part = document.getElementById(`input-${name}-wrong`);
    part.textContent = sentence;
    part.hidden = false;
    control.focus();
    return true;
  }

  function reveal(name) {
    const found = place(name)?.control;
    const group = found?.element.closest("details");
    if (group) group.open = true;
    return found;
  }
}
