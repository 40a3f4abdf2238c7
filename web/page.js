"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);

// The colours: as the system has them, light, dark.
const themes = ["", "light", "dark"], names = { "": "as the system", light: "light", dark: "dark" };
const theme = one("#theme"), root = document.documentElement;
const tellTheme = () => { theme.textContent = "Theme: " + names[root.dataset.theme || ""]; };
theme.hidden = false;
theme.addEventListener("click", () => {
  const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
  if (next) root.dataset.theme = next; else delete root.dataset.theme;
  try { localStorage.setItem("kalends-theme", next); } catch {}
  tellTheme();
  draw();
});
tellTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());

// The seconds at which a period begins: 2024, 2024-Q1, 2024-03, 2024-W09, 2024-03-05, 2024-03-05T05. NaN beyond the
// years that a browser knows.
function begins(period) {
  const [, year, quarter, week, month, day, hour] =
    period.match(/^(-?\d+)(?:-Q(\d)|-W(\d+)|-(\d+)(?:-(\d+)(?:T(\d+))?)?)?$/) || [];
  const date = new Date(0);
  // Years before Christ have no year 0.
  const at = Number(year) < 0 ? Number(year) + 1 : Number(year);
  if (week) {
    date.setUTCFullYear(at, 0, 4);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7) + 7 * (week - 1));
  } else {
    date.setUTCFullYear(at, quarter ? (quarter - 1) * 3 : (month || 1) - 1, day || 1);
    date.setUTCHours(hour || 0);
  }
  return date.getTime() / 1000;
}

// The figures are read from the tables: what is drawn is what is written. NaN, infinities, and numbers whose distance
// would be too large for a browser are not drawn.
const drawable = (found) => (Math.abs(found) < 8e307 ? found : null);
const number = (text) => (text === "none" ? null : drawable(Number(text.replaceAll(",", ""))));
const idle = window.requestIdleCallback || setTimeout;
const readAhead = (column, at, end) => at < end && idle(() => { column(at); readAhead(column, at + 1, end); });
const read = new Map();
function table(level) {
  if (!read.has(level)) {
    const place = one(`[data-table="${level}"]`);
    const head = all("th", place.querySelector("thead") || place).map((cell) => cell.textContent);
    const rows = all("tr[data-p]", place).map((row) => ({
      at: begins(row.dataset.p), period: row.dataset.p, restated: Number(row.dataset.r || 0), cells: row.children,
    }));
    rows.sort((a, b) => a.at - b.at);
    // Columns are read when they are drawn, or before, while nobody waits.
    const columns = new Map(), column = (at) => {
      if (!columns.has(at)) columns.set(at, rows.map((row) => number(row.cells[at].textContent)));
      return columns.get(at);
    };
    read.set(level, { head, rows, column });
    readAhead(column, 1, head.length - 1);
  }
  return read.get(level);
}

// Steps between periods, for gaps: a line is broken where one is left out.
const step = { hour: 3600, day: 86400, week: 7 * 86400, month: 31 * 86400, quarter: 92 * 86400, year: 366 * 86400 };

// Combinations are packed, and unpacked when somebody asks for one.
const packed = all("[data-combination]"), unpacked = new Map();
async function combination(place) {
  const bytes = Uint8Array.from(atob(packed[place].textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const columns = JSON.parse(one("#columns").dataset.columns);
  // Each line has the days since the day before, the first one since 2000-01-01.
  let at = Date.UTC(2000, 0, 1) / 1000;
  const days = new Map((await new Response(stream).text()).split("\n").map((line) => {
    const [days, rows, ...figures] = line.split(" ");
    at += days * 86400;
    const found = { rows: Number(rows) };
    columns.forEach((column, i) => {
      found[column] = figures[i] === "-" ? null : drawable(Number(figures[i] === "=" ? rows : figures[i]));
    });
    return [at, found];
  }));
  unpacked.set(place, days);
  return days;
}

const figure = one("#figure"), level = one("#level"), chosen = one("#combination");
for (const details of all("[data-table]")) {
  const title = details.querySelector("summary").textContent;
  if (details.querySelector("tr[data-p]")) level.add(new Option(title, details.dataset.table));
}
if ([...level.options].some((option) => option.value === "day")) level.value = "day";
packed.forEach((script, at) => chosen.add(new Option(script.dataset.combination, at)));

// On paper a plot is as wide as the paper, whatever the screen is.
let plots = [], drawn = 0, paper = 0;
async function draw() {
  const turn = ++drawn;
  const { head, rows, column } = table(level.value || "month");
  const at = head.indexOf(figure.value), label = figure.selectedOptions[0].textContent;
  const measure = figure.value.slice(figure.value.indexOf("_"));
  const by = chosen && chosen.value && level.value === "day"
    ? unpacked.get(Number(chosen.value)) || await combination(Number(chosen.value)) : null;
  if (turn !== drawn) return;
  const xs = [], value = [], low = [], high = [], again = [], count = [], ofOne = [], rowsOfOne = [];
  const [from, to] = ["min", "max"].map((statistic) => head.indexOf(statistic + measure));
  const band = figure.value.startsWith("mean_") && from > 0 && to > 0;
  const ofDay = (found) => {
    if (figure.value in found) return found[figure.value];
    const sum = found["sum" + measure], counted = found["count" + measure];
    return figure.value.startsWith("mean_") && counted && sum !== null ? sum / counted : null;
  };
  let last = null;
  for (const [place, row] of rows.entries()) {
    if (Number.isNaN(row.at)) continue;
    if (last !== null && row.at - last > step[level.value] * 1.5) {
      xs.push(last + step[level.value]);
      for (const list of [value, low, high, again, count, ofOne, rowsOfOne]) list.push(null);
    }
    last = row.at;
    const found = column(at)[place];
    xs.push(row.at); value.push(found); count.push(column(1)[place]);
    low.push(band ? column(from)[place] : null); high.push(band ? column(to)[place] : null);
    again.push(row.restated ? found : null);
    const day = by && by.get(row.at);
    ofOne.push(day ? ofDay(day) : null); rowsOfOne.push(day ? day.rows : null);
  }
  const style = getComputedStyle(root), colour = (name) => style.getPropertyValue(name).trim();
  const rule = { stroke: colour("--rule"), width: 1 }, axis = { stroke: colour("--soft"), grid: rule, ticks: rule };
  const cursor = { sync: { key: "kalends", setSeries: false } };
  const zoomed = (u, key) => {
    if (key !== "x") return;
    const { min, max } = u.scales.x;
    for (const other of plots) {
      if (other !== u && (other.scales.x.min !== min || other.scales.x.max !== max)) other.setScale("x", { min, max });
    }
  };
  const plot = (place, height, series, data, bands) => new uPlot({
    width: paper || Math.max(280, place.clientWidth), height, bands, cursor,
    series: [{ value: (u, at) => said(rows, at) }, ...series],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
    scales: { x: { time: true } }, hooks: { setScale: [zoomed] },
    axes: [axis, { ...axis, size: 60, values: (u, found) => found.map(brief) }],
  }, data, place);
  const line = (label, stroke, more) => ({ label, stroke, width: 1.5, points: { show: xs.length < 120 }, ...more });
  plots.forEach((old) => old.destroy());
  plots = [];
  const values = one("#plot-value"), counts = one("#plot-rows");
  const series = [line(label, colour("--bar"))], data = [xs, value];
  if (again.some((found) => found !== null)) {
    const points = { show: true, size: 7, fill: colour("--again") };
    series.push({ label: "restated", stroke: colour("--again"), width: 0, points });
    data.push(again);
  }
  let bands;
  if (band) {
    const edge = (label) => line(label, colour("--ghost"), { points: { show: false } });
    series.push(edge("maximum"), edge("minimum"));
    data.push(high, low);
    bands = [{ series: [data.length - 2, data.length - 1], fill: colour("--ghost") + "88" }];
  }
  const ofWhat = by ? chosen.selectedOptions[0].textContent : "";
  if (by) { series.push(line(ofWhat, colour("--again"))); data.push(ofOne); }
  plots.push(plot(values, 260, series, data, bands));
  const countSeries = [line("rows", colour("--soft"))], countData = [xs, count];
  if (by) { countSeries.push(line("rows of " + ofWhat, colour("--again"))); countData.push(rowsOfOne); }
  plots.push(plot(counts, 150, countSeries, countData));
}
const few = Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const brief = (found) => (found === null ? "" : few.format(found));
const said = (rows, at) => (at !== null && rows.find((row) => row.at === at)?.period) || "";

const choose = () => {
  for (const block of all("[data-figure]")) block.classList.toggle("chosen", block.dataset.figure === figure.value);
};
figure.addEventListener("change", () => { choose(); draw(); });
level.addEventListener("change", () => draw());
if (chosen) chosen.addEventListener("change", () => { level.value = "day"; draw(); });
one("#whole").addEventListener("click", () => draw());
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });

// Tables as CSV, with the figures as they are.
for (const button of all(".csv")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const { head, rows } = table(button.closest("[data-table]").dataset.table);
    const quoted = (text) => (/[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
    const plain = (text, i) => quoted(text === "none" ? "" : i > 0 ? text.replaceAll(",", "") : text);
    const figures = head.length - 1;
    const texts = ({ cells }) => [...cells].slice(0, figures).map((cell, i) => plain(cell.textContent, i));
    const lines = [head.slice(0, figures), ...rows.map(texts)];
    const link = document.createElement("a");
    const csv = lines.map((line) => line.join(",") + "\n").join("");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = button.closest("[data-table]").dataset.table + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// On paper everything is open and light.
const shut = new Set();
let worn;
addEventListener("beforeprint", () => {
  one(".url").textContent = location.href;
  for (const details of all("details:not([open])")) { shut.add(details); details.open = true; }
  worn = root.dataset.theme;
  root.dataset.theme = "light";
  paper = 640;
  draw();
});
addEventListener("afterprint", () => {
  for (const details of shut) details.open = false;
  shut.clear();
  if (worn) root.dataset.theme = worn; else delete root.dataset.theme;
  paper = 0;
  draw();
});

// A browser may have kept a choice. The plots come after the first paint.
choose();
requestAnimationFrame(() => setTimeout(draw));
