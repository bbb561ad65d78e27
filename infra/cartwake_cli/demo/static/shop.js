// The storefront: what a shop's own pages do. Its browser key is public; sign-up and order go to the shop's backend.

import { $, icon, make, money, show, toast } from "/static/dom.js";

const store = {
  get: (name, otherwise) => JSON.parse(localStorage.getItem(`demo.${name}`) ?? "null") ?? otherwise,
  set: (name, value) => localStorage.setItem(`demo.${name}`, JSON.stringify(value)),
};

let config;
let cart = {};
let me = {};

export function open(settings) {
  config = settings;
  // Another run of the demo starts with a new stack, which knows nobody from the last one.
  if (store.get("world") !== config.world) {
    localStorage.clear();
    store.set("world", config.world);
  }
  cart = store.get("cart", {});
  me = store.get("me", null) ?? renew();
  $("shop-name").textContent = config.shop.name;
  $("address").textContent = config.shop.address;
  document.documentElement.style.setProperty("--shop", config.shop.color);
  $("grid").replaceChildren(...config.products.map(drawProduct));
  draw();
  send("page", { name: "Home", properties: { title: config.shop.name, url: location.href, path: location.pathname } });
  return me;
}

export const identity = () => me;

function renew() {
  const fresh = { anonymousId: crypto.randomUUID(), signedUp: null };
  store.set("me", fresh);
  return fresh;
}

// The same call that any Segment-style client makes: text/plain, so that a browser asks for no permission first.
async function send(kind, body) {
  const now = new Date().toISOString();
  const call = {
    ...body, type: kind, writeKey: config.browserKey, anonymousId: me.anonymousId, userId: me.signedUp?.userId,
    messageId: crypto.randomUUID(), timestamp: now, sentAt: now,
    context: { page: { url: location.href, title: document.title }, locale: navigator.language,
               timezone: Intl.DateTimeFormat().resolvedOptions().timeZone },
  };
  try {
    const answer = await fetch(`/v1/${kind}`, {
      method: "POST", headers: { "content-type": "text/plain" }, body: JSON.stringify(call), keepalive: true });
    if (!answer.ok) toast(`The tracking endpoint said ${answer.status}.`);
  } catch {
    toast("The tracking endpoint does not answer. Is the demo still running in the terminal?");
  }
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}

const describe = (product, quantity = 1) => ({
  product_id: product.product_id, name: product.name, category: product.category, variant: product.variant,
  price: product.price, quantity, currency: config.shop.currency, url: `${location.origin}/#${product.product_id}`,
  image_url: `${location.origin}/static/products/${product.image}`,
});

function change(product, by) {
  cart[product.product_id] = Math.max(0, (cart[product.product_id] ?? 0) + by);
  if (!cart[product.product_id]) delete cart[product.product_id];
  store.set("cart", cart);
  draw();
  send("track", { event: by > 0 ? "Product Added" : "Product Removed", properties: describe(product) });
}

const inCart = () => config.products.filter((product) => cart[product.product_id]);

async function buy() {
  const lines = inCart().map((product) => ({ product_id: product.product_id, quantity: cart[product.product_id] }));
  try {
    const order = await ask("/shop/order", { anonymousId: me.anonymousId, lines });
    cart = {};
    store.set("cart", cart);
    draw();
    toast(`Order ${order.orderId}: thank you. The shop's server reported it.`);
  } catch (error) {
    toast(error.message);
  }
}

async function signUp(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    const said = await ask("/shop/sign-up", {
      anonymousId: me.anonymousId, firstName: form.get("firstName"), email: form.get("email"), phone: form.get("phone"),
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone });
    me = { ...me, signedUp: said };
    store.set("me", me);
    draw();
    toast("Signed up. The shop's server told Cartwake, with its secret key.");
  } catch (error) {
    toast(error.message);
  }
}

function startOver() {
  cart = {};
  store.set("cart", cart);
  me = renew();
  draw();
  send("page", { name: "Home", properties: { title: config.shop.name, url: location.href, path: location.pathname } });
  toast("You are a new visitor now.");
}

function drawProduct(product) {
  return make("li.product", { id: product.product_id },
    make("div.picture", { style: `background:${product.tint}` },
      make("img", { src: `/static/products/${product.image}`, alt: "", width: 240, height: 240 })),
    make("div.what", {}, make("b", { title: product.variant }, product.name)),
    make("div.take", {}, make("span.price", {}, money(product.price, config.shop.currency)),
      make("button.add", { type: "button", "aria-label": `Add ${product.name} to the cart`, "data-key": product.product_id,
        onclick: () => change(product, 1) }, "Add to cart")));
}

function draw() {
  const lines = inCart();
  const count = lines.reduce((sum, product) => sum + cart[product.product_id], 0);
  $("basket-count").textContent = count;
  $("basket-count").classList.toggle("some", count > 0);
  $("who").textContent = me.signedUp ? `Hello, ${me.signedUp.firstName || "you"}` : "Not signed up";
  show($("cart"), cart, () => lines.length ? drawCart(lines) : make("p.empty", {},
    `Empty. Add a product, then leave it for ${config.waits.cart} seconds: a reminder comes, if you have signed up.`));
  show($("sign"), me, () => me.signedUp ? drawSigned() : drawForm());
}

function drawCart(lines) {
  const total = lines.reduce((sum, product) => sum + product.price * cart[product.product_id], 0);
  const step = (product, by, name, label) => make("button.step", {
    type: "button", "aria-label": `${label} ${product.name}`, "data-key": `${name}-${product.product_id}`,
    onclick: () => change(product, by) }, icon(name));
  return [
    make("ul.lines", {}, lines.map((product) => make("li", {},
      make("span", {}, product.name),
      make("span.amount", {}, step(product, -1, "minus", "One less"), make("b", {}, String(cart[product.product_id])),
        step(product, 1, "plus", "One more"))))),
    make("div.total", {}, make("span", {}, "Total"), make("b", {}, money(total, config.shop.currency))),
    make("button.buy", { type: "button", "data-key": "buy", onclick: buy }, "Buy now"),
    make("p.hint", {}, `Buy now, or leave the cart and wait ${config.waits.cart} s.`),
  ];
}

function drawForm() {
  const field = (name, label, more) => make("label", {}, make("span", {}, label), make("input", { name, ...more }));
  return make("form", { onsubmit: signUp },
    make("div.two", {},
      field("firstName", "First name", { autocomplete: "off", required: true, value: "Robin", maxlength: 40 }),
      field("phone", "Mobile (optional)", { type: "tel", autocomplete: "off", placeholder: "+1 415 555 0142", "aria-describedby": "about-form" })),
    field("email", "E-mail", { type: "email", autocomplete: "off", required: true, value: "robin@example.com" }),
    make("button.join", { "data-key": "join" }, "Sign up"),
    make("p.hint", { id: "about-form" }, "Nothing leaves this machine. With a mobile number, an SMS follows."));
}

function drawSigned() {
  return [
    make("p.signed", {}, icon("check"), `Signed up as ${me.signedUp.email}`),
    make("p.hint", {}, "Your visits from before now belong to this profile. To stop the letters, follow the link in a mail."),
    make("button.quiet", { type: "button", "data-key": "renew", onclick: startOver }, "Be a new visitor"),
  ];
}
