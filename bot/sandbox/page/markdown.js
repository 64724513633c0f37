// GitHub's Markdown, as far as people and the bot write it in issues. It makes elements and never HTML:
// what is foreign cannot act, and what is not known stays text. https://github.github.com/gfm

import { address, element } from "./dom.js";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0", "#96": "`", "#36": "$", "#39": "'" };
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w.+-]*)[^`]*$/;
const ITEM = /^( {0,3})(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ROW = /^\s*\|.*\|\s*$/;

// -- within a line -------------------------------------------------------------------------

const INLINE = [
  [/^\\([!-/:-@[-`{-~])/, (found) => found[1]],
  [/^&(#?\w{2,8});/, (found) => ENTITIES[found[1]] ?? found[0]],
  [/^(`+)(?!`)([\s\S]{0,2000}?[^`])\1(?!`)/, (found, options) => codeOf(found[2], options)],
  [/^<!--[\s\S]{0,2000}?-->/, () => ""],
  [/^<(b|i|s|sub|sup|kbd)>([\s\S]{0,2000}?)<\/\1>/i, (found, options) => element(found[1].toLowerCase(), {}, inline(found[2], options))],
  [/^<(?:br|\/?(?:span|b|i|u))\s*\/?>/i, (found) => (found[0].startsWith("<br") ? element("br") : "")],
  [/^!\[([^\]\n]*)\]\([^()\s]*\)/, (found) => found[1]],
  [/^\[((?:[^[\]\\]|\\.)*)\]\(<?([^()\s<>]*)>?\)/, (found, options) => linkOf(inline(found[1], options), found[2])],
  [/^<(https?:\/\/[^\s<>]+)>/, (found) => linkOf([found[1]], found[1])],
  [/^https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"]/, (found) => linkOf([found[0]], found[0])],
  [/^\*\*(?=\S)([\s\S]{0,2000}?\S)\*\*/, (found, options) => element("b", {}, inline(found[1], options))],
  [/^~~(?=\S)([\s\S]{0,2000}?\S)~~/, (found, options) => element("s", {}, inline(found[1], options))],
  [/^\*(?=\S)([\s\S]{0,2000}?\S)\*/, (found, options) => element("i", {}, inline(found[1], options))],
  [/^_(?=\S)([\s\S]{0,2000}?\S)_(?!\w)/, (found, options) => element("i", {}, inline(found[1], options))],
  [/^@[A-Za-z0-9][A-Za-z0-9-]*/, (found) => element("b", { kind: "mention", text: found[0] })],
];

const breakable = (text) => text.split(/(?<=[/:@])/).flatMap((part) => [part, document.createElement("wbr")]).slice(0, -1);

function codeOf(raw, { command }) {
  const text = raw.replaceAll("\n", " ").replace(/^ (.*[^ ].*) $/, "$1");
  if (command && /^\/[a-z]/.test(text)) return element("button", { kind: "command", type: "button", text, "data-key": text, onclick: () => command(text) });
  return element("code", {}, breakable(text));
}

function linkOf(children, url) {
  const target = address(url);
  return element("a", target ? { href: target, target: "_blank", rel: "noopener noreferrer" } : {}, children);
}

function inline(text, options) {
  const made = [];
  let plain = "", at = 0;
  const flush = () => { if (plain) made.push(plain); plain = ""; };
  while (at < text.length) {
    const rest = text.slice(at), inWord = /[\p{L}\p{N}]/u.test(text[at - 1] ?? "");
    let hit = null;
    for (const [pattern, makes] of INLINE) {
      if (inWord && /^[_@h]/.test(rest)) break; // a_b, a mail address and xhttp:// are words
      const found = pattern.exec(rest);
      if (found) { hit = [found[0].length, makes(found, options)]; break; }
    }
    if (!hit) {
      if (text[at] === "\n") { flush(); made.push(element("br")); } else plain += text[at];
      at += 1;
      continue;
    }
    at += hit[0];
    if (typeof hit[1] === "string") plain += hit[1]; else { flush(); made.push(hit[1]); }
  }
  flush();
  return made;
}

// -- lines ---------------------------------------------------------------------------------

function fenceOf(lines, { copy }) {
  const [, mark] = FENCE.exec(lines.shift()), body = [];
  const ends = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
  while (lines.length && !ends.test(lines[0])) body.push(lines.shift());
  lines.shift();
  const text = body.join("\n"), block = element("pre", { tabindex: "0" }, [element("code", { text })]);
  return element("div", { kind: "fence" }, copy ? [block, copy(text)] : [block]);
}

function listOf(lines, options) {
  const [, indent, bullet] = ITEM.exec(lines[0]), items = [];
  const inside = indent.length + 2;
  while (lines.length && ITEM.test(lines[0]) && Boolean(ITEM.exec(lines[0])[2]) === Boolean(bullet)) {
    const own = [ITEM.exec(lines.shift())[4]];
    while (lines.length && (/^\s/.test(lines[0]) || (lines[0] && !ITEM.test(lines[0]) && !FENCE.test(lines[0]) && !/^[#>|]/.test(lines[0])))) own.push(lines.shift().replace(new RegExp(`^ {0,${inside + 1}}`), ""));
    if (lines[0] === "" && ITEM.test(lines[1] ?? "")) lines.shift();
    own[0] = own[0].replace(/^\[([ xX])\] /, (_, ticked) => (ticked === " " ? "☐ " : "☑ "));
    const [first, ...rest] = blocks(own, options);
    items.push(element("li", {}, first?.tagName === "P" ? [...first.childNodes, ...rest] : [first ?? "", ...rest]));
  }
  return element(bullet ? "ul" : "ol", {}, items);
}

function tableOf(lines, options) {
  const cells = (line) => line.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
  const row = (line, tag) => element("tr", {}, cells(line).map((cell) => element(tag, {}, inline(cell, options))));
  const head = row(lines.shift(), "th"), body = [];
  lines.shift();
  while (lines.length && ROW.test(lines[0])) body.push(row(lines.shift(), "td"));
  return element("div", { kind: "table", tabindex: "0" }, [element("table", {}, [head, ...body])]);
}

function detailsOf(lines, options) {
  const own = [];
  let depth = 0;
  do {
    const line = lines.shift();
    depth += (line.match(/<details/gi) ?? []).length - (line.match(/<\/details/gi) ?? []).length;
    own.push(line);
  } while (lines.length && depth > 0);
  const text = own.join("\n").replace(/^\s*<details[^>]*>/i, "").replace(/<\/details>\s*$/i, "");
  const [, summary = "…"] = /<summary>([\s\S]*?)<\/summary>/i.exec(text) ?? [];
  const rest = text.replace(/<summary>[\s\S]*?<\/summary>/i, "").split("\n");
  return element("details", {}, [element("summary", {}, inline(summary, options)), ...blocks(rest, options)]);
}

function quoteOf(lines, options) {
  const own = [];
  while (lines.length && /^ {0,3}>/.test(lines[0])) own.push(lines.shift().replace(/^ {0,3}> ?/, ""));
  return element("blockquote", {}, blocks(own, options));
}

function headingOf(lines, options) {
  const [, marks, text] = /^ {0,3}(#{1,6})\s+(.*?)[\s#]*$/.exec(lines.shift());
  return element(`h${Math.min(6, marks.length + 2)}`, {}, inline(text, options));
}

function hidden(lines) {
  while (lines.length && !lines.shift().includes("-->"));
  return "";
}

const STARTS = [
  [FENCE, fenceOf], [/^ {0,3}#{1,6}\s/, headingOf], [RULE, (lines) => { lines.shift(); return element("hr"); }],
  [/^ {0,3}>/, quoteOf], [/^\s*<details/i, detailsOf], [/^ {0,3}<!--/, hidden], [ITEM, listOf],
];
const isTable = (lines) => ROW.test(lines[0]) && /^\s*\|[\s:|-]+\|\s*$/.test(lines[1] ?? "");

function blocks(lines, options) {
  const made = [];
  while (lines.length) {
    const starts = STARTS.find(([pattern]) => pattern.test(lines[0]));
    if (!lines[0].trim()) lines.shift();
    else if (isTable(lines)) made.push(tableOf(lines, options));
    else if (starts) made.push(starts[1](lines, options));
    else {
      const own = [lines.shift()];
      while (lines.length && lines[0].trim() && !isTable(lines) && !STARTS.some(([pattern]) => pattern.test(lines[0]))) own.push(lines.shift());
      made.push(element("p", {}, inline(own.join("\n").replace(/ +$/gm, ""), options)));
    }
  }
  return made;
}

// Elements for a text. `command` takes a command in code that somebody taps, and `copy` makes the
// button beside a block of code.
export const markdown = (text, options = {}) => blocks(text.replaceAll("\r\n", "\n").split("\n"), options);
