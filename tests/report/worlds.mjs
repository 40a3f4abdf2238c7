// Draws a world of entities from a seed: node worlds.mjs SEED FOLDER writes kalends.toml, create.sql and change.sql.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

// A small generator of random numbers (mulberry32), so that a seed repeats its world.
export function randomness(seed) {
  let state = Number(seed) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (many) => Math.floor(next() * many);
  const pick = (list) => list[below(list.length)];
  const some = (list, least) => {
    const found = list.filter(() => next() < 0.5);
    return found.length >= least ? found : list.slice(0, least);
  };
  return { next, below, pick, some };
}

const text = (found) => (found === null ? "NULL" : `'${String(found).replaceAll("'", "''")}'`);

// What a value of each type can be: common ones, and those at the edges.
const MEASURES = {
  smallint: { usual: (r) => r.below(500) - 100, odd: [32767, -32768, 0] },
  integer: { usual: (r) => r.below(1e6) - 2e5, odd: [2147483647, -2147483648] },
  bigint: { usual: (r) => r.below(1e9), odd: ["9223372036854775807", "-9223372036854775808", "9007199254740993"] },
  numeric: {
    usual: (r) => ((r.below(2e6) - 4e5) / 100).toFixed(2),
    odd: ["NaN", "Infinity", "-Infinity", `1${"0".repeat(320)}.5`, `-7${"3".repeat(40)}`, `0.${"0".repeat(60)}1`,
      "5.00"],
  },
  // A negative scale, which PostgreSQL 14 does not know.
  ":coarse": { usual: (r) => r.below(1e7) - 1e6, odd: [-150, 149, 0] },
  real: {
    usual: (r) => (r.below(1e5) - 1e4) / 8, odd: ["NaN", "Infinity", "-Infinity", "3.4e38", "1e-45", "1e15", "-0"],
  },
  "double precision": {
    usual: (r) => (r.below(1e7) - 1e6) / 7,
    odd: ["NaN", "Infinity", "-Infinity", "1.7e308", "-1.7e308", "5e-324", "1e15", "-0", "0.1"],
  },
};

const TEXTS = [
  null, "", " ", "NULL", "none", "Lyon", 'a "quoted" one', "a, b", "two\nlines", "<script>window.hit = 1</script>",
  '<img src=x onerror="window.hit=1">', "--></script><svg onload=window.hit=1>", "&amp; &lt;", "{{ name }}",
  "x".repeat(3000),
  "שלום עולם", "e\u0301 é", "\u202eright to left", "123", "1,234", "1e5", "NaN", "-0", "other (3 values)", "'", "\\",
  "a = b",
  "👩‍👩‍👧", ...Array.from({ length: 14 }, (_, i) => `shop ${i}`),
];
const DIMENSIONS = {
  text: TEXTS, integer: [null, 0, -1, 1000000], boolean: [null, true, false],
  date: [null, "2024-02-29", "0044-03-15 BC"],
  "text[]": ["{}", '{"a,b",NULL}', "{<b>}"], numeric: ["1.0", "1.00", "NaN"],
};

// The moments of a table's rows: a few days, days with gaps, one row, or years that a browser has trouble with.
const BEGINNINGS = [
  "2023-12-20", "2024-02-26", "2021-03-27", "1999-12-31", "0001-01-01", "0044-03-14 BC", "1582-10-10", "9999-12-30",
  "290000-05-05",
];
function moments(r, type) {
  const begun = r.pick(r.next() < 0.6 ? BEGINNINGS.slice(0, 4) : BEGINNINGS);
  const shape = r.pick(["one", "hours", "days", "days", "gaps", "gaps", "centuries"]);
  const many = { one: 1, hours: 120, days: 90, gaps: 70, centuries: 12 }[shape];
  const step = { one: "1 hour", hours: "53 minutes", days: "11 hours", gaps: "1 day", centuries: "400 days" }[shape];
  const at = Array.from({ length: many }, (_, i) => i).map((i) => {
    const times = shape === "gaps" ? i * (1 + 40 * (i % 17 === 0)) : shape === "centuries" ? i * i : i;
    const offset = type === "timestamptz" ? "+00" : "";
    const [date, era = ""] = begun.split(" ");
    const moment = `${date}${type === "date" ? "" : ` 05:30${offset}`} ${era}`;
    return `(${type} '${moment}' + ${times} * interval '${step}')::${type}`;
  });
  return { at, shape };
}

function entity(r, at) {
  const name = r.pick(["sales", "cash.box", "Größe", "a b"]) + at;
  const time = r.pick(["timestamp", "timestamptz", "date"]);
  const zone = r.pick(["Europe/Paris", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "UTC"]);
  const measures = r.some(["amount", "value", "weight kg"], 1).slice(0, 2).map((label) => ({
    name: label, type: r.pick(Object.keys(MEASURES)), oddness: r.pick([0, 0, 0.05, 0.3]), empty: r.pick([0, 0.1, 1.1]),
  }));
  const dimensions = r.some(["city", "day"], 0).map((label) => {
    const type = r.next() < 0.7 ? "text" : r.pick(Object.keys(DIMENSIONS));
    return { name: label, type, values: r.some(DIMENSIONS[type], 2) };
  });
  // From combinations, a mean of all can be computed with a count, and a deviation cannot.
  const few = r.some(["sum", "count", "min", "max", "mean", "stddev"], 1);
  const statistics = dimensions.length > 0 ? ["sum", "count", ...few.filter((one) => one !== "stddev")] : few;
  const levels = r.some(["day", "hour", "week", "month", "quarter", "year"], 1);
  const kept = levels.filter((level) => level !== "hour" || time !== "date");
  return {
    name, table: `t${at}`, time, zone, measures, dimensions, statistics: [...new Set(statistics)],
    levels: kept.length > 0 ? kept : ["month"], isEmpty: r.next() < 0.06, ...moments(r, time),
  };
}

const value = (r, { type, oddness, empty }) => {
  if (r.next() < empty) return "NULL";
  return text(r.next() < oddness ? r.pick(MEASURES[type].odd) : MEASURES[type].usual(r));
};
const quoted = (name) => `"${name}"`;

function created(r, one) {
  const columns = [{ name: "id", type: "integer" }, { name: "at", type: one.time }, ...one.measures, ...one.dimensions];
  const typed = columns.map(({ name, type }) => `${quoted(name)} ${type}`);
  const table = `CREATE TABLE ${one.table} (${typed.join(", ")});`;
  const line = (at, id) => {
    const figures = one.measures.map((measure) => value(r, measure));
    return `(${[id, at, ...figures, ...one.dimensions.map(({ values }) => text(r.pick(values)))].join(", ")})`;
  };
  const rows = one.isEmpty ? "" : `INSERT INTO ${one.table} VALUES\n${one.at.map(line).join(",\n")};`;
  return `${table}\n${rows}\n`;
}

// Days are restated: a figure changes, a row moves to another combination, and a row is new.
function changed(r, one) {
  if (one.isEmpty || r.next() < 0.3) return "";
  const { table } = one, measure = r.pick(one.measures), id = r.below(one.at.length);
  const other = value(r, { ...measure, empty: 0.2 });
  const lines = [`UPDATE ${table} SET ${quoted(measure.name)} = ${other} WHERE id = ${id};`];
  for (const { name, values } of one.dimensions) {
    lines.push(`UPDATE ${table} SET ${quoted(name)} = ${text(r.pick(values))} WHERE id % 9 = ${r.below(9)};`);
  }
  lines.push(`INSERT INTO ${table} SELECT * FROM ${table} WHERE id = ${id};`);
  return `${lines.join("\n")}\n`;
}

const listed = (names) => `[${names.map((name) => `"${name}"`).join(", ")}]`;
const settings = (one) => `
[[entity]]
name = "${one.name}"
table = "${one.table}"
time = "at"
${one.time === "timestamptz" ? `time_zone = "${one.zone}"` : ""}
measures = ${listed(one.measures.map(({ name }) => name))}
dimensions = ${listed(one.dimensions.map(({ name }) => name))}
statistics = ${listed(one.statistics)}
levels = ${listed(one.levels)}
`;

const [, script, seed, folder] = process.argv;
if (script.endsWith("worlds.mjs")) {
  const r = randomness(seed), all = Array.from({ length: 6 }, (_, at) => entity(r, at));
  const coarse = `SELECT CASE WHEN current_setting('server_version_num')::integer < 150000 THEN 'numeric(9)'
    ELSE 'numeric(9, -2)' END AS coarse \\gset\n`;
  writeFileSync(join(folder, "kalends.toml"), `report = true\n${all.map(settings).join("")}`);
  writeFileSync(join(folder, "create.sql"), coarse + all.map((one) => created(r, one)).join(""));
  writeFileSync(join(folder, "change.sql"), all.map((one) => changed(r, one)).join(""));
}
