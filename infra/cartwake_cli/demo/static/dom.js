// Small hands for the page: elements, money, times.

export const $ = (id) => document.getElementById(id);

// make("li.row", {title: "…"}, child, "text"): text is never read as HTML.
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// Replace what an element holds, but only when what it shows has changed: focus and scroll stay otherwise.
const shown = new WeakMap();
export function show(element, facts, children) {
  const now = JSON.stringify(facts);
  if (shown.get(element) === now) return false;
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  shown.set(element, now);
  element.replaceChildren(...[children()].flat().filter(Boolean));
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

export function money(amount, currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency, minimumFractionDigits: 0 }).format(amount);
}

export function clock(at) {
  return new Date(at).toLocaleTimeString("en-GB");
}

export function ago(at, now) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min ago` : clock(at);
}

export function left(until, now) {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

const HUES = ["#0f4c5c", "#a23a67", "#4a6791", "#b4552d", "#4f7a5b", "#6b4fa0"];
export function avatar(name, index) {
  return make("span.avatar", { style: `--hue:${HUES[index % HUES.length]}`, "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());
}

let timer = 0;
export function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("up");
  clearTimeout(timer);
  timer = setTimeout(() => $("toast").classList.remove("up"), 3200);
}
