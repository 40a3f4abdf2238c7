// A browser in which every message and every request of a page is noted.
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
let passed = 0;

export async function check(what, looking) {
  await looking();
  passed += 1;
  console.log(`ok  ${what}`);
}

// A page, what it said and what it asked for.
export async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage(), said = [], asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(address);
  // The plots come after the first paint.
  const draws = options.javaScriptEnabled !== false && (await page.locator("#plots").count()) > 0;
  if (draws) await page.waitForFunction(() => drawn > 0);
  return { page, said, asked, close: () => context.close() };
}

export async function finish() {
  await browser.close();
  console.log(`${passed} checks passed`);
}
