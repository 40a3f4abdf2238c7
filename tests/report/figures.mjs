// Compares everything that a page shows with the CSV files: tables, headlines, dimensions, plots, what moved.
import assert from "node:assert/strict";
import { dayNumber, minus, percentage, same, second, sum } from "./oracle.mjs";

// As people read a number. Other texts, such as 1e+15 and NaN, stay as they are.
const grouped = (text) =>
  /^[+-]?\d+(\.\d+)?$/.test(text) ? text.replace(/^([+-]?)(\d+)/, (_, sign, whole) =>
    sign + whole.replace(/\B(?=(\d{3})+$)/g, ",")) : text;
const shown = (text) => (text === null ? "none" : grouped(text));
const plain = (text) => text.replaceAll(",", "");
// A browser reads the end of a line as one character, whatever it was.
const lines = (text) => text.replaceAll(/\r\n?/g, "\n");
// A value that would read as another one is in quotes.
export const named = (value) => {
  if (value === null) return "NULL";
  return value === "" || value === "NULL" || value.trim() !== value ? `"${lines(value)}"` : lines(value);
};
const combination = (dimensions, values) =>
  dimensions.map((dimension, at) => `${dimension} = ${named(values[at])}`).join(", ");

const readTables = (page) => page.$$eval("[data-table]", (all) => all.map((table) => ({
  level: table.dataset.table,
  head: [...(table.querySelector("thead")?.querySelectorAll("th") || [])].map((cell) => cell.textContent),
  rows: [...table.querySelectorAll("tr[data-p]")].map((row) => [...row.cells].map((cell) => cell.textContent)),
})));

// Every period of each level, each figure digit by digit.
export async function tables(page, published) {
  const found = await readTables(page), rows = {};
  for (const { level, head, rows: told } of found) {
    rows[level] = told.reduce((sum, [, rows]) => sum + Number(plain(rows)), 0);
    const expected = published.figures(level);
    if (!expected) continue;
    if (level === "hour" && expected.size > 0) {
      const days = [...expected.keys()].map((period) => Math.floor(second(period) / 86400));
      const from = Math.max(...days) - 30;
      for (const period of expected.keys()) if (second(period) < from * 86400) expected.delete(period);
    }
    assert.deepEqual(told.map(([period]) => period).sort(), [...expected.keys()].sort(), level);
    if (told.length > 0) assert.deepEqual(head, [level, "rows", ...published.statistics, "state"]);
    for (const [period, , ...cells] of told) {
      published.statistics.forEach((name, at) => {
        const text = expected.get(period)[name];
        if (text !== undefined) assert.equal(cells[at], shown(text), `${level} ${period} ${name}`);
      });
    }
  }
  const whole = ["day", "month", "year"].map((level) => rows[level]);
  assert.ok(whole.every((rows) => rows === whole[0]), `rows: ${whole}`);
  return found;
}

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December"];
const month = (title) => {
  const [, word, minus, year] = /^(\w+) (-?)(\d+)$/.exec(title);
  return `${minus}${year.padStart(4, "0")}-${String(MONTHS.indexOf(word) + 1).padStart(2, "0")}`;
};
const before = (period, months) => {
  const [, sign, year, number] = /^(-?)(\d+)-(\d+)$/.exec(period), of = Number(sign + year);
  const all = (of < 0 ? of + 1 : of) * 12 + Number(number) - 1 - months, at = Math.floor(all / 12);
  return `${at <= 0 ? "-" : ""}${String(at <= 0 ? 1 - at : at).padStart(4, "0")}-` +
    String(all - at * 12 + 1).padStart(2, "0");
};

// A difference with its sign, and its percentage as far as a page tells it.
function changes({ way, percent, difference }, from, to, what) {
  const finite = [from, to].every((text) => text !== null && text !== undefined && !/[NI]/.test(text));
  if (!finite) {
    assert.equal(percent, "", what);
    return;
  }
  const exact = minus(to, from);
  const isExact = difference !== "" && same(plain(difference).replace("+", ""), exact);
  assert.ok(isExact, `${what}: ${difference}, not ${exact}`);
  if (way !== null) assert.equal(way, exact === "0" ? "same" : exact[0] === "-" ? "down" : "up", what);
  const isTold = exact !== "0" && minus(from, "0") !== "0";
  assert.equal(/\d/.test(percent), isTold, `${what}: ${percent}`);
  if (isTold) {
    // With an exponent it has two digits.
    const expected = percentage(exact, from), near = percent.includes("e") ? 0.051 : 1e-9;
    const told = Number(percent.replace(/[,%]/g, ""));
    assert.ok(told === expected || Math.abs(told - expected) <= Math.max(0.51, Math.abs(expected) * near),
      `${what}: ${percent}, not ${expected}`);
  }
}

// For the functions that read a page: what a cell says of a change.
const teach = (page) => page.evaluate(() => {
  globalThis.readChange = (cell) => {
    const way = cell.querySelector(".up, .down, .same");
    return {
      way: way?.className || "", percent: way?.textContent || "",
      difference: (cell.querySelector(".soft")?.textContent || "").replace(/[()]/g, ""),
    };
  };
});

// The last closed month beside the one before and the same one of the year before, and open months.
export async function headlines(page, published, { rows }) {
  const expected = published.figures("month");
  if (!expected) return;
  await teach(page);
  const sections = await page.$$eval("section[data-figure]", (all) => all.map((section) => ({
    name: section.dataset.figure,
    cards: [...section.querySelectorAll(".card")].map((card) => ({
      title: card.firstElementChild.firstChild.textContent.trim(), open: Boolean(card.querySelector(".tag")),
      value: card.querySelector(".figure").textContent,
      versus: [...card.querySelectorAll(".small")].map((line) => ({
        said: line.firstChild.textContent.trim(), ...readChange(line),
      })),
    })),
  })));
  const open = rows.filter((row) => row.at(-1).startsWith("open")).map(([period]) => period);
  const closed = rows.map(([period]) => period).filter((period) => !open.includes(period));
  for (const { name, cards } of sections) {
    assert.deepEqual(cards.map(({ title }) => month(title)), [...closed.slice(-1), ...open.slice(0, 2)], name);
    for (const { title, open, value, versus } of cards) {
      const now = expected.get(month(title))[name];
      if (now === undefined) continue;
      assert.equal(value, shown(now), `${name} of ${title}`);
      assert.equal(versus.length, open ? 0 : 2);
      versus.forEach((one, at) => {
        const other = before(month(title), at === 0 ? 1 : 12), then = expected.get(other)?.[name];
        const [, said, text] = /^(.*): (.*)$/.exec(one.said);
        assert.equal(month(said), other);
        assert.equal(text, then === undefined ? "no rows" : shown(then), `${name} of ${other}`);
        if (then !== undefined) changes(one, then, now, `${name} of ${title}`);
      });
    }
  }
}

// Each dimension's values of a month; those that are not shown add up to what is told of all others.
export async function dimensions(page, published, { rows }) {
  if (!published.lines("month")) return;
  await teach(page);
  const found = await page.$$eval("[data-measure]", (all) => all.map((one) => ({
    heading: one.querySelector("h3").textContent, name: one.dataset.measure,
    caption: one.querySelector("caption").textContent,
    values: [...one.querySelectorAll("tbody tr")].map((row) => ({
      name: row.cells[0].textContent, special: row.cells[0].classList.contains("null"),
      value: row.cells[1].textContent, share: row.cells[2].textContent, ...readChange(row.cells[3]),
    })),
  })));
  const sums = published.statistics.filter((name) => name.startsWith("sum_"));
  const known = [...published.lines("month").values()].flat();
  assert.equal(found.length, known.length === 0 ? 0 : published.dimensions.length * sums.length);
  for (const [at, { heading, name, caption, values }] of found.entries()) {
    const dimension = Math.floor(at / sums.length), title = /^(.*?)(?: \(open\))?, against/.exec(caption)[1];
    assert.ok(heading.startsWith(`${published.dimensions[dimension]}, `), heading);
    const now = month(title), then = before(now, 1);
    // The last 24 months, or those before this one if it is older.
    const until = (last) => Array.from({ length: 24 }, (_, months) => before(last, months));
    const last = until(rows.at(-1)[0]), window = last.includes(now) ? last : until(now);
    const lines = window.flatMap((period) => published.lines("month").get(period) || []);
    const left = new Set(lines.map((line) => line.values[dimension]));
    const of = (period, asked) => published.figures("month", (line) => asked(line[dimension])).get(period)?.[name];
    const whole = of(now, () => true);
    const compare = (told, asked) => {
      const figure = of(now, asked), what = `${name} of ${told.name.slice(0, 40)}`;
      assert.equal(told.value, figure === undefined ? "no rows" : shown(figure), what);
      changes(told, of(then, asked), figure, what);
      if (told.share) {
        const share = Number(figure) / Number(whole) * 100;
        assert.ok(Math.abs(parseFloat(told.share) - share) <= 0.0501, `${what}: ${told.share}, not ${share}`);
      }
    };
    for (const told of values.filter(({ special, name }) => !special || name === "NULL")) {
      const value = [...left].find((value) => named(value) === told.name && (value === null) === told.special);
      assert.ok(value !== undefined, `${told.name} is no value, or is there twice`);
      left.delete(value);
      compare(told, (other) => other === value);
    }
    const [rest, ...more] = values.filter(({ special, name }) => special && name !== "NULL");
    assert.equal(more.length, 0);
    assert.equal(rest?.name, left.size === 0 ? undefined : `other (${left.size} value${left.size > 1 ? "s" : ""})`);
    if (rest) compare(rest, (other) => left.has(other));
    const parts = values.filter(({ value }) => !/no/.test(value)).map(({ value }) => plain(value));
    const isThere = whole !== undefined && whole !== null;
    if (isThere) assert.ok(same(sum(parts), whole), `${name}: ${sum(parts)}, not ${whole}`);
  }
}

// What is drawn of a number; the page breaks the line where there is nothing.
const drawn = (text) => (text !== null && Math.abs(Number(text)) < 8e307 ? Number(text) : null);
// A browser's dates end here.
const LAST = 864e10;

const points = ([xs, ...lists], at) =>
  Object.fromEntries(xs.map((x, i) => [x, lists.at(at)[i]]).filter(([, value]) => value !== null));

// The points of every figure on every level, and of some combinations.
export async function plots(page, published, r) {
  const choices = await page.evaluate(() => ({
    levels: [...level.options].map((one) => one.value), combinations: chosen ? chosen.options.length - 1 : 0,
  }));
  const draw = (settings) => page.evaluate(async ([name, of, at]) => {
    figure.value = name; level.value = of;
    if (chosen) chosen.selectedIndex = at;
    await draw();
    return { data: plots[0].data, label: at > 0 ? chosen.options[at].textContent : "" };
  }, settings);
  for (const level of choices.levels) {
    const expected = published.figures(level);
    if (!expected) continue;
    const last = Math.max(...[...expected.keys()].map((period) => Math.floor(second(period) / 86400)));
    for (const name of published.statistics) {
      const { data } = await draw([name, level, 0]), wanted = {};
      for (const [period, figures] of expected) {
        const at = second(period), isThere = level !== "hour" || at >= (last - 30) * 86400;
        if (figures[name] === undefined || !isThere || Math.abs(at) > LAST) continue;
        if (drawn(figures[name]) !== null) wanted[at] = drawn(figures[name]);
      }
      if ([...expected.values()].every((figures) => figures[name] !== undefined)) {
        assert.deepEqual(points(data, 0), wanted, `${name} by ${level}`);
      }
    }
  }
  const days = published.lines("day");
  if (!days || published.dimensions.length === 0) return;
  const all = new Map([...days.values()].flat().map(({ values }) => [JSON.stringify(values), values]));
  assert.equal(choices.combinations, Math.min(50, all.size));
  for (let at = 1; at <= choices.combinations; at += 1 + r.below(5)) {
    const { label } = await draw([published.statistics[0], "day", at]);
    const fits = [...all.values()].filter((values) => combination(published.dimensions, values) === label);
    assert.equal(fits.length, 1, `a combination ${label.slice(0, 80)}`);
    const expected = published.figures("day", (values) => values.every((value, i) => value === fits[0][i]));
    for (const name of published.statistics) {
      const { data } = await draw([name, "day", at]), found = points(data, -1);
      if (/^m(in|ax)_/.test(name)) {
        assert.deepEqual(found, {}, `${name} of ${label}`);
        continue;
      }
      const wanted = [...expected].filter(([period, figures]) =>
        Math.abs(second(period)) <= LAST && drawn(figures[name]) !== null);
      assert.equal(Object.keys(found).length, wanted.length, `${name} of ${label}`);
      for (const [period, figures] of wanted) {
        const [value, number] = [found[second(period)], Number(figures[name])];
        // A mean is divided in the browser, and has more decimals there.
        const near = name.startsWith("mean_") ? 6e-7 + Math.abs(number) * 1e-12 : 0;
        assert.ok(Math.abs(value - number) <= near, `${name} of ${label}, ${period}: ${value}, not ${number}`);
      }
    }
  }
}

const LEVELS = [[/T/, "hour"], [/Q/, "quarter"], [/W/, "week"], [/\d-\d+-/, "day"], [/\d-/, "month"], [/./, "year"]];

// What moved since the page before: what was published then, and now.
export async function moved(page, before, now) {
  const blocks = await page.$$eval("div.moved", (all) => all.map((block) => ({
    period: block.querySelector("strong").textContent,
    rows: [...block.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
  })));
  for (const { period, rows } of blocks) {
    const level = LEVELS.find(([form]) => form.test(period))[1];
    if (!before.lines(level) || !now.lines(level)) continue;
    const [from, to] = [before, now].map((published) => published.figures(level).get(period));
    for (const name of now.statistics) {
      const texts = [from?.[name], to?.[name]].map((text) => (text === undefined ? null : text));
      const row = rows.find(([figure]) => figure === name);
      if (from && from[name] === undefined || to && to[name] === undefined) continue;
      if (texts[0] === texts[1]) { assert.equal(row, undefined, `${period} ${name}`); continue; }
      assert.deepEqual(row?.slice(1, 3), texts.map(shown), `${period} ${name}`);
      changes({ way: null, percent: row[4], difference: row[3] }, ...texts, `${period} ${name}`);
    }
    for (const [head, was, is] of rows.filter(([figure]) => figure.includes(": "))) {
      const [, label, name] = /^(.*): (rows|[a-z]+_.*?)$/s.exec(head);
      if (name === "rows") continue;
      const of = (published) => (published.lines(level).get(period) || [])
        .filter(({ values }) => combination(published.dimensions, values) === label).map(({ figures }) => figures);
      // A long value is cut there.
      if (level !== "day" || !now.levels.day || label.includes("…")) continue;
      const texts = [of(before), of(now)].map(([figures]) => figures?.[name] ?? null);
      assert.deepEqual([was, is], texts.map(shown), head);
    }
  }
  return blocks.length;
}
