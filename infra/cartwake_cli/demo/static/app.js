// The page: asks once for the settings, then every second for what has changed.

import { $, icon, make, show } from "/static/dom.js";
import * as inbox from "/static/inbox.js";
import * as shop from "/static/shop.js";
import * as timeline from "/static/timeline.js";

const EVERY_MS = 1000;
const MOST_CHIPS = 4;

function drawFacts(status) {
  const largest = status.segments.toSorted((one, other) => other.members - one.members);
  const rest = largest.slice(MOST_CHIPS);
  show($("facts"), status, () => [
    make("div.fact", { title: status.journeys.map((journey) => `${journey.title}: ${journey.status}`).join("\n") },
      make("b", {}, String(status.journeys.filter((journey) => journey.status === "live").length)), make("span", {}, "journeys live")),
    make("div.fact", {}, make("b", {}, String(status.profiles)), make("span", {}, "profiles")),
    make("div.segments", { title: status.source },
      make("span.label", {}, "Segments"),
      largest.slice(0, MOST_CHIPS).map((segment) =>
        make("span.chip.segment", { title: segment.title }, `${segment.name} `, make("b", {}, String(segment.members)))),
      rest.length > 0 && make("span.label", { title: rest.map((it) => `${it.title}: ${it.members}`).join("\n") }, `+${rest.length}`)),
  ]);
}

function drawTour(steps) {
  show($("tour"), steps, () => steps.map((step, index) =>
    make("li", { class: step.done ? "done" : "" },
      make("span.number", { "aria-hidden": "true" }, step.done ? icon("check") : String(index + 1)),
      make("span", {}, make("b", {}, step.title), make("em", {}, step.hint)))));
}

function drawAlive(ok) {
  $("alive").classList.toggle("off", !ok);
  const text = ok ? "Live" : "The demo has ended";
  if ($("alive").lastElementChild.textContent !== text) $("alive").lastElementChild.textContent = text;
}

async function refresh() {
  const me = shop.identity();
  const answer = await fetch(`/api/state?anonymous=${encodeURIComponent(me.anonymousId)}`);
  if (!answer.ok) throw new Error(String(answer.status));
  const state = await answer.json();
  drawFacts(state.status);
  drawTour(state.tour);
  inbox.draw(state);
  timeline.draw(state);
}

async function keepFresh() {
  try {
    await refresh();
    drawAlive(true);
  } catch (error) {
    drawAlive(false);
    console.warn(error);
  }
  setTimeout(keepFresh, EVERY_MS);
}

const settings = await (await fetch("/api/settings")).json();
shop.open(settings);
keepFresh();
