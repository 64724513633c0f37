// Elements, the API, and the words of the page in the visitor's language.

import { WORDS } from "./words.js";

export const $ = (id) => document.getElementById(id);

export function element(tag, { text = "", kind = "", ...attributes } = {}, children = []) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A link's address, where it is one that a message may lead to.
export function address(url) {
  try { return ["http:", "https:", "tg:"].includes(new URL(url).protocol) ? url : null; } catch { return null; }
}

export async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({ error: `${path}: ${response.status}` }));
  if (!response.ok) throw new Error(answer.error || `${path}: ${response.status}`);
  return answer;
}

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

let language = "en";

export function speak(wanted) {
  language = WORDS[wanted] ? wanted : "en";
  document.documentElement.lang = language;
}

export const spoken = () => language;

export function t(key, values = {}) {
  const words = WORDS[language][key] ?? WORDS.en[key];
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

let clock;

// A format is made once: a thousand messages have a thousand times.
export function timeOf(date) {
  clock ??= new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  return clock.format(date);
}

export async function copyText(text) {
  if (!navigator.clipboard) throw new Error(t("cannot-copy", { text }));
  try { await navigator.clipboard.writeText(text); } catch { throw new Error(t("cannot-copy", { text })); }
}

let fading;

// Says something in the line above the input, which is kept free for it: nothing is hidden by it.
export function notice(text) {
  $("notice").textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { $("notice").textContent = ""; }, 6000);
}

export async function tryTo(action) {
  try { return await action(); } catch (error) { notice(error.message); return undefined; }
}
