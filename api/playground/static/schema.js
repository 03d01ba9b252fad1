// A model's own schema as the fields of a form; any Cog model has one.

import { nameOf } from "./words.js";

const SHAPE = /^(\d+):(\d+)$|^(\d+)x(\d+)$/;

export function fieldsOf(document) {
  const schemas = document.components.schemas;
  const input = schemas.Input;
  const required = new Set(input.required ?? []);
  return Object.entries(input.properties)
    .map(([name, property]) => field(name, resolved(property, schemas), required.has(name)))
    .sort((one, other) => one.order - other.order);
}

// Width over height of "3:2" or "1536x1024", null for everything else.
export function ratioOf(choice) {
  const match = SHAPE.exec(choice);
  if (!match) return null;
  return Number(match[1] ?? match[3]) / Number(match[2] ?? match[4]);
}

function field(name, about, required) {
  const items = about.items ?? {};
  const many = about.type === "array";
  const format = many ? items.format : about.format;
  return {
    name,
    label: nameOf(name),
    hint: about.description ?? "",
    required,
    many,
    type: many ? items.type : about.type,
    choices: about.enum ?? null,
    minimum: about.minimum,
    maximum: about.maximum,
    fallback: about.default ?? null,
    secret: about["x-cog-secret"] === true || format === "password",
    file: format === "uri",
    order: about["x-order"] ?? 0,
  };
}

function resolved(property, schemas) {
  const { $ref, allOf, anyOf, ...rest } = property;
  let found = {};
  if ($ref) found = resolved(schemas[$ref.split("/").pop()], schemas);
  for (const part of allOf ?? []) found = { ...found, ...resolved(part, schemas) };
  const present = (anyOf ?? []).filter((part) => part.type !== "null");
  if (present.length) found = { ...found, ...resolved(present[0], schemas) };
  const merged = { ...found, ...rest };
  if (merged.items) merged.items = resolved(merged.items, schemas);
  return merged;
}

// What is shown at once: what is needed, what is chosen most, and files; the rest is one click away.
const FIRST = 6;
const MANY_CHOICES = 5;

export function grouped(fields) {
  const open = fields.filter((field) => !field.secret);
  const isFirst = (field) =>
    field.required ||
    field.file ||
    open.indexOf(field) < FIRST ||
    (field.choices?.length ?? 0) >= MANY_CHOICES;
  return {
    first: open.filter(isFirst),
    more: open.filter((field) => !isFirst(field)),
    secrets: fields.filter((field) => field.secret),
  };
}
