// The issues of the mirror repository: the list, one of them with its comments, and the form for a new one.

import { $, ask, copyText, element, notice, post, t, timeOf, tryTo } from "./dom.js";
import { markdown } from "./markdown.js";
import { nameOf, on, state, tell } from "./state.js";

const BOTS = ["bot", "app"];
const shown = new Map(); // post's id -> { now, node }
let form = null, open = null, heardUpTo = 0; // `open`: a number, "new", or null for the list

const act = (what, given) => post("/api/issues", { as: state.me, do: what, ...given });
const authorOf = (made) => (BOTS.includes(made.author) ? made.login : nameOf(made.author));
const face = (made) => element("span", { kind: `avatar ${BOTS.includes(made.author) ? "bot" : made.author}`, text: authorOf(made)[0].toUpperCase(), "aria-hidden": "true" });
const stateOf = (issue) => element("span", { kind: `state ${issue.state}`, text: t(`i-${issue.state}`) });
const labelsOf = (issue) => issue.labels.map((name) => element("span", { kind: "tag", text: name }));
const button = (words, onclick, kind = "plain") => element("button", { kind, type: "button", text: t(words), "data-key": words, onclick });

export async function readIssues() {
  state.issues = (await ask("/api/issues")).issues;
  draw();
  hear();
  tell("issues");
}

// -- the list ------------------------------------------------------------------------------

function rowOf(issue) {
  const about = t("i-about", { number: issue.number, who: authorOf(issue), time: timeOf(new Date(issue.created)), count: issue.comments.length });
  return element("li", {}, [
    element("button", { kind: "issue", type: "button", "data-key": `issue${issue.number}`, onclick: () => turn(issue.number) }, [
      stateOf(issue), element("b", { text: issue.title }), element("small", { text: about }), ...labelsOf(issue),
    ]),
  ]);
}

function drawList(panel) {
  const rows = [...state.issues].reverse().map(rowOf);
  panel.replaceChildren(
    element("div", { kind: "acts" }, [button("i-new", () => tryTo(begin), "plain main")]),
    rows.length ? element("ul", { kind: "issues" }, rows) : element("p", { kind: "soft", text: t("i-none") }),
  );
}

// -- one issue -----------------------------------------------------------------------------

const copyButton = (text) => button("i-copy", () => tryTo(async () => { await copyText(text); notice(t("copied", { text })); }));

function reply(text) {
  const field = $("reply");
  field.value = text;
  field.focus();
}

function postOf(made) {
  const at = new Date(made.created);
  const body = element("div", { kind: "markdown" }, made.body ? markdown(made.body, { command: reply, copy: copyButton }) : [element("p", { kind: "soft", text: t("i-empty") })]);
  const about = element("div", { kind: "meta" }, [
    ...made.reactions.map(([content]) => element("span", { kind: "tag", text: content })),
    ...(made.edited ? [element("span", { text: t("edited") })] : []),
    element("time", { text: timeOf(at), datetime: made.created }),
  ]);
  const heading = element("h3", { kind: "who" }, [face(made), authorOf(made)]);
  return element("article", { kind: "post", "aria-label": `${authorOf(made)}, ${timeOf(at)}` }, [heading, body, about]);
}

function drawPosts(issue) {
  const posts = [issue, ...issue.comments], box = $("posts");
  posts.forEach((made) => {
    const now = JSON.stringify([made.body, made.edited, made.reactions]), before = shown.get(made.id);
    if (before?.now === now) return;
    const node = postOf(made), key = before?.node.contains(document.activeElement) && document.activeElement.dataset.key;
    if (before) before.node.replaceWith(node); else box.append(node);
    if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
    shown.set(made.id, { now, node });
  });
  const there = new Set(posts.map((made) => made.id));
  for (const [id, { node }] of shown) if (!there.has(id)) { node.remove(); shown.delete(id); }
}

function drawIssue(panel, issue) {
  if (panel.dataset.issue !== String(issue.number)) {
    shown.clear();
    panel.dataset.issue = issue.number;
    const field = element("textarea", { id: "reply", rows: "3", "aria-label": t("i-comment"), placeholder: t("i-placeholder", { name: nameOf(state.me) }) });
    const write = element("form", { kind: "write", onsubmit: (event) => { event.preventDefault(); tryTo(send); } }, [
      field, element("div", { kind: "acts" }, [element("button", { kind: "plain main", text: t("i-comment") }), button("i-close", () => tryTo(close)), button("i-reopen", () => tryTo(close))]),
    ]);
    field.onkeydown = (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); tryTo(send); } };
    panel.replaceChildren(
      element("div", { kind: "acts" }, [button("i-back", () => turn(null))]),
      element("div", { id: "about", kind: "about" }), element("div", { id: "posts" }), write,
    );
  }
  $("about").replaceChildren(element("h2", { text: `${issue.title} #${issue.number}` }), stateOf(issue), ...labelsOf(issue));
  panel.querySelector('[data-key="i-close"]').hidden = issue.state === "closed";
  panel.querySelector('[data-key="i-reopen"]').hidden = issue.state === "open";
  drawPosts(issue);
}

const current = () => state.issues.find((issue) => issue.number === open);

async function send() {
  const { comment } = await act("comment", { issue: open, body: $("reply").value });
  $("reply").value = "";
  await readIssues();
  shown.get(comment)?.node.scrollIntoView({ block: "nearest" });
}

async function close() {
  await act(current().state === "open" ? "close" : "reopen", { issue: open });
  await readIssues();
}

// -- a new one -----------------------------------------------------------------------------

function fieldOf(each) {
  if (each.type === "markdown") return element("div", { kind: "markdown" }, markdown(each.value));
  const id = `field-${each.id}`, given = { id, name: each.id, ...(each.required && { required: "" }) };
  const makes = {
    input: () => element("input", given),
    dropdown: () => element("select", given, each.options.map((value) => element("option", { value, text: value }))),
    textarea: () => element("textarea", { rows: "4", ...given }),
  };
  const field = (makes[each.type] ?? makes.textarea)();
  if (each.placeholder) field.placeholder = each.placeholder;
  if (each.value) field.value = each.value;
  const about = each.description ? [element("span", { kind: "soft" }, markdown(each.description).flatMap((made) => [...made.childNodes]))] : [];
  return element("div", { kind: "field" }, [element("label", { for: id, text: each.label }), ...about, field]);
}

async function begin() {
  [form = null] = (await ask("/api/issues/forms")).forms;
  turn("new");
}

function drawNew(panel) {
  const fields = form?.fields ?? [{ id: "body", type: "textarea", label: t("i-body"), placeholder: "/mirror nginx:1.27" }];
  const title = fieldOf({ id: "title", type: "input", label: t("i-title"), required: true, value: form?.title ?? "" });
  const create = async (event) => {
    const given = Object.fromEntries(new FormData(event.target));
    const { title: words, ...values } = given;
    const made = await act("open", form ? { title: words, form: form.file, values } : { title: words, body: values.body });
    await readIssues();
    turn(made.issue);
  };
  const acts = element("div", { kind: "acts" }, [element("button", { kind: "plain main", text: t("i-create") }), button("cancel", () => turn(null))]);
  const about = form ? [element("h2", { text: form.name }), element("p", { kind: "soft", text: form.description })] : [element("h2", { text: t("i-new") })];
  panel.replaceChildren(...about, element("form", { kind: "write", onsubmit: (event) => { event.preventDefault(); tryTo(() => create(event)); } }, [title, ...fields.map(fieldOf), acts]));
}

// -- which of the three --------------------------------------------------------------------

export function turn(to) {
  open = to;
  heardUpTo = 0;
  const panel = $("panel-issues");
  delete panel.dataset.issue;
  delete panel.dataset.now;
  draw();
  (panel.querySelector("input, textarea") ?? panel.querySelector("button"))?.focus({ preventScroll: true });
}

function draw() {
  const panel = $("panel-issues"), issue = current();
  if (issue) { drawIssue(panel, issue); return; }
  if (typeof open === "number") open = null; // deleted
  const now = JSON.stringify([open, state.me, open === "new" ? form : state.issues]);
  if (panel.dataset.now === now) return;
  const key = panel.contains(document.activeElement) && document.activeElement.dataset.key;
  panel.dataset.now = now;
  delete panel.dataset.issue;
  if (open === "new") drawNew(panel); else drawList(panel);
  if (key) panel.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

// A new comment on the open issue is read aloud once.
function hear() {
  const comments = current()?.comments ?? [], latest = Math.max(1, ...comments.map((made) => made.id));
  const fresh = comments.filter((made) => heardUpTo && made.id > heardUpTo && made.author !== state.me);
  heardUpTo = latest;
  if (fresh.length) $("heard").textContent = fresh.map((made) => `${authorOf(made)}: ${made.body}`).join("\n");
}

export function openIssues() {
  on("turned", () => { if ($("reply")) $("reply").placeholder = t("i-placeholder", { name: nameOf(state.me) }); draw(); });
  on("issue", (number) => { $("tab-issues").click(); turn(number); });
  tryTo(readIssues);
}
