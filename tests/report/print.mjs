// Prints pages, and compares each sheet with what the document says. Needs pdftotext and pdftoppm, of poppler.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "./browser.mjs";

// Signs that a style sets before a text, and blanks, which each program sets as it likes.
const bare = (text) => text.normalize("NFKC").replaceAll(/[\s▲▼▶▸▾=:\u00ad\u200b]/gu, "").toLowerCase();

// The text of the whole document as it is on paper, with what must not be torn apart: rows, headings and their next.
const spoken = (page) => page.evaluate(() => {
  dispatchEvent(new Event("beforeprint"));
  const found = [], range = document.createRange();
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const together = new Map(), blocks = "tr, h2, h3, h4, .card, dt, summary";
  const heading = (block) => block.closest("table")?.tHead?.offsetHeight || 0, sheet = (297 - 2 * 14) * 96 / 25.4;
  while (all.nextNode()) {
    const node = all.currentNode, element = node.parentElement;
    range.selectNodeContents(node);
    const isSeen = node.data.trim() && range.getClientRects().length > 0 && !element.closest("title, script, style");
    if (!isSeen) continue;
    const block = element.closest(blocks);
    if (block && !together.has(block)) together.set(block, together.size);
    const is = (selector) => Boolean(element.closest(selector));
    found.push({
      text: node.data, block: block ? together.get(block) : null, isHead: is("thead"), isTitle: is("h2, h3, h4"),
      isTall: Boolean(block) && block.offsetHeight + heading(block) > sheet,
    });
  }
  dispatchEvent(new Event("afterprint"));
  return found;
});

// A page on paper, in a folder of its own: its sheets as texts, and as places of words.
export async function printed(address, folder, options = {}, looking = async () => {}) {
  const { page, said, close } = await open(address, options);
  const [file, bare] = ["page.pdf", "bare.pdf"].map((name) => join(folder, name));
  await looking(page);
  writeFileSync(file, await page.pdf({ format: "A4" }));
  // Once more without what is written in the plots, which stands in no document.
  await page.evaluate(() => addEventListener("beforeprint", () => {
    for (const canvas of document.querySelectorAll("canvas")) canvas.style.visibility = "hidden";
  }));
  writeFileSync(bare, await page.pdf({ format: "A4" }));
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 700, height: 900 });
  const expected = await spoken(page);
  assert.deepEqual(said, []);
  await close();
  const poppler = (tool, ...args) => execFileSync(tool, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const texts = (file) => poppler("pdftotext", "-raw", file, "-").split("\f").slice(0, -1);
  return {
    expected, sheets: texts(file), bareSheets: texts(bare),
    boxes: poppler("pdftotext", "-bbox", file, "-"),
    pictures: () => {
      poppler("pdftoppm", "-r", "40", file, join(folder, "sheet"));
      const names = readdirSync(folder).filter((name) => name.startsWith("sheet-")).sort();
      return names.map((name) => readFileSync(join(folder, name)));
    },
  };
}

// Everything is on paper once and in order; a table's head comes again on each sheet that goes on with it. Of a row
// that is higher than a sheet, each sheet has a part of each cell, so only how often each letter is there is compared.
export function isComplete({ expected, bareSheets }) {
  const letters = [], heads = [], tall = new Map();
  let head = "";
  for (const { text, block, isHead, isTitle, isTall } of expected) {
    if (isHead) head += bare(text);
    else if (head) { heads.push(head); head = ""; }
    if (isTall && !tall.has(block)) tall.set(block, new Map());
    for (const letter of bare(text)) {
      letters.push({ letter, block, isTitle });
      const left = tall.get(block);
      if (left) left.set(letter, (left.get(letter) || 0) + 1);
    }
  }
  const sheetsOf = new Map();
  let at = 0;
  const whole = letters.map(({ letter }) => letter).join("");
  bareSheets.forEach((sheet, number) => {
    let text = bare(sheet);
    assert.ok(text, `sheet ${number + 1} is empty`);
    if (!whole.startsWith(text.slice(0, 40), at)) {
      const again = heads.find((head) => text.startsWith(head));
      assert.ok(again, `sheet ${number + 1} begins with ${text.slice(0, 60)}, not ${whole.slice(at, at + 60)}`);
      text = text.slice(again.length);
    }
    assert.ok(!letters[at - 1]?.isTitle, `sheet ${number} ends with the title of what is on the next one`);
    for (const letter of text) {
      const { block = null, letter: next } = letters[at] || {}, left = tall.get(block);
      const isIt = left ? left.get(letter) > 0 : letter === next;
      assert.ok(isIt, `sheet ${number + 1}: there is ${letter}, and in the document comes ` +
        `${whole.slice(at, at + 40)} after ${whole.slice(Math.max(0, at - 40), at)}`);
      left?.set(letter, left.get(letter) - 1);
      if (block !== null) sheetsOf.set(block, (sheetsOf.get(block) || new Set()).add(number));
      at += 1;
    }
  });
  assert.equal(at, letters.length, `on no sheet: ${whole.slice(at, at + 80)}`);
  for (const [block, on] of sheetsOf) {
    assert.equal(on.size > 1, tall.has(block), `block ${block} is on sheets ${[...on]}`);
  }
  return tall.size;
}

// No word is beyond the margins.
export function isInside({ boxes }, margin) {
  for (const [number, sheet] of boxes.split("<page ").slice(1).entries()) {
    const [width, height] = ["width", "height"].map((side) => Number(new RegExp(`${side}="([\\d.]+)"`).exec(sheet)[1]));
    const words = /xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)/g;
    for (const [, left, top, right, bottom, word] of sheet.matchAll(words)) {
      const is = left >= margin && top >= margin && right <= width - margin && bottom <= height - margin;
      assert.ok(is, `sheet ${number + 1}: "${word}" is at ${[left, top, right, bottom]} of ${[width, height]}`);
    }
  }
}
