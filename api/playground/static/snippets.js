// What a run is in code: the same call, for a shell, Replicate's clients and OpenAI's.

import { button, h, speak } from "./dom.js";
import { estimate } from "./estimate.js";
import { kindOf } from "./words.js";

const HIDDEN = "[REDACTED]";

export function codeOf(prediction) {
  const kinds = snippets(prediction);
  const code = h("code");
  const block = h("pre", { class: "code", tabindex: 0, role: "region", "aria-label": "Code" }, code);
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(code.textContent);
    copy.lastChild.textContent = "Copied";
    speak("Copied.");
    setTimeout(() => (copy.lastChild.textContent = "Copy"), 2000);
  }, { symbol: "copy", kind: "quiet" });
  const radios = kinds.map(({ name, text }, at) => {
    const radio = h("input", { type: "radio", name: "language", value: name, onchange: () => (code.textContent = text) });
    if (at === 0) (radio.checked = true), (code.textContent = text);
    return h("label", {}, radio, h("span", {}, name));
  });
  const languages = h("div", { class: "segments", role: "radiogroup", "aria-label": "Language" }, radios);
  return h("section", { class: "codes", "aria-label": "Code for this run" }, h("div", { class: "head" }, languages, copy), block);
}

export function snippets(prediction) {
  const call = {
    model: prediction.model,
    origin: location.origin,
    input: Object.entries(prediction.input).filter(([, value]) => value !== null),
    files: prediction.files,
    outputs: [prediction.output ?? []].flat().map((each) => prediction.files[each]?.name).filter(Boolean),
  };
  const kinds = [
    { name: "curl", text: curl(call) },
    { name: "Python", text: python(call) },
    { name: "JavaScript", text: javascript(call) },
  ];
  const openai = openaiInput(prediction);
  if (openai)
    kinds.push(
      { name: "OpenAI for Python", text: openaiPython(call, openai) },
      { name: "OpenAI for JavaScript", text: openaiJavascript(call, openai) },
    );
  return kinds;
}

// A secret is read from a variable of its own name, a file from where it lay.
const isHidden = (value) => value === HIDDEN;
const variable = (name) => name.toUpperCase();

function curl({ model, origin, input }) {
  const given = Object.fromEntries(input.map(([name, value]) => [name, isHidden(value) ? `@${variable(name)}@` : reachable(value)]));
  const body = JSON.stringify({ input: given }, null, 2)
    .replaceAll("'", "'\\''")
    .replace(/"@([A-Z0-9_]+)@"/g, `"'"$$$1"'"`);
  return `curl -sS ${origin}/v1/models/${model}/predictions \\
  -H "Authorization: Bearer $REPLICATE_API_TOKEN" \\
  -H 'Content-Type: application/json' -H 'Prefer: wait' \\
  -d '${body}'`;
}

function python({ model, origin, input, files, outputs }) {
  const given = input.map(([name, value]) => `        ${JSON.stringify(name)}: ${pythonValue(name, value, files)},`);
  return `# pip install replicate==1.0.7
import os
import replicate

client = replicate.Client(
    base_url="${origin}", api_token=os.environ["REPLICATE_API_TOKEN"]
)
output = client.run(
    ${JSON.stringify(model)},
    input={
${given.join("\n")}
    },
)
${outputs.length ? `for number, picture in enumerate(output):
    with open(f"picture-${"{number}"}.${suffix(outputs[0])}", "wb") as file:
        file.write(picture.read())` : "print(output)"}
`;
}

function javascript({ model, origin, input, files, outputs }) {
  const given = input.map(([name, value]) => `  ${name}: ${javascriptValue(name, value, files)},`);
  return `// npm install replicate@1.4
import { readFile, writeFile } from "node:fs/promises";
import Replicate from "replicate";

const replicate = new Replicate({
  auth: process.env.REPLICATE_API_TOKEN,
  baseUrl: "${origin}/v1",
});
const input = {
${given.join("\n")}
};
const output = await replicate.run(${JSON.stringify(model)}, { input });
${outputs.length ? `for (const [number, picture] of output.entries()) {
  await writeFile(\`picture-\${number}.${suffix(outputs[0])}\`, picture);
}` : "console.log(output);"}
`;
}

function pythonValue(name, value, files) {
  if (isHidden(value)) return `os.environ["${variable(name)}"]`;
  if (Array.isArray(value)) return `[${value.map((each) => pythonValue(name, each, files)).join(", ")}]`;
  if (files[value]) return `open(${JSON.stringify(files[value].name)}, "rb")`;
  if (value === true || value === false) return value ? "True" : "False";
  return JSON.stringify(value);
}

function javascriptValue(name, value, files) {
  if (isHidden(value)) return `process.env.${variable(name)}`;
  if (Array.isArray(value)) return `[${value.map((each) => javascriptValue(name, each, files)).join(", ")}]`;
  if (files[value]) return `await readFile(${JSON.stringify(files[value].name)})`;
  return JSON.stringify(value);
}

// OpenAI's own parameters, where the run can be said with them.
const SAME = ["prompt", "quality", "background", "output_format", "output_compression", "moderation"];

function openaiInput(prediction) {
  const { input } = prediction;
  if (input.model || input.size) return null; // which OpenAI's dialect may not know
  const expected = estimate(prediction.model.split("/").pop(), input);
  if (!expected || input.mask || input.openai_api_key) return null;
  const given = SAME.filter((name) => input[name] !== undefined && input[name] !== null).map((name) => [name, input[name]]);
  // Its own default is another one.
  const format = kindOf(prediction.files[prediction.output?.[0]]?.type ?? "").toLowerCase();
  if (format && !input.output_format) given.push(["output_format", format]);
  if (expected.sizes.length === 1) given.push(["size", expected.sizes[0].join("x")]);
  if (expected.pictures > 1) given.push(["n", expected.pictures]);
  const pictures = input.input_images ?? [];
  const isEdit = pictures.length > 0;
  return { given: given.filter(([name]) => !(isEdit && name === "moderation")), pictures, isEdit };
}

function openaiPython({ model, origin, files, outputs }, { given, pictures, isEdit }) {
  const lines = given.map(([name, value]) => `    ${name}=${JSON.stringify(value)},`);
  if (isEdit) lines.push(`    image=${pythonValue("image", pictures, files)},`);
  return `# pip install openai
import base64
import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["REPLICATE_API_TOKEN"])
answer = client.images.${isEdit ? "edit" : "generate"}(
    model="${model.split("/").pop()}",
${lines.join("\n")}
)
for number, picture in enumerate(answer.data):
    with open(f"picture-{number}.${suffix(outputs[0])}", "wb") as file:
        file.write(base64.b64decode(picture.b64_json))
`;
}

function openaiJavascript({ model, origin, files, outputs }, { given, pictures, isEdit }) {
  const lines = given.map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`);
  if (isEdit) lines.push(`  image: [${pictures.map((each) => `createReadStream(${JSON.stringify(files[each]?.name ?? each)})`).join(", ")}],`);
  return `// npm install openai
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import OpenAI from "openai";

const client = new OpenAI({
  apiKey: process.env.REPLICATE_API_TOKEN,
  baseURL: "${origin}/v1",
});
const answer = await client.images.${isEdit ? "edit" : "generate"}({
  model: "${model.split("/").pop()}",
${lines.join("\n")}
});
for (const [number, picture] of answer.data.entries()) {
  await writeFile(\`picture-\${number}.${suffix(outputs[0])}\`, Buffer.from(picture.b64_json, "base64"));
}
`;
}

function suffix(name) {
  return name?.split(".").pop() ?? "webp";
}

function reachable(value) {
  if (Array.isArray(value)) return value.map(reachable);
  return typeof value === "string" && value.startsWith("/files/") ? location.origin + value : value;
}
