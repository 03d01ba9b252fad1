// Every request of this page: to its own origin, with the token that signed it in.

const TOKEN = "playground.token";

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail?.trim() || `The API answered ${status}.`);
    this.status = status;
    this.fields = body?.invalid_fields ?? [];
  }
}

export class Unreachable extends Error {
  constructor() {
    super("The API cannot be reached; check the connection.");
  }
}

let whenRefused = () => {};

export const session = {
  get token() {
    return sessionStorage.getItem(TOKEN);
  },
  set token(value) {
    if (value) sessionStorage.setItem(TOKEN, value);
    else sessionStorage.removeItem(TOKEN);
  },
  onRefused(callback) {
    whenRefused = callback;
  },
};

// Resolves to the answer's JSON; `at` is the server's clock. Throws Problem, or Unreachable.
export async function ask(path, { method = "GET", json, form, signal } = {}) {
  const headers = { Authorization: `Bearer ${session.token}` };
  if (json) headers["Content-Type"] = "application/json";
  const body = json ? JSON.stringify(json) : form;
  const options = { method, headers, body, signal, cache: "no-store" };
  const answer = await fetch(path, options).catch((error) => {
    throw signal?.aborted ? error : new Unreachable();
  });
  const content = await answer.json().catch(() => null);
  if (answer.status === 401) whenRefused();
  if (!answer.ok) throw new Problem(answer.status, content);
  const at = Date.parse(answer.headers.get("date")) || Date.now();
  return { content, at };
}

export async function get(path, options) {
  return (await ask(path, options)).content;
}

export function explained(error) {
  if (error instanceof Problem || error instanceof Unreachable) return error.message;
  console.error(error);
  return "This page itself failed; load it again, and report it if that does not help.";
}

export async function upload(file) {
  const form = new FormData();
  form.append("content", file, file.name);
  return (await ask("/v1/files", { method: "POST", form })).content.urls.get;
}
