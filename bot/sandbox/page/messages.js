// Draws messages: the bubble, what is in it, and the buttons below.

import { $, address, copyText, element, notice, post, spoken, t, timeOf, tryTo } from "./dom.js";
import { PEOPLE, PLACES, nameOf, state, tell } from "./state.js";

const TAGS = { B: "b", STRONG: "b", I: "i", EM: "i", U: "u", INS: "u", S: "s", STRIKE: "s", DEL: "s",
               CODE: "code", PRE: "pre", A: "a", BLOCKQUOTE: "blockquote", "TG-SPOILER": "span" };
const COMMAND = /(?<![\w/])(\/[a-z][a-z0-9_]*(?:@\w+)?(?: #\d+)?)/g;

export const keyOf = (message) => `${message.chat}/${message.id}`;
export const authorOf = (message) =>
  message.from === "bot" ? "ImageTo" : message.anonymous ? t("the-group", { who: nameOf(message.from) }) : nameOf(message.from);
export const shortOf = (message) =>
  `${authorOf(message)}: ${message.document ? `📄 ${message.document.name} ` : ""}${message.text.slice(0, 80)}`;

// What came from the bot is parsed in a document without scripts, and only known tags are copied.
function rendered(markup) {
  const copy = (node, linked) => {
    if (node.nodeType === Node.TEXT_NODE) return linked ? breakable(node.data) : withCommands(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) return [];
    const tag = TAGS[node.tagName];
    const children = [...node.childNodes].flatMap((child) => copy(child, linked || ["a", "code", "pre"].includes(tag)));
    if (!tag) return children;
    const made = element(tag, {}, children);
    const target = tag === "a" && address(node.getAttribute("href"));
    if (target) { made.href = target; made.target = "_blank"; made.rel = "noopener noreferrer"; }
    if (tag === "span") { made.className = "spoiler"; made.onclick = () => made.classList.add("open"); }
    return [made];
  };
  const parsed = new DOMParser().parseFromString(`<body>${markup}`, "text/html");
  return [...parsed.body.childNodes].flatMap((node) => copy(node, false));
}

// The name of an image is broken behind its slashes and colons, not within a word.
const breakable = (text) => text.split(/(?<=[/:@])/).flatMap((part) => [part, document.createElement("wbr")]).slice(0, -1);

function withCommands(text) {
  return text.split(COMMAND).map((part, place) =>
    place % 2 ? element("button", { kind: "command", type: "button", text: part, onclick: () => tell("write", part) })
      : document.createTextNode(part));
}

function buttonOf(message, button, key) {
  if (button.kind === "url") {
    const target = address(button.value);
    return element("a", { text: button.text, "data-key": key, ...(target && { href: target, target: "_blank", rel: "noopener noreferrer" }) });
  }
  const made = element("button", { text: button.text, type: "button", "data-key": key });
  made.onclick = () => tryTo(async () => {
    if (button.kind === "copy") {
      tell("copied", button.value);
      await copyText(button.value);
      return notice(t("copied", { text: button.value }));
    }
    made.setAttribute("aria-busy", "true");
    try {
      const pressed = { as: state.me, chat: message.chat, message: message.id, button: button.text, value: button.value };
      notice((await post("/api/press", pressed)).answer || t("pressed"));
    } finally { made.removeAttribute("aria-busy"); }
  });
  return made;
}

const sizeOf = (bytes) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

function fileOf(kept) {
  const got = element("a", { text: `📄 ${kept.name}`, href: `/api/document/${kept.number}`, download: kept.name, "data-key": "file" });
  return element("div", { kind: "file" }, [got, element("span", { kind: "soft", text: sizeOf(kept.size) })]);
}

function forwardStrip(message) {
  const box = $("forwarding");
  const close = () => { box.hidden = true; };
  const ways = PLACES.map((place) => element("button", { kind: "plain", type: "button", text: t(place), onclick: () => tryTo(async () => {
    await post("/api/chat", { as: state.me, forward: message.id, from_chat: message.chat, chat: place });
    close();
    notice(t("forwarded", { place: t(place) }));
  }) }));
  const words = element("span", { text: `${t("forward-to")}: ${shortOf(message)}` });
  box.replaceChildren(words, ...ways, element("button", { kind: "plain", type: "button", text: t("cancel"), onclick: close }));
  box.hidden = false;
  ways[0].focus();
}

// What is in a menu is made when somebody opens it.
function menuOf(message) {
  const menu = element("details", { kind: "menu", ontoggle: () => { if (menu.open && !menu.lastChild.hasChildNodes()) menu.lastChild.append(...actsOf(message, menu)); } });
  menu.append(element("summary", { text: "⋯", "aria-label": t("more"), "data-key": "menu" }), element("div"));
  return menu;
}

function actsOf(message, menu) {
  const does = (words, done) => element("button", { type: "button", text: t(words), onclick: () => { menu.open = false; tryTo(done); } });
  const acts = [does("reply", () => tell("reply", message)), does("forward", () => forwardStrip(message))];
  if (message.from === state.me || PEOPLE[state.me] === "admin" || state.place === "private") {
    acts.push(does("delete", () => post("/api/chat", { as: state.me, chat: message.chat, delete: message.id })));
  }
  return acts;
}

function metaOf(message, gone) {
  const reactions = element("span", { kind: "reactions" }, message.reactions.map((each) => element("span", { text: each })));
  const sent = new Date(message.date * 1000);
  const parts = [reactions];
  if (message.topic) parts.push(element("span", { kind: "tag", text: `${t("topic")} ${message.topic}` }));
  if (message.edits) parts.push(element("span", { text: t("edited") }));
  parts.push(element("time", { text: timeOf(sent), datetime: sent.toISOString() }));
  if (!gone) parts.push(menuOf(message));
  return element("div", { kind: "meta" }, parts);
}

function bubbleOf(message, answered, first, gone) {
  const box = element("article", { kind: "bubble", "aria-label": `${authorOf(message)}, ${timeOf(new Date(message.date * 1000))}` });
  if (first && message.from !== state.me) box.append(element("h2", { kind: "who", text: authorOf(message) }));
  if (message.forwarded_from) box.append(element("div", { kind: "from", text: t("forwarded-from", { who: nameOf(message.forwarded_from) }) }));
  if (message.reply_to) {
    const shown = answered ? shortOf(answered) : t("deleted");
    box.append(element("button", { kind: "quote", type: "button", text: shown, "data-key": "quote", onclick: () => answered && tell("show", answered) }));
  }
  if (message.document) box.append(fileOf(message.document));
  box.append(element("div", { kind: "text" }, rendered(message.html)), metaOf(message, gone));
  box.addEventListener("click", (event) => {
    const busy = event.target.closest("a, button, summary, .spoiler, details") || String(getSelection());
    if (!busy && !gone) tell("reply", message);
  });
  return box;
}

// `first` and `last` of what one person wrote in a row. `gone`: the chat has become another one.
export function drawn(message, { answered, first, last, gone }) {
  if (message.migrate_to_chat_id || message.migrate_from_chat_id) return element("div", { kind: "service", text: t("upgraded") });
  const mine = message.from === state.me;
  const body = element("div", { kind: "body" }, [bubbleOf(message, answered, first, gone)]);
  if (message.buttons.length) {
    const rows = message.buttons.map((row, y) => element("div", {}, row.map((button, x) => buttonOf(message, button, `b${y}-${x}`))));
    body.append(element("div", { kind: "buttons" }, rows));
  }
  const kinds = ["message", mine && "mine", first && "first", last && "last"].filter(Boolean).join(" ");
  const face = element("span", { kind: `avatar ${message.from}`, text: authorOf(message)[0], "aria-hidden": "true" });
  return element("div", { kind: kinds, "data-key": keyOf(message), lang: spoken() }, [face, body]);
}
