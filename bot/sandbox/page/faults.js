// Breaking something: faults in words, what to watch for, and what has happened.

import { $, ask, element, post, t, tryTo } from "./dom.js";
import { replaceAtSource } from "./journey.js";

const FAULTS = {
  lost: { where: "github", what: "lost", times: 1, path: "PUT " },
  quota: { where: "target", what: "says quota", times: 50, path: "/manifests/" },
  limit: { where: "source", what: "says pull-limit", times: 20, path: "GET " },
  silent: { where: "source", what: "silent", times: 2, path: "/manifests/" },
  telegram: { where: "telegram", what: "lost", times: 1, path: "sendMessage" },
  kill: () => post("/api/bot", {}),
  swap: () => replaceAtSource("docker.io/library/redis:7"),
};
const did = new Map(); // name -> "f-armed", "f-happened" or "f-done"

const same = (fault, armed) => ["where", "what", "path"].every((part) => armed[part] === fault[part]);

async function readFaults() {
  const { armed } = await ask("/api/faults");
  for (const [name, fault] of Object.entries(FAULTS)) {
    if (typeof fault === "function" || !did.has(name)) continue;
    const left = armed.find((each) => same(fault, each));
    did.set(name, left?.times === fault.times ? "f-armed" : "f-happened");
  }
  draw();
}

function item(name, fault) {
  const now = typeof fault === "function";
  const does = () => tryTo(async () => {
    await (now ? fault() : post("/api/faults", fault));
    did.set(name, now ? "f-done" : "f-armed");
    draw();
  });
  return element("section", { kind: "section fault" }, [
    element("h2", { text: t(`f-${name}`) }), element("p", { kind: "soft", text: t(`f-${name}-watch`) }),
    element("div", { kind: "acts" }, [
      element("button", { kind: "plain", type: "button", text: t(now ? "f-now" : "f-arm"), "data-key": name, onclick: does }),
      element("span", { kind: "wait", role: "status", text: did.has(name) ? t(did.get(name)) : "" }),
    ]),
  ]);
}

function draw() {
  const panel = $("panel-faults"), had = panel.contains(document.activeElement) && document.activeElement.dataset.key;
  const reset = element("button", { kind: "plain", type: "button", text: t("f-reset"), "data-key": "reset", onclick: () => tryTo(async () => {
    await ask("/api/faults", { method: "DELETE" });
    did.clear();
    draw();
  }) });
  panel.replaceChildren(element("p", { text: t("f-intro") }), ...Object.entries(FAULTS).map(([name, fault]) => item(name, fault)), reset);
  if (had) panel.querySelector(`[data-key="${had}"]`)?.focus();
}

export function openFaults() {
  draw();
  setInterval(() => { if (!$("panel-faults").hidden && did.size) tryTo(readFaults); }, 1000);
}
