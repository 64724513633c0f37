// The page: a chat, the world behind it, and the news from the server that keep both up to date.

import { openChat, readChat, turnTo } from "./chat.js";
import { $, ask, element, notice, speak, t } from "./dom.js";
import { openFaults } from "./faults.js";
import { openGuide } from "./guide.js";
import { openIssues, readIssues } from "./issues.js";
import { openJourney, readWorld } from "./journey.js";
import { tell } from "./state.js";

let TABS = ["journey", "issues", "everything", "faults"];

function choose(chosen) {
  for (const name of TABS) {
    const is = name === chosen;
    $(`panel-${name}`).hidden = !is;
    $(`tab-${name}`).setAttribute("aria-selected", String(is));
    $(`tab-${name}`).tabIndex = is ? 0 : -1;
  }
  $("app").classList.toggle("writing", chosen === "issues");
  tell("tab", chosen);
}

function openTabs() {
  $("world").setAttribute("aria-label", t("world"));
  $("tabs").setAttribute("aria-label", t("world"));
  $("tabs").append(...TABS.map((name) => element("button", {
    id: `tab-${name}`, type: "button", role: "tab", text: t(name), "aria-controls": `panel-${name}`, onclick: () => choose(name),
  })));
  $("tabs").onkeydown = (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const at = TABS.findIndex((name) => $(`tab-${name}`).getAttribute("aria-selected") === "true");
    const next = TABS[(at + way + TABS.length) % TABS.length];
    choose(next);
    $(`tab-${next}`).focus();
  };
  $("peek").onclick = () => {
    const peeking = $("app").classList.toggle("peeking");
    $("peek").setAttribute("aria-pressed", String(peeking));
  };
  choose("journey");
}

// One reading at a time. What changes meanwhile is read afterwards.
function reader(read) {
  let running = false, again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try { while (again) { again = false; await read(); } } catch (error) { notice(error.message); } finally { running = false; }
  };
}

function listen() {
  const news = new EventSource("/api/events");
  news.addEventListener("chat", reader(readChat));
  news.addEventListener("world", reader(readWorld));
  if (TABS.includes("issues")) news.addEventListener("issues", reader(readIssues));
}

const { language, issues } = await ask("/api/about");
if (!issues) TABS = TABS.filter((name) => name !== "issues");
speak(new URLSearchParams(location.search).get("language") ?? language);
openTabs();
openChat();
openJourney();
openFaults();
if (issues) openIssues();
openGuide();
turnTo({});
listen();
