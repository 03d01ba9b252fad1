// What a run will give and cost, by the published formula; figures in prices.json, with their sources.

import { ratioOf } from "./schema.js";

let known = { models: {} };

export async function loadPrices() {
  const answer = await fetch(new URL("prices.json", import.meta.url));
  known = await answer.json();
}

// Null where nothing is known of the model. Sizes are [width, height]; several where the model picks.
export function estimate(modelName, input) {
  const about = known.models[input.model ?? modelName];
  if (!about) return null;
  const asked = input.size && input.size !== "auto" ? input.size : null;
  const size = asked ?? known.sizes[input.aspect_ratio ?? "1:1"] ?? "auto";
  const named = Object.values(known.sizes).filter((each) => each !== "auto");
  const sizes = (size === "auto" ? [...new Set(named)] : [size]).map(pixels);
  if (sizes.some((each) => !each)) return null;
  const levels = about.steps[input.quality] ? [input.quality] : Object.keys(about.steps);
  const pictures = Number(input.number_of_images ?? 1);
  const costs = sizes.flatMap((each) =>
    levels.map((level) => pictures * tokens(each, about.steps[level]) * about.dollars.output),
  );
  const inputs = (input.input_images ?? []).length;
  const [least, most] = known.input_image_tokens.map((each) => each * inputs * about.dollars.input);
  const usual = levels.map((level) => known.usual_seconds[level]).filter(Boolean);
  return {
    sizes,
    pictures,
    dollars: [Math.min(...costs) + least, Math.max(...costs) + most],
    usual: usual.length
      ? [Math.min(...usual.map(([low]) => low)), Math.max(...usual.map(([, high]) => high))]
      : null,
  };
}

// Output tokens of one picture.
export function tokens([width, height], steps) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const shorter = Math.floor((2 * steps * short + long) / (2 * long));
  return Math.ceil((steps * shorter * (2_000_000 + width * height)) / 4_000_000);
}

function pixels(size) {
  const match = /^(\d+)x(\d+)$/.exec(size);
  return match && ratioOf(size) ? [Number(match[1]), Number(match[2])] : null;
}

// What such runs took lately, the middle one; the published figures where there were none.
export function usualSeconds(expected, input, recent, defaults) {
  const decides = (given) =>
    JSON.stringify(DECIDE.map((name) => given[name] ?? defaults[name] ?? null));
  const wanted = decides(input);
  const alike = recent
    .filter((each) => each.status === "succeeded" && each.started_at && !each.data_removed)
    .filter((each) => decides(each.input) === wanted)
    .map((each) => (Date.parse(each.completed_at) - Date.parse(each.started_at)) / 1000)
    .sort((one, other) => one - other);
  if (alike.length) {
    const middle = alike[Math.floor(alike.length / 2)];
    return [middle, middle];
  }
  return expected?.usual ?? null;
}

const DECIDE = ["model", "quality", "aspect_ratio", "size", "number_of_images"];
