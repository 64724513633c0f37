// What the page knows, and who wants to hear of it.

export const PEOPLE = { wei: "member", li: "member", ana: "admin", mallory: "stranger" };
export const PLACES = ["group", "team", "private"];
export const nameOf = (person) => person[0].toUpperCase() + person.slice(1);

export const state = {
  me: "wei", place: "group", topic: null, supergroup: true,
  answering: null, editing: null,
  messages: [], issues: [], statements: [], repository: { list: "", commits: [], runs: [] },
  registries: { source: { images: [] }, target: { images: [] } },
};

const hearers = new Map();

export function on(event, hearer) {
  hearers.set(event, [...(hearers.get(event) ?? []), hearer]);
}

export function tell(event, value) {
  for (const hearer of hearers.get(event) ?? []) hearer(value);
}
