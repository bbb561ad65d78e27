// The timeline: what happened to one shopper, and why something was sent or not.

import { $, clock, icon, left, make, show } from "/static/dom.js";
import * as inbox from "/static/inbox.js";

const ICONS = { event: "bolt", segment: "users", journey: "route", wait: "clock", sent: "mail", text: "phone", unsent: "stop",
  merge: "link", consent: "check" };

let chosen = null;
let last = null;

export function draw(state) {
  last = state;
  const shown = state.shoppers.find((shopper) => shopper.id === chosen) ?? state.shoppers[0];
  show($("story-pills"), [shown?.id, state.shoppers.map((shopper) => [shopper.id, shopper.name, shopper.tone])], () =>
    state.shoppers.map((shopper) => make("button.pill", {
      type: "button", "aria-pressed": String(shopper === shown), "data-key": shopper.id, onclick: () => choose(shopper.id) },
      make(`i.dot.${shopper.tone}`), shopper.name)));
  if (!shown) return;
  show($("profile"), shown, () => drawProfile(shown));
  const waiting = shown.waiting.map((wait) => ({ ...wait, left: left(wait.due_at, state.now) }));
  show($("next"), waiting, () => waiting.map(drawWait));
  show($("line"), [shown.id, shown.entries.length, shown.entries], () =>
    shown.entries.length ? shown.entries.map(drawEntry) : make("li.none", {}, icon("bolt"), make("b", {}, "Nothing yet"),
      make("span", {}, "Add a product to the cart: the event shows here a moment later.")));
}

export function choose(id) {
  chosen = id;
  inbox.choose(id);
  draw(last);
}

function drawProfile(shopper) {
  const chip = (text, tone) => make(`span.chip.${tone}`, {}, text);
  return [
    make("ul", {}, shopper.outcomes.map((outcome) => make("li", { class: `outcome ${outcome.tone}` },
      make(`i.dot.${outcome.tone}`), make("b", {}, outcome.title), make("span", {}, outcome.text)))),
    make("div.chips", {},
      shopper.contacts.map((contact) => chip(contact, "plain")),
      shopper.consents.map((consent) => chip(consent.text, consent.tone)),
      shopper.segments.map((segment) => chip(segment.text, "segment"))),
  ];
}

function drawWait(wait) {
  return make("div.wait", {}, icon("clock"),
    make("span", {}, make("b", {}, wait.title), make("em", {}, wait.detail)),
    make("strong", {}, wait.left));
}

function drawEntry(entry) {
  return make(`li.entry.${entry.tone}`, {},
    make("span.mark", {}, icon(ICONS[entry.kind] ?? "bolt")),
    make("div", {},
      make("div.first", {}, make("b", {}, entry.title), make("time", {}, clock(entry.at))),
      entry.detail ? make("p", {}, entry.detail) : null));
}
