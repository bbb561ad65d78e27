// The inbox: every message as the shopper sees it, newest first.

import { $, ago, avatar, icon, make, show } from "/static/dom.js";

let filter = "all";
let chosen = null; // the id of the message that is open; null follows the newest
let last = { inbox: [], shoppers: [] };

export function draw(state) {
  last = state;
  const { shoppers } = state;
  const mine = state.inbox.filter((message) => filter === "all" || message.shopper === filter);
  const count = (id) => state.inbox.filter((message) => id === "all" || message.shopper === id).length;
  const pills = [{ id: "all", name: "All" }, ...shoppers];
  show($("inbox-pills"), [filter, pills.map((pill) => [pill.id, pill.name, count(pill.id)])], () =>
    pills.map((pill) => drawPill(pill, count(pill.id))));
  const open = mine.find((message) => message.id === chosen) ?? mine[0];
  show($("messages"), [filter, open?.id, mine.map((message) => [message.id, ago(message.at, state.now)])], () =>
    mine.length ? mine.map((message) => drawRow(message, message === open)) : drawNone());
  show($("reader"), open?.id ?? `none-${filter}`, () => (open ? drawOpen(open) : []));
}

export function choose(id) {
  filter = id;
  chosen = null;
  draw(last);
}

function drawPill(pill, count) {
  return make("button.pill", {
    type: "button", "aria-pressed": String(pill.id === filter), "data-key": pill.id, onclick: () => choose(pill.id) },
    pill.name, make("span", {}, String(count)));
}

function drawRow(message, open) {
  const index = last.shoppers.findIndex((shopper) => shopper.id === message.shopper);
  const name = last.shoppers[index]?.name ?? message.to;
  const press = () => { chosen = message.id; draw(last); };
  return make("li", {}, make("button.row", {
    type: "button", "aria-current": open ? "true" : null, "data-key": message.id, onclick: press },
    avatar(name, Math.max(0, index)),
    make("span.lines2", {},
      make("span.first", {}, make("b", {}, message.channel === "sms" ? "SMS" : message.subject),
        make("time", {}, ago(message.at, last.now))),
      make("span.second", {}, icon(message.channel === "sms" ? "phone" : "mail"), `to ${name} · ${message.preview}`))));
}

function drawOpen(message) {
  if (message.channel === "sms") return drawPhone(message);
  return [
    make("div.letter", {},
      make("b", {}, message.subject),
      make("span", {}, `${message.from} → ${message.to}`)),
    make("iframe", {
      src: `/inbox/${encodeURIComponent(message.id)}.html`, title: `The mail "${message.subject}"`,
      sandbox: "allow-popups allow-popups-to-escape-sandbox" }),
  ];
}

function drawPhone(message) {
  const thread = last.inbox.filter((other) => other.channel === "sms" && other.to === message.to).toReversed();
  return make("div.phone", {},
    make("div.notch", { "aria-hidden": "true" }),
    make("div.caller", {}, make("b", {}, last.shop.sms), make("span", {}, `to ${message.to}`)),
    make("div.bubbles", {}, thread.map((text) => make("p.bubble", {}, ...linked(text.text)))));
}

function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part) => part.startsWith("http")
    ? make("a", { href: part, title: part, target: "_blank", rel: "noreferrer" }, shorten(part)) : part);
}

const shorten = (link) => (link.length > 48 ? `${link.slice(0, 46)}…` : link);

function drawNone() {
  const name = last.shoppers.find((shopper) => shopper.id === filter)?.name;
  return make("li.none", {}, icon("mail"), make("b", {}, "No message yet"),
    make("span", {}, filter === "you" || filter === "all"
      ? "Sign up in the storefront: the welcome mail comes within seconds."
      : `Nothing was sent to ${name}.`));
}
