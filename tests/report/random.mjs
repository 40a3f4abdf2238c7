// Pages of entities that were drawn from a seed, as tests/report/run has published them: node random.mjs FOLDER SEED.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, finish, open } from "./browser.mjs";
import { dimensions, headlines, moved, plots, tables } from "./figures.mjs";
import { Published } from "./oracle.mjs";
import { randomness } from "./worlds.mjs";

const [, , folder, seed] = process.argv;
const r = randomness(Number(seed) + 1);

async function look(name) {
  const address = pathToFileURL(join(folder, "exports", "report", `${name}.html`)).href;
  const published = new Published(join(folder, "exports"), name);
  const before = join(folder, "before");
  // Neither the reader's zone nor their language changes a figure.
  const options = { timezoneId: r.pick(["Pacific/Apia", "Europe/Paris", "UTC"]), locale: r.pick(["en", "de", "ar"]) };
  const { page, said, asked, close } = await open(address, options);
  page.setDefaultTimeout(20000);
  const all = await tables(page, published), months = all.find(({ level }) => level === "month");
  await headlines(page, published, months);
  await dimensions(page, published, months);
  await plots(page, published, r);
  if (existsSync(before)) await moved(page, new Published(before, name), published);
  assert.deepEqual(said, []);
  assert.deepEqual(asked, [address]);
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  assert.equal(await page.locator("img, svg[onload]").count(), 0);
  await close();
  const silent = await open(address, { ...options, javaScriptEnabled: false });
  assert.deepEqual(await tables(silent.page, published), all);
  await headlines(silent.page, published, months);
  await dimensions(silent.page, published, months);
  assert.deepEqual([silent.said, silent.asked], [[], [address]]);
  await silent.close();
}

const pages = readdirSync(join(folder, "exports", "report")).map((file) => file.slice(0, -".html".length)).sort();
assert.equal(pages.length, 6);
let failed = 0;
for (const page of pages) {
  try {
    await check(`every figure of ${page}, seed ${seed}`, () => look(page));
  } catch (error) {
    failed += 1;
    console.error(`failed: ${page}, seed ${seed}: ${error.stack}`);
  }
}
await finish();
process.exit(failed > 0 ? 1 : 0);
