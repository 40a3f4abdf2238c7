// Looks at pages of the report in Chromium. Started by tests/report/run, in a folder with playwright-core and axe-core.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, finish, open as visit } from "./browser.mjs";
import { EYES, areToldApart } from "./colours.mjs";
import { isComplete, isInside, printed } from "./print.mjs";

const [, , scratch] = process.argv, pictures = process.env.PICTURES;
const file = (world) => join(scratch, world, "exports", "report", `${world}.html`);
const address = (world) => pathToFileURL(file(world)).href;
const open = (world, options = {}) => visit(options.address || address(world), options);

// The lines of all CSV files of a level, by period.
function published(world, level) {
  const found = [];
  const look = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) look(join(folder, entry.name));
      else if (entry.name.startsWith(`${world}_stats_${level}_`)) {
        const [head, ...lines] = readFileSync(join(folder, entry.name), "utf8").trimEnd().split("\n");
        found.push(...lines.map((line) => [head.split(","), line.split(",")]));
      }
    }
  };
  look(join(scratch, world, "exports"));
  return found;
}

const two = (text) => text.padStart(2, "0");
const names = {
  yearly: ([year]) => year, monthly: ([year, month]) => `${year}-${two(month)}`,
  quarterly: ([year, quarter]) => `${year}-Q${quarter}`, weekly: ([year, week]) => `${year}-W${two(week)}`,
  daily: ([year, month, day]) => `${year}-${two(month)}-${two(day)}`,
};
const words = { yearly: "year", quarterly: "quarter", monthly: "month", weekly: "week", daily: "day" };

await check("every shown figure is the CSV's", async () => {
  const { page, said, asked, close } = await open("small");
  for (const [adverb, word] of Object.entries(words)) {
    const rows = await page.$$eval(`[data-table="${word}"] tr[data-p]`, (rows) =>
      rows.map((row) => {
        const cells = [...row.cells].slice(2, -1).map((cell) => cell.textContent.replaceAll(",", ""));
        return [row.dataset.p, cells];
      }));
    const shown = Object.fromEntries(rows), lines = published("small", adverb);
    assert.ok(lines.length > 1 && rows.length === lines.length, `${adverb}: ${rows.length} of ${lines.length}`);
    for (const [head, line] of lines) {
      const keys = head.filter((column) => !/_/.test(column) || column === "iso_year").length;
      const figures = line.slice(keys).map((text) => (text === "" ? "none" : text));
      assert.deepEqual(shown[names[adverb](line)], figures, `${adverb} ${line}`);
    }
  }
  assert.deepEqual(said, []);
  assert.deepEqual(asked, [address("small")]);
  await close();
});

await check("choosing shows another figure, and its plots", async () => {
  const { page, said, close } = await open("small");
  const titles = () => page.$$eval("section[data-figure] h2", (all) =>
    all.filter((title) => title.offsetParent).map((title) => title.textContent));
  for (const label of ["sum of amount", "minimum of amount", "maximum of amount", "mean of amount"]) {
    await page.selectOption("#figure", { label });
    assert.deepEqual(await titles(), [label]);
    assert.equal(await page.locator("#plots canvas").count(), 2);
    assert.match(await page.locator("#plot-value .u-legend").innerText(), new RegExp(label));
  }
  for (const level of ["hour", "day", "week", "month", "quarter", "year"]) {
    await page.selectOption("#level", level);
    const points = await page.evaluate(() => plots[0].data[1].filter((value) => value !== null).length);
    const rows = await page.$$eval(`[data-table="${level}"] tr[data-p]`, (all) =>
      all.filter((row) => row.cells[5].textContent !== "none").length);
    assert.equal(points, rows, level);
    // A mean lies between the least and the most.
    for (const [cell, at] of [[3, -1], [4, -2]]) {
      const told = await page.$$eval(`[data-table="${level}"] tr[data-p]`, (all, cell) =>
        all.map((row) => row.cells[cell].textContent.replaceAll(",", "")).filter((text) => text !== "none"), cell);
      const edge = await page.evaluate((at) => plots[0].data.at(at).filter((value) => value !== null), at);
      assert.deepEqual(edge.sort(), told.map(Number).sort(), `${level}: ${cell}`);
    }
  }
  assert.deepEqual(said, []);
  await close();
});

await check("a zoom of one plot is a zoom of all, and can be taken back", async () => {
  const { page, close } = await open("small");
  const spans = () => page.evaluate(() => plots.map((plot) => [plot.scales.x.min, plot.scales.x.max]));
  const whole = await spans();
  await page.locator("#plot-value").scrollIntoViewIfNeeded();
  const box = await page.locator("#plot-value .u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 5 });
  await page.mouse.up();
  const zoomed = await spans();
  assert.deepEqual(zoomed[0], zoomed[1]);
  assert.ok(zoomed[0][1] - zoomed[0][0] < (whole[0][1] - whole[0][0]) / 2, `${zoomed} ${whole}`);
  await page.click("#whole");
  assert.deepEqual(await spans(), whole);
  await close();
});

await check("a combination of dimensions is unpacked when it is asked for", async () => {
  const { page, said, close } = await open("cities");
  const label = await page.locator("#combination option").nth(3).getAttribute("value");
  const took = await page.evaluate(async (value) => {
    const begun = performance.now();
    document.querySelector("#combination").value = value;
    await draw();
    return performance.now() - begun;
  }, label);
  const [drawn, all] = await page.evaluate(() =>
    plots[0].data.map((list) => list.filter((value) => value !== null).length).slice(-2));
  assert.equal(drawn, all);
  const other = await page.evaluate(async () => {
    const begun = performance.now();
    figure.selectedIndex = 1;
    choose();
    await draw();
    return performance.now() - begun;
  });
  console.log(`    a choice took ${took.toFixed(0)} ms, of another figure ${other.toFixed(0)} ms`);
  assert.deepEqual(said, []);
  await close();
});

await check("ten years of days with 50 combinations are at most 2 MB", async () => {
  const bytes = statSync(file("cities")).size;
  const { page, close } = await open("cities");
  const painted = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  console.log(`    ${bytes} bytes, first paint after ${painted?.toFixed(0)} ms`);
  assert.ok(bytes <= 2e6, `${bytes} bytes`);
  await close();
});

await check("a table can be saved as CSV", async () => {
  const { page, close } = await open("small");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('[data-table="month"] .csv')]);
  const [head, ...lines] = readFileSync(await download.path(), "utf8").trimEnd().split("\n");
  assert.equal(head, "month,rows,sum_amount,min_amount,max_amount,mean_amount");
  const expected = published("small", "monthly").map(([, line]) => `${names.monthly(line)},${line.slice(2)}`).sort();
  assert.deepEqual(lines.map((line) => line.replace(/^([^,]*),\d+/, "$1")).sort(), expected);
  await close();
});

await check("light, dark, and as the system has it", async () => {
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const { page, close } = await open("small", { colorScheme: "dark" });
  const dark = await paper(page);
  await page.click("#theme");
  const light = await paper(page);
  assert.notEqual(light, dark);
  await page.click("#theme");
  assert.equal(await paper(page), dark);
  await close();
});

await check("on paper everything is open", async () => {
  const { page, close } = await open("small");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.locator("details:not([open])").count(), 0);
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
  const sheets = (pdf.match(/\/Type\s*\/Page\b/g) || []).length;
  assert.ok(sheets > 3, `${sheets} sheets`);
  await page.emulateMedia({ media: "print" });
  assert.match(await page.locator("footer .url").innerText(), /^file:.*small\.html$/);
  assert.match(await page.locator("footer").innerText(), /Digest [0-9a-f]{64}/);
  await close();
});

await check("a sheet of paper is the document's, whatever the screen is", async () => {
  const print = (world, name, options, looking) => {
    const folder = join(scratch, `${world}.${name}`);
    mkdirSync(folder);
    return printed(address(world), folder, options, looking);
  };
  const looked = async (world, name, options) => {
    const paper = await print(world, name, options), tall = isComplete(paper);
    assert.equal(tall > 0, world === "extreme", `${tall} rows are higher than a sheet`);
    isInside(paper, 12 / 25.4 * 72 - 0.5);
    assert.ok(paper.sheets.length > 3);
    console.log(`    ${world}, ${name}: ${paper.sheets.length} sheets`);
    return paper;
  };
  await looked("cities", "light", { colorScheme: "light" });
  for (const world of ["small", "extreme"]) await looked(world, "without scripts", { javaScriptEnabled: false });
  await looked("extreme", "light", { colorScheme: "light" });
  const light = await looked("small", "light", { colorScheme: "light" }), pictures = light.pictures();
  assert.match(light.sheets.at(-1).replaceAll(/\s/g, ""), /Digest[0-9a-f]{64}\.file:.*small\.html$/);
  const others = {
    again: [{ colorScheme: "light" }], dark: [{ colorScheme: "dark" }],
    chosen: [{ colorScheme: "light" }, async (page) => { for (const _ of "12") await page.click("#theme"); }],
    phone: [{ viewport: { width: 360, height: 700 } }],
  };
  for (const [name, how] of Object.entries(others)) {
    const other = await print("small", name, ...how);
    assert.deepEqual(other.sheets, light.sheets, name);
    other.pictures().forEach((picture, at) =>
      assert.ok(picture.equals(pictures[at]), `${name}: sheet ${at + 1} looks different`));
  }
});

await check("without scripts, verdict, headlines, pictures and tables are there", async () => {
  const { page, close } = await open("small", { javaScriptEnabled: false });
  assert.match(await page.locator(".verdict").innerText(), /Proven equal to production, as of /);
  assert.equal(await page.locator("section[data-figure] .card >> visible=true").count() >= 4, true);
  assert.equal(await page.locator("svg.bars >> visible=true").count(), 8);
  assert.ok(await page.locator('[data-table="month"] tr[data-p] >> visible=true').count() > 30);
  assert.equal(await page.locator("#plots >> visible=true").count(), 0);
  await close();
});

await check("what moved is told with its difference", async () => {
  const { page, close } = await open("small");
  const moved = await page.locator("#moved").innerText();
  assert.match(moved, /2024-02-03: changed/);
  assert.match(moved, /sum_amount/);
  assert.ok(await page.evaluate(() => plots[0].series.some((series) => series.label === "restated")));
  await close();
});

await check("no page is wider than the screen, on a phone, a tablet and a desk, light and dark", async () => {
  for (const width of [360, 768, 1440]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const world of ["small", "cities", "extreme"]) {
        const { page, said, close } = await open(world, { viewport: { width, height: 900 }, colorScheme });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${world} at ${width}: ${wide}`);
        assert.deepEqual(said, []);
        if (pictures) await page.screenshot({ path: join(pictures, `${world}-${width}-${colorScheme}.png`) });
        await close();
      }
    }
  }
});

await check("colour-blind eyes tell apart what a key tells apart, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const eyes of EYES) {
      const { page, close } = await open("small", { colorScheme });
      const pairs = await areToldApart(page, eyes);
      assert.equal(pairs, 6 + 21 + 10, "of the bars, of the days by value and by trust");
      await close();
    }
  }
});

await check("axe-core finds nothing", async () => {
  const axe = readFileSync(join(scratch, "node_modules", "axe-core", "axe.min.js"), "utf8");
  const first = pathToFileURL(join(scratch, "small", "exports", "index.html")).href;
  for (const options of [{}, { colorScheme: "dark" }, { address: first }]) {
    // The page's own policy would not let axe-core run.
    const { page, close } = await open("small", { bypassCSP: true, ...options });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    const told = violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html)}`);
    assert.deepEqual(told, []);
    await close();
  }
});

await check("everything that can be clicked can be reached by keyboard", async () => {
  const { page, close } = await open("small");
  const reached = new Set();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
  }
  for (const what of ["theme", "figure", "level", "whole", "SUMMARY", "A"]) assert.ok(reached.has(what), what);
  await close();
});

await finish();
