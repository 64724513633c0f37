// The chat: its messages, and what stands below them to write.

import { $, ask, element, notice, post, t, tryTo } from "./dom.js";
import { authorOf, drawn, keyOf, shortOf } from "./messages.js";
import { PEOPLE, PLACES, nameOf, on, state, tell } from "./state.js";

const shown = new Map(); // key -> { now, node }
const PAUSE = 300; // seconds between messages of one person, from which they stand apart
const NEAR = 120; // pixels from the end of the log that count as its end
let heardUpTo = 0, atEnd = true;

export async function readChat() {
  const wanted = `${state.place}/${state.me}`;
  const { messages } = await ask(`/api/chat?chat=${state.place}&as=${state.me}`);
  if (wanted !== `${state.place}/${state.me}`) return;
  state.messages = messages;
  const left = new Set(messages.filter((message) => message.migrate_to_chat_id).map((message) => message.chat));
  state.supergroup = state.place === "group" || (state.place === "team" && left.size > 0);
  showWays();
  draw(messages, left);
  hear(messages);
  tell("chat");
}

function draw(messages, left) {
  const log = $("log");
  const all = new Map(messages.map((message) => [keyOf(message), message]));
  const together = (one, other) => one && other && one.from === other.from && one.chat === other.chat && Math.abs(one.date - other.date) < PAUSE;
  messages.forEach((message, place) => {
    const key = keyOf(message), answered = all.get(`${message.chat}/${message.reply_to}`);
    const where = { answered, gone: left.has(message.chat),
                    first: !together(messages[place - 1], message), last: !together(message, messages[place + 1]) };
    const now = JSON.stringify([message, answered && shortOf(answered), where.first, where.last, where.gone]);
    const before = shown.get(key);
    if (before?.now === now) return;
    const node = drawn(message, where);
    if (before) replace(before.node, node); else log.append(node);
    shown.set(key, { now, node });
  });
  for (const [key, { node }] of shown) if (!all.has(key)) { node.remove(); shown.delete(key); }
  const hint = log.querySelector(".hint");
  if (!messages.length && !hint) log.append(element("div", { kind: "hint", text: t("empty") }));
  if (messages.length) hint?.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
  $("jump").hidden = atEnd;
  showAnswered();
}

function scrolled() {
  atEnd = $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < NEAR;
  $("jump").hidden = atEnd;
}

// Focus and an open menu stay where they were when a message is edited.
function replace(old, made) {
  const key = old.contains(document.activeElement) && document.activeElement.dataset.key;
  const isOpen = old.querySelector(".menu[open]");
  old.replaceWith(made);
  if (isOpen && made.querySelector(".menu")) made.querySelector(".menu").open = true;
  if (key) (made.querySelector(`[data-key="${key}"]`) ?? made.querySelector("[data-key]"))?.focus({ preventScroll: true });
}

// New messages are read aloud once. An edit is not read, and neither is what was there before.
function hear(messages) {
  const latest = Math.max(0, ...messages.map((message) => message.id));
  const fresh = messages.filter((message) => heardUpTo && message.id > heardUpTo && message.from !== state.me);
  heardUpTo = Math.max(latest, 1);
  if (fresh.length) $("heard").textContent = fresh.map((message) => `${authorOf(message)}: ${message.text}`).join("\n");
}

function showAnswered() {
  for (const bubble of document.querySelectorAll(".bubble.answered")) bubble.classList.remove("answered");
  if (state.answering) shown.get(keyOf(state.answering))?.node.querySelector(".bubble")?.classList.add("answered");
}

function strip(box, words, end) {
  box.replaceChildren(element("span", { text: words }), element("button", { kind: "plain", type: "button", text: t("cancel"), onclick: end }));
  box.hidden = false;
}

function answer(message) {
  state.answering = message;
  state.editing = null;
  $("answering").hidden = !message;
  if (message) strip($("answering"), t("reply-to", { who: shortOf(message) }), () => answer(null));
  showAnswered();
  if (message) $("text").focus();
}

function editLast() {
  const mine = state.messages.findLast((message) => message.from === state.me && !message.document && !message.anonymous);
  if (!mine) return;
  answer(null);
  state.editing = mine;
  write(mine.text);
  strip($("answering"), t("edit-mine"), () => { write(""); answer(null); });
}

export function write(text) {
  $("text").value = text;
  $("text").focus();
  $("text").setSelectionRange(text.length, text.length);
  offer();
}

async function upload(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 8192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return { name: file.name, mime: file.type, content: btoa(pieces.join("")) };
}

function attach(files) {
  const given = new DataTransfer();
  for (const file of files) given.items.add(file);
  $("file").files = given.files;
  $("attached").hidden = !given.files.length;
  if (given.files.length) {
    const names = [...given.files].map((file) => `📄 ${file.name}`).join(", ");
    strip($("attached"), t("goes-along", { names }), () => attach([]));
  }
}

export async function send() {
  const said = { as: state.me, chat: state.place, text: $("text").value };
  if (state.editing) said.edit = state.editing.id;
  else if (state.answering) Object.assign(said, { reply_to: state.answering.id, chat: state.answering.chat });
  else if (state.supergroup && state.topic) said.topic = state.topic;
  if (!state.editing && $("anonymous").checked) said.anonymous = true;
  if (!state.editing && $("file").files.length) said.documents = await Promise.all([...$("file").files].map(upload));
  await post("/api/chat", said);
  write("");
  attach([]);
  answer(null);
  await readChat();
  $("log").scrollTop = $("log").scrollHeight;
}

// -- the menu of commands ------------------------------------------------------------------

let menu = [], chosen = 0;

async function readMenu() {
  const { commands } = await ask(`/api/about?as=${state.me}&chat=${state.place}`);
  menu = commands;
}

function offered() {
  const typed = /^\/(\w*)$/.exec($("text").value);
  return typed ? menu.filter((each) => each.command.startsWith(typed[1])) : [];
}

function offer() {
  const all = offered();
  chosen = Math.min(chosen, Math.max(0, all.length - 1));
  $("commands").hidden = !all.length;
  $("text").toggleAttribute("aria-activedescendant", false);
  if (!all.length) { chosen = 0; return; }
  $("commands").replaceChildren(...all.map((each, place) => element("li", {
    id: `command-${place}`, role: "option", "aria-selected": String(place === chosen), onclick: () => take(each),
  }, [element("b", { text: `/${each.command}` }), element("span", { text: each.description })])));
  $("text").setAttribute("aria-activedescendant", `command-${chosen}`);
  $(`command-${chosen}`).scrollIntoView({ block: "nearest" });
}

const take = (each) => write(`/${each.command} `);

function typed(event) {
  const all = offered();
  const does = {
    ArrowDown: () => { chosen = (chosen + 1) % all.length; offer(); },
    ArrowUp: () => { chosen = (chosen + all.length - 1) % all.length; offer(); },
    Tab: () => take(all[chosen]),
    Enter: () => ($("text").value === `/${all[chosen].command}` ? tryTo(send) : take(all[chosen])),
  };
  if (event.isComposing) return;
  if (all.length && does[event.key] && !event.shiftKey) { event.preventDefault(); does[event.key](); return; }
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); tryTo(send); }
  if (event.key === "ArrowUp" && !$("text").value) { event.preventDefault(); editLast(); }
}

// -- who and where -------------------------------------------------------------------------

function showWays() {
  const admin = PEOPLE[state.me] === "admin";
  $("topics").hidden = !state.supergroup;
  $("faceless").hidden = !(state.supergroup && admin);
  $("upgrade").hidden = !(state.place === "team" && !state.supergroup && admin);
  $("ways").hidden = $("topics").hidden && $("faceless").hidden && $("upgrade").hidden;
  const known = [...new Set(state.messages.map((message) => message.topic).filter(Boolean))].sort((a, b) => a - b);
  const next = Math.max(1, ...known) + 1;
  if (state.topic && !known.includes(state.topic)) known.push(state.topic);
  const names = [["", t("general")], ...known.map((each) => [each, `${t("topic")} ${each}`])];
  if (!known.includes(next)) names.push([next, t("new-topic")]);
  const now = JSON.stringify(names);
  if ($("topic").dataset.now === now) return;
  $("topic").dataset.now = now;
  $("topic").replaceChildren(...names.map(([value, text]) => element("option", { value, text })));
  $("topic").value = state.topic ?? "";
}

export function turnTo(change) {
  Object.assign(state, change);
  for (const choice of $("people").querySelectorAll("input")) choice.checked = choice.value === state.me;
  $("places").value = state.place;
  $("badge").textContent = t(state.place)[0];
  $("badge").className = `avatar ${state.place === "private" ? "bot" : "group"}`;
  $("title").textContent = t(state.place);
  $("subtitle").textContent = t(`${state.place}-about`);
  $("text").placeholder = t("write-as", { name: nameOf(state.me) });
  $("log").replaceChildren();
  shown.clear();
  heardUpTo = 0;
  atEnd = true;
  state.messages = [];
  $("anonymous").checked = false;
  $("forwarding").hidden = true;
  answer(null);
  tryTo(readMenu);
  tryTo(readChat);
  tell("turned");
}

function label(id, words) { $(id).setAttribute("aria-label", t(words)); $(id).title = t(words); }

function person(name) {
  const choice = element("input", { type: "radio", name: "me", value: name, onchange: () => turnTo({ me: name }) });
  const face = element("span", { kind: `avatar ${name}`, text: nameOf(name)[0], "aria-hidden": "true" });
  return element("label", {}, [choice, face, element("span", { text: nameOf(name) }), element("small", { text: t(PEOPLE[name]) })]);
}

export function openChat() {
  label("places", "which-chat"); label("peek", "world"); label("send", "send"); label("file", "attach");
  label("jump", "newest"); label("text", "message"); label("commands", "commands"); label("log", "message");
  $("people").querySelector("legend").textContent = t("who-you-are");
  $("ways").querySelector("summary").textContent = t("more-ways");
  $("topics").querySelector("span").textContent = t("topic");
  $("faceless").querySelector("span").textContent = t("in-its-name");
  $("upgrade").textContent = t("upgrade");
  $("people").append(...Object.keys(PEOPLE).map(person));
  $("places").append(...PLACES.map((value) => element("option", { value, text: t(value) })));
  $("places").onchange = () => turnTo({ place: $("places").value, topic: null });
  $("compose").onsubmit = (event) => { event.preventDefault(); tryTo(send); };
  $("text").onkeydown = typed;
  $("text").oninput = offer;
  $("file").onchange = () => attach([...$("file").files]);
  $("topic").onchange = () => { state.topic = Number($("topic").value) || null; };
  $("upgrade").onclick = () => tryTo(() => post("/api/chat", { as: state.me, upgrade: true }));
  $("jump").onclick = () => { $("log").scrollTop = $("log").scrollHeight; };
  $("log").onscroll = scrolled;
  // What appears below the messages takes room from them: their end stays in sight.
  new ResizeObserver(() => { if (atEnd) $("log").scrollTop = $("log").scrollHeight; }).observe($("log"));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll(".menu[open]")) { open.open = false; open.firstChild.focus(); return; }
    $("forwarding").hidden = true;
    $("commands").hidden = true;
    if (state.editing) write("");
    if (state.answering || state.editing) answer(null);
  });
  const chat = document.querySelector(".chat");
  chat.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); attach(event.clipboardData.files); } });
  chat.addEventListener("dragover", (event) => { event.preventDefault(); chat.classList.add("dropping"); });
  chat.addEventListener("dragleave", () => chat.classList.remove("dropping"));
  chat.addEventListener("drop", (event) => {
    event.preventDefault();
    chat.classList.remove("dropping");
    if (event.dataTransfer.files.length) attach(event.dataTransfer.files);
  });
  on("write", write);
  on("reply", answer);
  on("show", (message) => shown.get(keyOf(message))?.node.scrollIntoView({ block: "center" }));
}

export const nodeOf = (message) => shown.get(keyOf(message))?.node;
