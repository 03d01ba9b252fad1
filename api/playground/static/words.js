// Numbers, times and names as people read them.

const NAMES = { api: "API", openai: "OpenAI", id: "ID", url: "URL", svg: "SVG" };

export function nameOf(input) {
  const words = input.split("_").map((word) => NAMES[word] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  return `${Math.round(value / 3600)} h`;
}

export function range(low, high, shown) {
  return shown(low) === shown(high) ? shown(low) : `${shown(low)} to ${shown(high)}`;
}

export function dollars(value) {
  if (value === 0) return "$0";
  return value < 0.1 ? `$${value.toFixed(4)}` : `$${value.toFixed(2)}`;
}

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 1 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function ago(time) {
  const passed = (Date.now() - Date.parse(time)) / 1000;
  if (passed < 60) return "just now";
  if (passed < 86400) return `${seconds(Math.max(passed, 120))} ago`;
  return new Date(time).toLocaleDateString("en", { month: "short", day: "numeric" });
}

export function kindOf(type) {
  return type.replace(/^image\//, "").replace("+xml", "").toUpperCase();
}

// "ModerationBlocked" as "Moderation blocked".
export function spaced(kind) {
  return kind.replace(/([a-z])([A-Z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`);
}

// "OneClass: what happened, what to do." as its two parts.
export function split(error) {
  const match = /^([A-Z][A-Za-z]+): ([^]*)$/.exec(error ?? "");
  return match ? { kind: match[1], sentence: match[2] } : { kind: "", sentence: error ?? "" };
}
