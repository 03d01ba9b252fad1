// A prediction that has ended: its pictures, its figures, or its error; and its code.

import { get } from "./api.js";
import { button, h, icon } from "./dom.js";
import { openLarge } from "./large.js";
import { codeOf } from "./snippets.js";
import { bytes, counted, dollars, kindOf, nameOf, seconds, split } from "./words.js";

const HEAVY = 1_500_000; // bytes from which a preview stands for the original
const BETWEEN = 250; // milliseconds between two downloads, which a browser else takes for one

export function shownResult(prediction, actions) {
  const outputs = prediction.output === null ? [] : [prediction.output].flat();
  const pictures = outputs.filter((each) => prediction.files[each]);
  const others = outputs.filter((each) => !prediction.files[each]);
  const parts = [head(prediction, actions, pictures)];
  if (prediction.status === "failed") parts.push(failure(prediction));
  if (prediction.status === "canceled") parts.push(note("Canceled", prediction.error ?? "Nothing more happens here; run it again whenever you like."));
  if (prediction.data_removed) parts.push(note("Its data has been removed", `Inputs and pictures are kept for ${seconds(actions.session.retention_seconds)} after the end.`));
  if (pictures.length) parts.push(grid(prediction, pictures, actions));
  for (const each of others) parts.push(h("pre", { class: "logs" }, typeof each === "string" ? each : JSON.stringify(each, null, 2)));
  parts.push(figures(prediction), inputs(prediction));
  if (!prediction.data_removed) parts.push(codeOf(prediction));
  if (prediction.logs) parts.push(h("details", { class: "group" }, h("summary", {}, "Log"), h("pre", { class: "logs" }, prediction.logs)));
  return h("article", { class: "result" }, parts);
}

function head(prediction, actions, pictures) {
  const title = String(prediction.input.prompt ?? prediction.model);
  const tools = [];
  if (!prediction.data_removed)
    tools.push(
      button("Run again", () => actions.again(prediction), { symbol: "again" }),
      button("Edit inputs", () => actions.edit(prediction)),
    );
  if (pictures.length > 1) tools.push(button("Download all", () => downloadAll(prediction, pictures), { symbol: "download" }));
  return h("div", { class: "head" }, h("h1", { class: "prompt", title }, title), h("div", { class: "tools" }, tools));
}

function failure(prediction) {
  const { kind, sentence } = split(prediction.error);
  const billed = prediction.metrics.may_have_been_billed === true;
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("p", { class: "sentence" }, sentence),
    h("p", { class: "kind" }, kind, billed ? h("span", { class: "badge" }, "may have been billed") : null),
  );
}

function note(title, text) {
  return h("div", { class: "notice" }, h("b", {}, title), h("p", {}, text));
}

function grid(prediction, pictures, actions) {
  return h(
    "div",
    { class: `results of-${Math.min(pictures.length, 4)}` },
    pictures.map((url, at) => figure(prediction, url, at, pictures, actions)),
  );
}

function figure(prediction, url, at, pictures, actions) {
  const file = prediction.files[url];
  const label = `Picture ${at + 1} of ${pictures.length}`;
  const size = h("span", {}, file.width ? `${file.width} × ${file.height}` : "");
  const open = () => openLarge(pictures.map((each) => ({ url: each, ...prediction.files[each] })), at);
  const picture = file.type.startsWith("image/")
    ? h("button", { type: "button", class: "picture", "aria-label": `${label}, larger`, onclick: open }, image(prediction.id, file, url, label, size))
    : h("a", { class: "picture nameless", href: url, download: file.name }, icon("download"), file.name);
  const tools = [
    actions.useAsInput && button(`Use ${label.toLowerCase()} as input`, () => actions.useAsInput(url, file.thumbnail), { kind: "quiet", symbol: "reuse", named: false }),
    h("a", { class: "button quiet", href: url, download: file.name, "aria-label": `Download ${label.toLowerCase()}`, title: "Download" }, icon("download")),
  ].filter(Boolean);
  return h(
    "figure",
    { class: "made" },
    picture,
    h("figcaption", {}, h("span", { class: "facts" }, size, h("span", {}, kindOf(file.type)), h("span", {}, bytes(file.bytes))), h("span", { class: "tools" }, tools)),
  );
}

function image(id, file, url, alt, size) {
  const isHeavy = file.bytes > HEAVY;
  const shown = h("img", { alt, src: isHeavy ? file.preview : url, decoding: "async" });
  if (file.width) shown.style.aspectRatio = `${file.width} / ${file.height}`;
  shown.addEventListener("load", () => {
    shown.classList.add("loaded");
    if (!isHeavy) size.textContent = `${shown.naturalWidth} × ${shown.naturalHeight}`;
  });
  // The size of what the preview was made from is known to the API once it has made it.
  if (isHeavy && !file.width) shown.addEventListener("load", () => askSize(id, url, size), { once: true });
  return shown;
}

async function askSize(id, url, size) {
  const file = (await get(`/playground/predictions/${id}`)).files[url];
  if (file?.width) size.textContent = `${file.width} × ${file.height}`;
}

function figures(prediction) {
  const { metrics } = prediction;
  const took = prediction.started_at && (Date.parse(prediction.completed_at) - Date.parse(prediction.started_at)) / 1000;
  const input = metrics.token_input_count;
  const output = metrics.token_output_count;
  const rows = [
    ["Time", took ? seconds(took) : null],
    ["Cost", metrics.cost_usd === undefined ? null : dollars(metrics.cost_usd)],
    ["Tokens in", input?.toLocaleString("en")],
    ["Tokens out", output?.toLocaleString("en")],
    ["Made", new Date(prediction.created_at).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })],
    ["For", prediction.tenant],
  ].filter(([, value]) => value);
  return h("dl", { class: "figures" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function inputs(prediction) {
  const given = Object.entries(prediction.input).filter(([name, value]) => name !== "prompt" && value !== null);
  if (!given.length) return null;
  const shown = (value) => {
    const list = [value].flat().map((each) => {
      const file = prediction.files[each];
      return file ? h("img", { class: "small", src: file.thumbnail, alt: file.name, decoding: "async" }) : h("span", {}, String(each?.toString() === "[object Object]" ? JSON.stringify(each) : each));
    });
    return h("dd", {}, list);
  };
  return h("dl", { class: "figures inputs" }, given.map(([name, value]) => h("div", {}, h("dt", {}, nameOf(name)), shown(value))));
}

async function downloadAll(prediction, pictures) {
  for (const url of pictures) {
    const link = h("a", { href: url, download: prediction.files[url].name });
    document.body.append(link);
    link.click();
    link.remove();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
}
