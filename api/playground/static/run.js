// A prediction from its start to its end: asked for again and again, shown as it changes.

import { ask, explained, Problem } from "./api.js";
import { button, h, speak } from "./dom.js";
import { shownResult } from "./result.js";
import { range, seconds } from "./words.js";

const SOON = 600; // milliseconds between two looks
const LATER = 2000;
const PATIENCE = 60_000; // after which a look now and then will do

export const ENDED = new Set(["succeeded", "failed", "canceled", "aborted"]);

// Shows it in `canvas`; returns what stops that.
export function followed(id, canvas, actions, ended) {
  const ending = new AbortController();
  const began = performance.now();
  let waiting = null;
  follow();
  return () => (ending.abort(), waiting?.stop());

  async function follow() {
    while (!ending.signal.aborted) {
      try {
        const { content, at } = await ask(`/playground/predictions/${id}`, { signal: ending.signal });
        if (ENDED.has(content.status)) return finish(content);
        waiting ??= startWaiting(content, canvas, actions);
        waiting.show(content, at);
      } catch (error) {
        if (ending.signal.aborted) return;
        if (error instanceof Problem && error.status === 404) return canvas.replaceChildren(unknown());
        waiting?.trouble(explained(error));
      }
      const pause = performance.now() - began > PATIENCE ? LATER : SOON;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  function finish(prediction) {
    if (waiting) speak(`The run has ${prediction.status === "succeeded" ? "succeeded" : `ended: ${prediction.status}`}.`);
    waiting?.stop();
    canvas.replaceChildren(shownResult(prediction, actions));
    ended();
  }
}

function unknown() {
  return h("div", { class: "empty" }, h("h1", {}, "There is no such prediction"), h("p", {}, "It belongs to somebody else, or has been removed."));
}

function startWaiting(prediction, canvas, actions) {
  const { expected, usual } = actions.estimate(prediction);
  const state = h("h1", { class: "state" });
  const elapsed = h("span", { class: "elapsed" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Time of the usual" });
  const trouble = h("p", { class: "wrong", hidden: true });
  const logs = h("pre", { class: "logs", tabindex: 0, role: "region", "aria-label": "Log" });
  const cancel = button("Cancel", async () => {
    cancel.disabled = true;
    cancel.lastChild.textContent = "Canceling";
    await ask(`/v1/predictions/${prediction.id}/cancel`, { method: "POST" }).catch((error) => {
      cancel.disabled = false;
      show(explained(error));
    });
  });
  const places = Array.from({ length: expected?.pictures ?? 1 }, () => {
    const place = h("div", { class: "place" });
    const [width, height] = expected?.sizes.length === 1 ? expected.sizes[0] : [1, 1];
    place.style.aspectRatio = `${width} / ${height}`;
    if (expected?.pictures === 1) place.style.width = `min(100%, ${(66 * width) / height}vh)`;
    return place;
  });
  canvas.replaceChildren(
    h("div", { class: "head" }, h("div", {}, state, elapsed), cancel),
    bar,
    trouble,
    h("div", { class: `results of-${Math.min(places.length, 4)}`, "aria-hidden": "true" }, places),
    logs,
  );
  let base = null; // elapsed seconds at a moment of this page's clock
  const timer = setInterval(tick, 200);

  function tick() {
    if (!base) return;
    const passed = Math.max(0, base.seconds + (performance.now() - base.at) / 1000);
    elapsed.textContent = seconds(Math.floor(passed)) + (usual ? ` of usually ${range(...usual, seconds)}` : "");
    if (usual) bar.value = Math.min(passed / Math.max(usual[1], 0.1), 0.97);
    else bar.removeAttribute("value");
  }
  function show(text) {
    trouble.textContent = text ?? "";
    trouble.hidden = !text;
  }
  return {
    show(content, at) {
      show(null);
      const text = content.status === "processing" ? "Drawing" : "Waiting for its turn";
      if (state.textContent !== text) speak(((state.textContent = text), text));
      const running = { seconds: (at - Date.parse(content.created_at)) / 1000, at: performance.now() };
      // The server's clock tells whole seconds, so it is not allowed to set ours back.
      if (!base || Math.abs(running.seconds - base.seconds - (running.at - base.at) / 1000) > 1.5) base = running;
      if (logs.textContent !== content.logs) {
        logs.textContent = content.logs;
        logs.scrollTop = logs.scrollHeight;
      }
      tick();
    },
    trouble: show,
    stop: () => clearInterval(timer),
  };
}
