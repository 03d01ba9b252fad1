// The caller's predictions: newest first, by the API's own cursor, and always up to date.

import { explained, get } from "./api.js";
import { button, h } from "./dom.js";
import { ENDED } from "./run.js";
import { ago, counted, dollars, seconds, spaced, split } from "./words.js";

const FILTERS = ["all", "running", "succeeded", "failed", "canceled"];
const LOOK_AGAIN = 3000; // milliseconds
const RECENT = 8;

export function galleryPage(filter, session) {
  const cards = new Map();
  const list = h("ol", { class: "cards", "aria-label": "Predictions" });
  const more = button("Show more", () => load(next), { kind: "wide" });
  const state = h("p", { class: "empty", hidden: true });
  const tabs = h(
    "nav",
    { class: "segments", "aria-label": "Filter" },
    FILTERS.map((each) => h("a", { href: each === "all" ? "#/gallery" : `#/gallery/${each}`, "aria-current": each === filter ? "page" : null }, h("span", {}, each))),
  );
  const element = h("section", { class: "gallery" }, h("div", { class: "head" }, h("h1", {}, "Gallery"), tabs), list, state, h("div", { class: "end" }, more));
  const first = "/playground/predictions" + (filter === "all" ? "" : `?state=${filter}`);
  let next = first;
  let isLoading = false;
  const seen = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && load(next), { rootMargin: "800px" });
  const timer = setInterval(() => document.hidden || refresh(), LOOK_AGAIN);
  load(first).then(() => seen.observe(more));

  async function load(path) {
    if (!path || isLoading) return;
    isLoading = true;
    try {
      const page = await get(path);
      for (const each of page.results) put(each, list.children.length);
      next = page.next;
      say(cards.size ? null : emptyWords(filter));
    } catch (error) {
      say(explained(error));
    }
    more.hidden = !next;
    isLoading = false;
    // An observer tells of changes alone, and the end of the list may still be in sight.
    if (next && element.isConnected) (seen.unobserve(more), seen.observe(more));
  }

  async function refresh() {
    if (!element.isConnected) return;
    const page = await get(first).catch(() => null);
    if (!page) return;
    const listed = new Set(page.results.map((each) => each.id));
    page.results.forEach((each, at) => put(each, at));
    // What has left this filter since.
    for (const [id, card] of [...cards].slice(0, page.results.length || undefined))
      if (filter === "running" && !listed.has(id)) (card.element.remove(), cards.delete(id));
    if (cards.size) say(null);
  }

  function put(prediction, at) {
    const known = cards.get(prediction.id);
    const stamp = [prediction.status, prediction.data_removed].join();
    if (known?.stamp === stamp) return;
    const made = card(prediction, session);
    if (known) known.element.replaceWith(made);
    else list.insertBefore(made, list.children[at] ?? null);
    cards.set(prediction.id, { stamp, element: made });
  }
  function say(text) {
    state.textContent = text ?? "";
    state.hidden = !text;
  }
  return {
    element,
    leave: () => (clearInterval(timer), seen.disconnect()),
  };
}

export function recentStrip(predictions) {
  const made = predictions.filter((each) => pictures(each).length).slice(0, RECENT);
  if (!made.length) return null;
  return h("section", { class: "recent", "aria-label": "Recent" }, h("h2", {}, "Recent"), h("ol", { class: "cards" }, made.map((each) => card(each, {}))));
}

function card(prediction, session) {
  const made = pictures(prediction);
  const title = String(prediction.input.prompt ?? prediction.model);
  const { metrics } = prediction;
  const took = prediction.started_at && prediction.completed_at;
  const facts = [
    took && seconds((Date.parse(prediction.completed_at) - Date.parse(prediction.started_at)) / 1000),
    metrics.cost_usd !== undefined && dollars(metrics.cost_usd),
    session.operator && prediction.tenant,
    ago(prediction.created_at),
  ].filter(Boolean);
  return h(
    "li",
    { class: "card" },
    h(
      "a",
      { href: `#/p/${prediction.id}` },
      h("div", { class: `cover is-${prediction.status}` }, cover(prediction, made)),
      h("span", { class: "title" }, title),
      h("span", { class: "unseen" }, `, ${words(prediction)}`),
      h("span", { class: "facts" }, facts.map((each) => h("span", {}, each))),
    ),
  );
}

function cover(prediction, made) {
  if (made.length) {
    const image = h("img", { src: made[0].thumbnail, alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("load", () => image.classList.add("loaded"));
    image.addEventListener("error", () => image.replaceWith(h("span", { class: "word" }, made[0].name)));
    return [image, made.length > 1 ? h("span", { class: "count" }, `${made.length}`) : null];
  }
  if (!ENDED.has(prediction.status)) return [h("span", { class: "word running" }, prediction.status === "processing" ? "Drawing" : "Waiting")];
  if (prediction.status === "failed") return [h("span", { class: "word" }, spaced(split(prediction.error).kind) || "Failed")];
  if (prediction.status === "succeeded") return [h("span", { class: "word" }, prediction.data_removed ? "Removed" : "No pictures")];
  return [h("span", { class: "word" }, "Canceled")];
}

function words(prediction) {
  const made = pictures(prediction).length;
  return made > 1 ? `${prediction.status}, ${counted(made, "picture")}` : prediction.status;
}

function pictures(prediction) {
  return [prediction.output ?? []].flat().map((each) => prediction.files[each]).filter(Boolean);
}

function emptyWords(filter) {
  return filter === "all" ? "Nothing has been made yet." : `Nothing here is ${filter}.`;
}
