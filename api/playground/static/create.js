// The page's main view: the form on one side, what comes of it on the other.

import { ask, explained, get, Problem, Unreachable } from "./api.js";
import { button, h, speak } from "./dom.js";
import { estimate, usualSeconds } from "./estimate.js";
import { createForm } from "./form.js";
import { ofAddress } from "./pictures.js";
import { recentStrip } from "./gallery.js";
import { followed } from "./run.js";
import { fieldsOf } from "./schema.js";
import { dollars, range, seconds } from "./words.js";

const DRAFT = "playground.draft";
const NARROW = "(max-width: 900px)"; // where the canvas is below the form

export function createPage(models, session) {
  let model = models[0];
  let form;
  let recent = [];
  let stop = () => {};
  const about = h("p", { class: "estimate", id: "estimate" });
  const said = h("p", { class: "said", role: "alert" });
  const run = button("Run", start, { kind: "primary", "aria-describedby": "estimate" });
  const fields = h("div");
  const picker = h("select", { id: "picker", onchange: () => pick(picker.value) }, models.map((each) => h("option", {}, nameOf(each))));
  const panel = h(
    "form",
    { class: "panel", "aria-label": "Inputs", onsubmit: (event) => (event.preventDefault(), start()) },
    models.length > 1 ? h("div", { class: "field" }, h("label", { class: "label", for: "picker" }, "Model"), picker) : null,
    fields,
    h("div", { class: "go" }, said, h("div", { class: "line" }, about, run)),
  );
  const canvas = h("section", { class: "canvas", "aria-label": "Result" });
  const element = h("div", { class: "work" }, panel, canvas);

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) (event.preventDefault(), start());
  });
  takeFiles(element, () => form.files[0], session.signal);
  pick(nameOf(model), draft());

  function pick(name, values) {
    const kept = values ?? form.values();
    model = models.find((each) => nameOf(each) === name) ?? model;
    picker.value = nameOf(model);
    form = createForm(fieldsOf(model.latest_version.openapi_schema), changed);
    fields.replaceChildren(form.element);
    form.set(kept);
    changed();
  }

  function changed() {
    if (!form) return;
    said.textContent = "";
    const values = form.values();
    const expected = estimate(form.defaults.model ?? model.name, values);
    about.replaceChildren(...told(expected, usual(values)));
    sessionStorage.setItem(DRAFT, JSON.stringify(form.draft()));
  }
  function usual(values) {
    return usualSeconds(estimate(form.defaults.model ?? model.name, values), values, recent, form.defaults);
  }

  async function start() {
    form.clear();
    if (form.missing() || run.disabled) return;
    run.disabled = true;
    try {
      await form.send((text) => (said.textContent = text));
      await create({ ...form.values(), ...form.secrets() });
      said.textContent = "";
    } catch (error) {
      refused(error);
    } finally {
      run.disabled = false;
    }
  }

  async function create(input) {
    const path = `/v1/models/${nameOf(model)}/predictions`;
    const { content } = await ask(path, { method: "POST", json: { input } });
    speak("Started.");
    location.hash = `#/p/${content.id}`;
  }

  function refused(error) {
    const mine = error instanceof Problem ? error.fields : [];
    const unplaced = mine.filter(({ field, description }) => {
      const name = field.split(".")[1] ?? description.split(" ")[0];
      return !form.wrong(name, `${description}.`);
    });
    if (mine.length && !unplaced.length) said.textContent = "Look at what is marked above.";
    else if (error instanceof Unreachable)
      said.textContent = "The connection broke; look into the gallery before you run it again, it may have begun.";
    else said.textContent = explained(error);
  }

  const actions = {
    estimate: (prediction) => {
      const input = prediction.input;
      const name = form.defaults.model ?? prediction.model.split("/").pop();
      const expected = estimate(name, input);
      return { expected, usual: usualSeconds(expected, input, recent, form.defaults) };
    },
    edit(prediction) {
      if (models.length > 1) pick(prediction.model, {});
      form.set(prediction.input);
      changed();
      panel.scrollIntoView({ block: "start" });
      form.focus(Object.keys(prediction.input).find((name) => name.includes("prompt")) ?? Object.keys(form.defaults)[0]);
      speak("The form has these inputs now.");
    },
    async again(prediction) {
      const input = { ...prediction.input };
      const hidden = Object.keys(input).filter((name) => input[name] === "[REDACTED]");
      const secrets = form.secrets();
      const absent = hidden.find((name) => !secrets[name]);
      if (absent) return form.wrong(absent, "It was used for that run and is not kept; enter it again.");
      for (const name of hidden) input[name] = secrets[name];
      for (const [name, value] of Object.entries(input)) input[name] = absolute(value);
      try {
        await create(input);
      } catch (error) {
        refused(error);
      }
    },
    useAsInput: form.files.length
      ? (url, small) => {
          form.files[0].addItems([{ ...ofAddress(url), small }]);
          panel.scrollIntoView({ block: "start" });
          form.files[0].focus();
        }
      : null,
    session,
  };

  async function look() {
    recent = (await get("/playground/predictions").catch(() => ({ results: recent }))).results;
    changed();
  }

  return {
    element,
    async show(id) {
      stop();
      canvas.replaceChildren();
      stop = id ? followed(id, canvas, actions, look) : () => {};
      if (id && matchMedia(NARROW).matches) canvas.scrollIntoView();
      await look();
      if (!id && canvas.isConnected && !canvas.children.length) canvas.append(...welcome(recent));
    },
    leave: () => stop(),
  };
}

export function nameOf(model) {
  return `${model.owner}/${model.name}`;
}

function told(expected, usual) {
  const parts = [];
  if (expected?.sizes.length === 1) parts.push(h("b", {}, expected.sizes[0].join(" × ")));
  else if (expected) parts.push(h("span", {}, "Size as the model picks"));
  if (expected) parts.push(h("span", {}, `about ${range(...expected.dollars, dollars)}`));
  if (usual) parts.push(h("span", {}, `usually ${range(...usual, seconds)}`));
  return parts;
}

function welcome(recent) {
  const strip = recentStrip(recent);
  return [
    h("div", { class: "welcome" }, h("h1", {}, "What shall it be?"), h("p", {}, "Describe it, then run. The pictures come here.")),
    strip,
  ].filter(Boolean);
}

function draft() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT)) ?? {};
  } catch {
    return {};
  }
}

function absolute(value) {
  if (Array.isArray(value)) return value.map(absolute);
  return typeof value === "string" && value.startsWith("/files/") ? new URL(value, location.origin).href : value;
}

// Pictures that are dropped or pasted anywhere on the view.
function takeFiles(element, control, signal) {
  const of = (transfer) => [...(transfer?.files ?? [])];
  document.addEventListener("paste", (event) => {
    if (!element.isConnected || !of(event.clipboardData).length) return;
    event.preventDefault();
    control()?.add(of(event.clipboardData));
  }, { signal });
  const hover = (on) => element.classList.toggle("dropping", on);
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    hover(true);
  });
  element.addEventListener("dragleave", (event) => event.relatedTarget === null && hover(false));
  element.addEventListener("drop", (event) => {
    hover(false);
    if (!of(event.dataTransfer).length) return;
    event.preventDefault();
    control()?.add(of(event.dataTransfer));
  });
}
