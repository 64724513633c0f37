// The way of one image: chat, decision, commit, run, registry. Each station opens its real thing.

import { $, ask, element, post, t, timeOf, notice, tryTo } from "./dom.js";
import { authorOf } from "./messages.js";
import { on, state, tell } from "./state.js";

const STATIONS = ["chat", "decision", "commit", "run", "registry"];
const ICONS = "🔎⏳👍📝🔄✅🌱❌🚫⌛↪⏹";
const LINE = new RegExp(`^([${ICONS}])\\uFE0F? (\\S+\\/\\S+:[\\w.-]+)(?=[@\\s]|$)(.*)`, "u");
const DECISION = "urn:imageto-bot:decision:v1";
const SIGNS = { todo: "·", now: "…", done: "✓", failed: "✗", none: "–" };
let open = null, image = "", wants = "", stated = "";

// The images on cards: name -> the newest line about it, and the message that asked for it.
export function images() {
  const found = new Map();
  const read = (text, card, asked) => {
    for (const line of text.split("\n").map((each) => each.trim())) {
      const parts = LINE.exec(line);
      if (parts) found.set(parts[2], { icon: parts[1], line, card, asked: asked ?? found.get(parts[2])?.asked });
    }
  };
  for (const message of state.messages) {
    if (message.from === "bot") read(message.text, message, state.messages.find((each) => each.id === message.reply_to && each.chat === message.chat));
  }
  for (const issue of state.issues) {
    const asked = { from: issue.author, text: issue.body, date: Date.parse(issue.created) / 1000, issue: issue.number };
    for (const made of issue.comments) if (made.author === "bot") read(made.body.replaceAll("`", ""), asked, asked);
  }
  return found;
}

const trailer = (name, commit) => commit.message.split("\n").find((line) => line.startsWith(`Image: ${name}@`));

function facts(name) {
  const card = images().get(name) ?? {};
  const commit = state.repository.commits.find((each) => trailer(name, each));
  const runs = [...state.repository.runs].sort((a, b) => b.id - a.id);
  const run = runs.find((each) => commit && each.sha === commit.sha) ?? (card.icon === "🔄" ? runs[0] : undefined);
  const at = (side) => state.registries[side].images.find((each) => each.name === name || each.name.endsWith(`/${name}`));
  return { ...card, name, commit, run, source: at("source"), target: at("target") };
}

function stages({ icon = "", commit, run, target }) {
  const arrived = icon === "✅", ended = "❌🚫⌛↪⏹".includes(icon) && icon !== "";
  const decision = icon === "🔎" ? "todo" : icon === "⏳" ? "now" : ended && !commit ? "failed" : icon ? "done" : "todo";
  const committed = commit ? "done" : arrived ? "none" : ended ? "todo" : "👍📝".includes(icon) && icon ? "now" : "todo";
  const went = run?.conclusion === "success" ? "done" : run?.conclusion ? "failed" : run ? "now" : arrived ? "none" : ended && commit ? "failed" : "todo";
  const there = arrived ? "done" : ended && run ? "failed" : target && run && !run.conclusion ? "now" : went === "done" ? "now" : "todo";
  return { chat: icon ? "done" : "todo", decision, commit: committed, run: went, registry: there };
}

function moments({ asked, commit, run }) {
  const started = asked && new Date(asked.date * 1000);
  const since = (date) => (started && date ? t("after", { seconds: Math.max(0, Math.round((new Date(date) - started) / 1000)) }) : "");
  const end = run?.conclusion && since(run.updated);
  return { chat: started ? timeOf(started) : "", decision: "", commit: since(commit?.date), run: since(run?.started), registry: end || "" };
}

function station(name, stage, moment) {
  const made = element("button", { type: "button", "aria-expanded": String(open === name), "aria-controls": "detail", onclick: () => { open = open === name ? null : name; show(); } }, [
    element("span", { kind: "dot", text: SIGNS[stage], "aria-hidden": "true" }),
    element("span", { text: t(`s-${name}`) }), element("small", { text: moment || t(stage) }),
  ]);
  made.append(element("span", { kind: "unseen", text: moment ? t(stage) : "" }));
  return element("li", { kind: stage, "data-station": name }, [made]);
}

const words = (key, values) => element("p", { text: t(key, values) });
const pre = (text) => element("pre", { text, tabindex: "0" });
const labelled = (key, text) => [element("p", { kind: "soft", text: t(key) }), pre(text)];

const DETAILS = {
  chat: ({ asked, card }) => asked ? [
    words("d-chat", { who: authorOf(asked), time: timeOf(new Date(asked.date * 1000)) }), pre(asked.text),
    element("button", { kind: "plain", type: "button", text: t("d-show"), onclick: () => { if (asked.issue) tell("issue", asked.issue); else { $("app").classList.remove("peeking"); tell("show", card ?? asked); } } }),
  ] : [words("no-image")],
  decision: ({ line, commit, name }) => [
    ...(line ? labelled("d-line", line) : []),
    ...(commit ? labelled("d-decision", trailer(name, commit)) : [words("d-undecided")]),
  ],
  commit: ({ commit }) => commit ? [words("d-commit"), element("p", { kind: "sha", text: commit.sha }), pre(commit.message)] : [words("d-no-commit")],
  run: ({ run }) => run ? [words("d-run", { id: run.id, state: run.conclusion ?? run.status }), pre(run.log || t("no-log"))] : [words("d-no-run")],
  registry: ({ name, source, target }) => {
    const side = (key, found) => [element("p", { kind: "soft", text: t(key) }), element("p", { kind: "sha", text: found ? found.digest : t("d-absent") })];
    const repository = name.slice(0, name.lastIndexOf(":"));
    const belongs = state.registries.target.images.filter((each) => target && each.name.includes(`/${repository}:sha256-`));
    return [
      ...side("d-source", source), ...side("d-target", target),
      ...(source && target ? [words(source.digest === target.digest ? "d-same" : "d-differs")] : []),
      ...(belongs.length ? labelled("d-belongs", belongs.map((each) => each.name).join("\n")) : []),
      ...state.statements.filter((each) => each.predicateType === DECISION).flatMap((each) => [words("d-stated", said(each.predicate)), pre(JSON.stringify(each, null, 1))]),
    ];
  },
};

const said = (decision) => ({
  who: (decision.approved ?? []).join(", ") || decision.rule || decision.kind, asked: (decision.asked ?? []).join(", "),
  time: timeOf(new Date(decision.decidedAt)),
});

// What is signed about the image is read when its station is open, and again when more lies beside it.
async function readStatements({ name, target }) {
  const key = open === "registry" && target ? JSON.stringify([name, state.registries.target.images]) : "";
  if (key === stated) return;
  stated = key;
  const { statements } = key ? await ask(`/api/statements?image=${encodeURIComponent(name)}`) : { statements: [] };
  if (key !== stated) return;
  state.statements = statements;
  showDetail(facts(name));
}

function show() {
  const all = images();
  if (!all.has(image) || (wants && all.has(wants))) image = wants && all.has(wants) ? wants : [...all.keys()].at(-1) ?? "";
  wants = "";
  const names = [...all.keys()];
  if ($("image").dataset.now !== JSON.stringify(names)) {
    $("image").dataset.now = JSON.stringify(names);
    $("image").replaceChildren(...(names.length ? names : [""]).map((value) => element("option", { value, text: value || t("no-image") })));
  }
  $("image").value = image;
  const known = facts(image), stage = stages(known), moment = moments(known);
  const now = JSON.stringify([stage, moment, open]);
  if ($("stations").dataset.now !== now) {
    const had = document.activeElement?.closest("[data-station]")?.dataset.station;
    $("stations").dataset.now = now;
    $("stations").replaceChildren(...STATIONS.map((name) => station(name, stage[name], moment[name])));
    if (had) document.querySelector(`[data-station="${had}"] button`).focus();
  }
  showDetail(known);
}

function showDetail(known) {
  tryTo(() => readStatements(known));
  const now = JSON.stringify([open, known, state.statements]);
  if ($("detail").dataset.now === now) return;
  $("detail").dataset.now = now;
  const log = $("detail").querySelector("pre"), scrolled = log && log.scrollHeight - log.scrollTop - log.clientHeight > 40 ? log.scrollTop : null;
  $("detail").replaceChildren(...(open ? DETAILS[open](known) : [element("p", { kind: "soft", text: t("d-open") })]));
  if (open === "run" && $("detail").querySelector("pre")) {
    const grown = $("detail").querySelector("pre");
    grown.scrollTop = scrolled ?? grown.scrollHeight;
  }
}

// -- everything ----------------------------------------------------------------------------

const short = (sha) => String(sha ?? "").slice(0, 7);

function folded(summary, body, key) {
  const details = element("details", { "data-key": key }, [element("summary", {}, summary), pre(body)]);
  return element("li", {}, [details]);
}

function commitItem(commit) {
  const [subject, ...rest] = commit.message.split("\n");
  return folded([element("span", { kind: "sha", text: `${short(commit.sha)} ` }), subject], rest.join("\n").trim() || subject, commit.sha);
}

function runItem(run) {
  const end = run.conclusion || run.status;
  const kind = end === "success" ? "good" : run.conclusion ? "poor" : "wait";
  return folded([`${run.id} `, element("span", { kind, text: end }), element("span", { kind: "sha", text: ` ${run.event} ${short(run.sha)}` })], run.log || t("no-log"), `run${run.id}`);
}

function imageItem(found, movable) {
  const made = element("li", {}, [found.name, element("div", { kind: "sha", text: `${found.digest.slice(0, 19)}…` })]);
  if (movable) made.append(element("button", { kind: "plain", type: "button", text: t("update"), onclick: () => tryTo(() => replaceAtSource(found.name)) }));
  return made;
}

export async function replaceAtSource(name) {
  await post("/api/registries", { move: name });
  notice(t("updated", { name }));
  await readWorld();
}

function section(key, children) {
  return element("section", { kind: "section" }, [element("h2", { text: t(key) }), ...children]);
}

function showEverything() {
  const { repository, registries } = state, panel = $("panel-everything");
  const now = JSON.stringify([repository, registries]);
  if (panel.hidden || panel.dataset.now === now) return;
  panel.dataset.now = now;
  const opened = new Set([...panel.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  const list = (items) => element("ul", {}, items.length ? items : [element("li", { kind: "soft", text: t("nothing") })]);
  const runs = [...repository.runs].sort((a, b) => b.id - a.id).slice(0, 12);
  panel.replaceChildren(
    section("list", [pre(repository.list || t("nothing-listed"))]),
    section("commits", [list(repository.commits.slice(0, 12).map(commitItem))]),
    section("runs", [list(runs.map(runItem))]),
    section("in-target", [list(registries.target.images.map((each) => imageItem(each, false)))]),
    section("in-source", [list(registries.source.images.map((each) => imageItem(each, true)))]),
  );
  for (const details of panel.querySelectorAll("details")) details.open = opened.has(details.dataset.key);
}

export async function readWorld() {
  [state.repository, state.registries] = await Promise.all([ask("/api/repository"), ask("/api/registries")]);
  tell("world");
}

export function follow(name, opening) {
  wants = name;
  if (opening) open = opening;
  show();
}

export function openJourney() {
  $("panel-journey").querySelector(".pick span").textContent = t("which-image");
  $("image").onchange = () => { image = $("image").value; show(); };
  for (const event of ["chat", "world", "issues", "turned"]) on(event, () => { show(); showEverything(); });
  on("tab", showEverything);
}
