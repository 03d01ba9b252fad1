// For operators: the queue, what was spent, by whom, and why predictions failed.

import { explained, get } from "./api.js";
import { drawing, h } from "./dom.js";
import { bytes, dollars, seconds } from "./words.js";

const LOOK_AGAIN = 5000; // milliseconds
const WIDTH = 700;
const HEIGHT = 160;

export function overviewPage() {
  const content = h("div", { class: "overview" }, h("h1", {}, "Overview"));
  const timer = setInterval(() => document.hidden || look(), LOOK_AGAIN);
  let shown = "";
  look();

  async function look() {
    try {
      const found = await get("/playground/overview");
      const stamp = JSON.stringify(found);
      if (stamp === shown) return;
      shown = stamp;
      content.replaceChildren(h("h1", {}, "Overview"), ...parts(found));
    } catch (error) {
      content.replaceChildren(h("h1", {}, "Overview"), h("p", { class: "wrong" }, explained(error)));
    }
  }
  return { element: content, leave: () => clearInterval(timer) };
}

function parts({ queue, slots, days, tenants, failures }) {
  const oldest = queue.oldest_seconds;
  const today = days[days.length - 1].dollars;
  return [
    h(
      "dl",
      { class: "tiles" },
      tile("Waiting", String(queue.waiting), oldest === null ? "nobody waits" : `the first for ${seconds(oldest)}`),
      tile("Running", String(queue.running), `of ${slots} at a time`),
      tile("Spent today", dollars(today), "UTC; what runs is reserved"),
      tile("Failed", String(failures.reduce((sum, each) => sum + each.count, 0)), "in the last 7 days"),
    ),
    h("section", {}, h("h2", {}, "Spend a day"), chart(days)),
    h("section", {}, h("h2", {}, "Tenants"), tenantTable(tenants)),
    h("section", {}, h("h2", {}, "Failures by class"), failures.length ? failureTable(failures) : h("p", { class: "note" }, "None in the last 7 days.")),
  ];
}

function tile(name, value, about) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("span", {}, about)));
}

function chart(days) {
  const most = Math.max(...days.map((each) => each.dollars), 0.01);
  const step = WIDTH / days.length;
  const bars = days.map((each, at) => {
    const height = Math.max((each.dollars / most) * HEIGHT, each.dollars ? 2 : 0);
    const title = drawing("title");
    title.textContent = `${dayName(each.day)}: ${dollars(each.dollars)}`;
    return drawing("rect", { x: at * step + step * 0.15, y: HEIGHT - height, width: step * 0.7, height, rx: 3 }, title);
  });
  const total = days.reduce((sum, each) => sum + each.dollars, 0);
  const label = `${dollars(total)} in ${days.length} days, most on one day ${dollars(most)}`;
  const line = drawing("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT });
  return h(
    "figure",
    { class: "chart" },
    drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 1}`, role: "img", "aria-label": label, preserveAspectRatio: "none" }, line, ...bars),
    h("figcaption", {}, h("span", {}, dayName(days[0].day)), h("span", {}, label), h("span", {}, "today")),
  );
}

function dayName(day) {
  return new Date(day * 1000).toLocaleDateString("en", { month: "short", day: "numeric", timeZone: "UTC" });
}

function tenantTable(tenants) {
  const head = ["Tenant", "Unfinished", "Predictions", "Last 24 hours", "All", "Stored"];
  const rows = tenants.map((each) => [
    each.name + (each.operator ? " (operator)" : ""),
    String(each.unfinished),
    each.predictions.toLocaleString("en"),
    dollars(each.dollars_today) + (each.dollars_a_day === null ? "" : ` of ${dollars(each.dollars_a_day)}`),
    dollars(each.dollars),
    bytes(each.bytes),
  ]);
  return table("Tenants", head, rows);
}

function failureTable(failures) {
  const rows = failures.map((each) => [each.class ?? "not classed by the model", each.count.toLocaleString("en")]);
  return table("Failures", ["Class", "Number"], rows);
}

function table(label, head, rows) {
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": label },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", {}, rows.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row" }, name), cells.map((each) => h("td", {}, each))))),
    ),
  );
}
