// Signing in, and which view the address means.

import { explained, get, session } from "./api.js";
import { createPage, nameOf } from "./create.js";
import { button, h } from "./dom.js";
import { loadPrices } from "./estimate.js";
import { galleryPage } from "./gallery.js";
import { overviewPage } from "./overview.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const account = document.getElementById("account");
let view = null;
let create = null;
let known = null; // the session, once signed in
let ending = new AbortController();

document.getElementById("skip").addEventListener("click", () => main.focus());
session.onRefused(() => signOut("The token is not valid here, or not any more; sign in with another one."));
addEventListener("hashchange", show);
start();

async function start() {
  if (!session.token) return signIn();
  try {
    const [about, models] = await Promise.all([get("/playground/session"), get("/v1/models"), loadPrices()]);
    known = { ...about, signal: ending.signal };
    create = createPage(models.results, known);
    document.getElementById("model").textContent = models.results.length === 1 ? nameOf(models.results[0]) : "Playground";
    show();
  } catch (error) {
    if (!session.token) return; // refused, and said so already
    signIn(explained(error));
  }
}

function show() {
  if (!known) return;
  const [, name = "", argument] = location.hash.split("/");
  view?.leave();
  if (name === "gallery") view = galleryPage(argument ?? "all", known);
  else if (name === "overview" && known.operator) view = overviewPage();
  else view = create;
  header(view === create ? "" : name);
  if (main.firstChild !== view.element) main.replaceChildren(view.element);
  if (view === create) create.show(name === "p" ? argument : null);
  else scrollTo(0, 0);
}

function header(current) {
  const pages = [["", "Create"], ["gallery", "Gallery"]];
  if (known.operator) pages.push(["overview", "Overview"]);
  nav.hidden = false;
  nav.replaceChildren(...pages.map(([name, label]) => h("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, label)));
  account.replaceChildren(h("span", { class: "tenant" }, known.tenant), button("Sign out", () => signOut(), { kind: "quiet" }));
}

function signOut(said) {
  session.token = null;
  sessionStorage.clear();
  ending.abort();
  ending = new AbortController();
  view?.leave();
  view = create = known = null;
  location.hash = "";
  signIn(said);
}

function signIn(said = "") {
  nav.hidden = true;
  account.replaceChildren();
  const input = h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "token-hint token-wrong" });
  const wrong = h("p", { class: "wrong", id: "token-wrong", role: "alert" }, said);
  const form = h(
    "form",
    { class: "sign-in" },
    h("h1", {}, "Sign in"),
    h("p", { class: "note", id: "token-hint" }, "With a token of this API. It stays in this tab and is gone when you close it."),
    h("label", { class: "label", for: "token" }, "Token"),
    input,
    wrong,
    h("button", { type: "submit", class: "button primary wide" }, "Sign in"),
    h("p", { class: "note small" }, "The first start wrote one to the file ", h("code", {}, "token"), " in its data directory; ", h("code", {}, "python -m api token create NAME"), " makes others."),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = input.value.trim();
    wrong.textContent = "";
    // Anything else could not be a header, and the browser would refuse it in words of its own.
    if (!/^[\x21-\x7e]+$/.test(token)) return void (wrong.textContent = "That is not a token; copy it again and paste it here.");
    session.token = token;
    await start();
  });
  main.replaceChildren(form);
  input.focus();
}
