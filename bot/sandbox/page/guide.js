// The guided minute: five steps. Each waits for the real event, and can be done for the visitor.

import { nodeOf, send, turnTo, write } from "./chat.js";
import { $, element, t, tryTo } from "./dom.js";
import { follow, images } from "./journey.js";
import { on, state } from "./state.js";

const RULED = "docker.io/library/redis:7", ASKED = "gcr.io/distroless/static:nonroot";
const iconOf = (name) => images().get(name)?.icon;
const buttonOf = (message, sign) => [...(nodeOf(message)?.querySelectorAll(".buttons button") ?? [])].find((each) => each.textContent.startsWith(sign));
const answer = () => state.messages.findLast((each) => each.from === "bot" && each.buttons.flat().some((button) => button.kind === "copy"));
let step = 0, copied = false;

const STEPS = [
  { done: () => iconOf(ASKED), does: () => { turnTo({ me: "wei", place: "group", topic: null }); write("/mirror redis:7 gcr.io/distroless/static:nonroot"); return send(); }, wanted: () => $("send") },
  { done: () => state.me === "ana", does: () => turnTo({ me: "ana" }), wanted: () => $("people").querySelector("label:has([value=ana])") },
  { done: () => "📝🔄✅👍".includes(iconOf(ASKED) ?? "?"), does: () => approve()?.click(), wanted: () => approve() },
  { done: () => iconOf(ASKED) === "✅" && iconOf(RULED) === "✅", get does() { return hidden() && look; }, wanted: () => hidden() },
  { done: () => copied, does: () => copyButton()?.click(), wanted: () => copyButton() },
];

// On a phone the journey is behind a button.
const hidden = () => ($("peek").checkVisibility() && !$("app").classList.contains("peeking") ? $("peek") : null);
const look = () => hidden()?.click();
const approve = () => images().get(ASKED) && buttonOf(images().get(ASKED).card, "✅");
const copyButton = () => answer() && buttonOf(answer(), "📋");

function end() {
  step = 0;
  mark(null);
  $("guide").hidden = true;
  localStorage.setItem("guided", "yes");
}

function mark(wanted) {
  for (const each of document.querySelectorAll(".wanted")) if (each !== wanted) each.classList.remove("wanted");
  wanted?.classList.add("wanted");
}

function draw() {
  const box = $("guide"), last = step > STEPS.length;
  const key = String(step);
  if (box.dataset.now !== key) {
    box.dataset.now = key;
    const acts = [];
    if (!last && STEPS[step - 1].does) acts.push(element("button", { kind: "plain main", type: "button", text: t("g-do"), onclick: () => tryTo(async () => STEPS[step - 1].does()) }));
    if (last) acts.push(element("button", { kind: "plain main", type: "button", text: t("g-open"), onclick: () => { end(); $("tab-faults").click(); document.querySelector("#app").classList.add("peeking"); } }));
    acts.push(element("button", { kind: "plain", type: "button", text: t(last ? "g-end" : "g-skip"), onclick: end }));
    box.replaceChildren(
      element("p", { kind: "step", text: `${t("g-name")} · ${t("g-step", { number: Math.min(step, STEPS.length) })}` }),
      element("p", { text: t(`g-${step}`), role: "status" }), element("div", { kind: "acts" }, acts),
    );
  }
  mark(last ? null : STEPS[step - 1].wanted());
}

function advance() {
  if (!step) return;
  while (step <= STEPS.length && STEPS[step - 1].done()) {
    step += 1;
    if (step === 2) follow(ASKED, "decision");
    if (step === 4) follow(ASKED, "run");
    if (step === 5) {
      follow(ASKED, "registry");
      if ($("app").classList.contains("peeking")) $("peek").click();
    }
  }
  draw();
}

export function openGuide() {
  for (const event of ["chat", "world", "turned"]) on(event, advance);
  on("copied", () => { copied = step === STEPS.length; advance(); });
  on("chat", () => {
    if (step || state.messages.length || localStorage.getItem("guided")) return;
    step = 1;
    $("guide").hidden = false;
    write("/mirror redis:7 gcr.io/distroless/static:nonroot");
    draw();
  });
}
