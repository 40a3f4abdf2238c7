// What pages of the report must show, from the CSV files alone. It shares no code with the program or its pages.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ADVERBS = {
  hourly: "hour", daily: "day", weekly: "week", monthly: "month", quarterly: "quarter", yearly: "year",
};
const KEYS = { hour: 4, day: 3, week: 2, month: 2, quarter: 2, year: 1 };

// The lines of a CSV file. NULL is nothing at all, and an empty text is quoted.
export function parsed(csv) {
  const lines = [];
  let line = [], at = 0;
  while (at < csv.length) {
    let field = null;
    if (csv[at] === '"') {
      const part = /"((?:[^"]|"")*)"/y;
      part.lastIndex = at;
      field = part.exec(csv)[1].replaceAll('""', '"');
      at = part.lastIndex;
    } else {
      const end = csv.slice(at).search(/[,\n]/);
      field = csv.slice(at, at + end) || null;
      at += end;
    }
    line.push(field);
    if (csv[at] === "\n") { lines.push(line); line = []; }
    at += 1;
  }
  return lines;
}

// Exact decimals: a whole number of 10^-scale. NaN and infinities are numbers of JavaScript.
function exact(text) {
  if (/^-?(NaN|Infinity)$/.test(text)) return Number(text);
  const [, sign, whole, decimals = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text);
  const scale = decimals.length - Number(exponent), digits = BigInt(sign + whole + decimals);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}
const scaled = ({ digits, scale }, to) => digits * 10n ** BigInt(to - scale);
const isSpecial = (number) => typeof number === "number";
function plus(one, other) {
  if (isSpecial(one) || isSpecial(other)) {
    return (isSpecial(one) ? one : 0) + (isSpecial(other) ? other : 0);
  }
  const scale = Math.max(one.scale, other.scale);
  return { digits: scaled(one, scale) + scaled(other, scale), scale };
}
// NaN is above everything, as in PostgreSQL.
function compared(one, other) {
  const rank = (number) => (isSpecial(number) ? (Number.isNaN(number) ? 2 : Math.sign(number)) : 0);
  if (isSpecial(one) || isSpecial(other)) return rank(one) - rank(other);
  const scale = Math.max(one.scale, other.scale), [a, b] = [scaled(one, scale), scaled(other, scale)];
  return a < b ? -1 : a > b ? 1 : 0;
}
// Without trailing zeros.
function printed(number) {
  if (isSpecial(number)) return String(number);
  const minus = number.digits < 0n, text = String(minus ? -number.digits : number.digits);
  const padded = text.padStart(number.scale + 1, "0"), point = padded.length - number.scale;
  const decimals = padded.slice(point).replace(/0+$/, "");
  return (minus ? "-" : "") + padded.slice(0, point) + (decimals && `.${decimals}`);
}
export const same = (one, other) => compared(exact(one), exact(other)) === 0;
export const minus = (one, other) => {
  const taken = exact(other);
  return printed(plus(exact(one), isSpecial(taken) ? -taken : { ...taken, digits: -taken.digits }));
};
// How many percent a number is of the size of another one.
export const percentage = (part, whole) => {
  const [one, other] = [exact(part), exact(whole)], scale = Math.max(one.scale, other.scale);
  const size = scaled(other, scale);
  return Number(scaled(one, scale) * 10n ** 12n / (size < 0n ? -size : size)) / 1e10;
};
export const sum = (texts) => (texts.length === 0 ? null : printed(texts.map(exact).reduce(plus)));

// The quotient with 6 decimals, rounded half away from zero.
function mean(total, many) {
  const number = exact(total);
  if (isSpecial(number)) return total;
  const scale = Math.max(number.scale, 6), size = number.digits < 0n ? -number.digits : number.digits;
  const unit = BigInt(many) * 10n ** BigInt(scale - 6), top = size * 10n ** BigInt(scale - number.scale);
  const text = String((2n * top + unit) / (2n * unit)).padStart(7, "0");
  const sign = number.digits < 0n && /[1-9]/.test(text) ? "-" : "";
  return `${sign}${text.slice(0, -6)}.${text.slice(-6)}`;
}

// Several lines of figures as one. What they do not tell is undefined.
function together(lines, statistics) {
  const known = (name) => lines.map((figures) => figures[name]).filter((text) => text !== null);
  const best = (texts, sign) => texts.reduce((one, other) =>
    (one === null || compared(exact(other), exact(one)) * sign > 0 ? other : one), null);
  const found = {};
  for (const name of statistics) {
    const [, word, label] = /^([a-z]+)_(.*)$/s.exec(name);
    if (lines.length === 1) found[name] = lines[0][name];
    else if (word === "sum" || word === "count") found[name] = sum(known(name));
    else if (word === "min" || word === "max") found[name] = best(known(name), word === "max" ? 1 : -1);
    else if (word === "mean" && ["sum_", "count_"].every((word) => statistics.includes(word + label))) {
      const [total, many] = [sum(known(`sum_${label}`)), sum(known(`count_${label}`))];
      found[name] = total === null ? null : mean(total, many);
    }
  }
  return found;
}

const two = (text) => String(text).padStart(2, "0");
const four = (year) => (year < 0 ? "-" : "") + String(Math.abs(year)).padStart(4, "0");
const name = {
  hour: ([year, month, day, hour]) => `${four(year)}-${two(month)}-${two(day)}T${two(hour)}`,
  day: ([year, month, day]) => `${four(year)}-${two(month)}-${two(day)}`,
  week: ([year, week]) => `${four(year)}-W${two(week)}`, month: ([year, month]) => `${four(year)}-${two(month)}`,
  quarter: ([year, quarter]) => `${four(year)}-Q${quarter}`, year: ([year]) => four(year),
};

// A day's number from its date by the Gregorian calendar; there is no year 0.
export function dayNumber(year, month, day) {
  const y = (year < 0 ? year + 1 : year) - (month <= 2 ? 1 : 0), era = Math.floor(y / 400), of = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + of * 365 + Math.floor(of / 4) - Math.floor(of / 100) + dayOfYear - 719468;
}

// The second at which a period begins.
export function second(period) {
  const [, minus, year, rest = ""] = /^(-?)(\d+)(?:-(.*))?$/.exec(period), of = Number(minus + year);
  if (rest[0] === "W") {
    const fourth = dayNumber(of, 1, 4);
    return (fourth - (((fourth + 3) % 7) + 7) % 7 + 7 * (rest.slice(1) - 1)) * 86400;
  }
  if (rest[0] === "Q") return dayNumber(of, rest[1] * 3 - 2, 1) * 86400;
  const [month = 1, day = 1, hour = 0] = rest.split(/[-T]/).filter(Boolean).map(Number);
  return dayNumber(of, month, day) * 86400 + hour * 3600;
}

// From a period to the one of a larger level that has it. Of weeks and years nothing else is known.
const larger = {
  day: (keys) => keys.slice(0, 3), month: (keys) => keys.slice(0, 2), year: (keys) => keys.slice(0, 1),
  quarter: ([year, month]) => [year, Math.ceil(month / 3)],
};
const PARTS = { day: ["hour"], month: ["day", "hour"], quarter: ["month", "day", "hour"] };
PARTS.year = PARTS.quarter;

export class Published {
  // The files whose names begin with that of an entity.
  constructor(folder, entity) {
    Object.assign(this, { levels: {}, dimensions: [], statistics: [] });
    const look = (inside) => {
      for (const entry of readdirSync(inside, { withFileTypes: true })) {
        const path = join(inside, entry.name);
        if (entry.isDirectory()) look(path);
        else if (entry.name.startsWith(`${entity}_stats_`)) {
          this.add(ADVERBS[entry.name.slice(`${entity}_stats_`.length).split("_")[0]], readFileSync(path, "utf8"));
        }
      }
    };
    look(folder);
  }

  add(level, csv) {
    const [head, ...lines] = parsed(csv), keys = KEYS[level];
    const first = head.findIndex((column, at) => at >= keys && /^(sum|min|max|mean|count|stddev)_/.test(column));
    // A page calls a dimension as its column is called, also if the file cannot.
    this.dimensions = head.slice(keys, first).map((column) => column.replace(/^dimension_/, ""));
    this.statistics = head.slice(first);
    const all = (this.levels[level] ||= []);
    for (const line of lines) {
      const figures = Object.fromEntries(this.statistics.map((column, at) => [column, line[first + at]]));
      // A text has a ' in front if it would begin a formula.
      const values = line.slice(keys, first).map((value) => value && value.replace(/^'/, ""));
      all.push({ keys: line.slice(0, keys).map(Number), values, figures });
    }
  }

  // The lines of a level by period: as published, or of a smaller level that is; undefined if none is.
  lines(level) {
    if (Object.keys(this.levels).length === 0) return new Map();
    const from = [level, ...(PARTS[level] || [])].find((one) => this.levels[one]);
    if (!from) return undefined;
    const found = new Map();
    for (const line of this.levels[from]) {
      const period = name[level](from === level ? line.keys : larger[level](line.keys));
      found.set(period, [...(found.get(period) || []), line]);
    }
    return found;
  }

  // The figures of each period of a level, of those lines alone that are asked for.
  figures(level, isAsked = () => true) {
    const lines = this.lines(level), found = new Map();
    for (const [period, all] of lines || []) {
      const asked = all.filter((line) => isAsked(line.values)).map(({ figures }) => figures);
      if (asked.length > 0) found.set(period, together(asked, this.statistics));
    }
    return lines && found;
  }
}
