// What eyes that see no red, no green, no blue or no colour make of a key, as Chromium shows it: its squares have to
// look different by colour or by shape.
import assert from "node:assert/strict";
import { open } from "./browser.mjs";

export const EYES = ["none", "protanopia", "deuteranopia", "tritanopia", "achromatopsia"];
// In OKLab, where 0.02 is a difference that is just noticed (CSS Color Module Level 4); over a tenth of a square.
const DIFFERENCE = 0.08, SHARE = 0.1;

// The pixels of a picture's parts, in OKLab. A page without a policy decodes it.
async function pixels(decoder, picture, boxes) {
  const address = `data:image/png;base64,${picture.toString("base64")}`;
  return decoder.evaluate(async ([address, boxes]) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const light = (byte) => (byte <= 10.31475 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
    const lab = (red, green, blue) => {
      const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
      const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
      const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
      return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
    };
    return boxes.map(({ x, y, width, height }) => {
      const { data } = canvas.getImageData(x, y, width, height), found = [];
      for (let at = 0; at < data.length; at += 4) found.push(lab(...[0, 1, 2].map((part) => light(data[at + part]))));
      return found;
    });
  }, [address, boxes]);
}

function share(one, other) {
  const far = one.filter((pixel, at) => Math.hypot(...pixel.map((part, axis) => part - other[at][axis])) >= DIFFERENCE);
  return far.length / one.length;
}

// The squares of a key are laid side by side in the corner of the window, where no pixel is shared by two of them.
const lay = (key) => {
  const corner = document.createElement("div"), squares = [...key.querySelectorAll("svg")];
  corner.id = "corner";
  corner.style = `position: fixed; inset: 0 auto auto 0; z-index: 9; width: ${20 * squares.length}px; height: 12px;
    background: var(--paper)`;
  squares.forEach((square, at) => {
    const copy = square.cloneNode(true);
    copy.style = `position: absolute; left: ${20 * at}px; top: 0`;
    corner.append(copy);
  });
  document.body.append(corner);
  return squares.map((square) => square.firstElementChild.getAttribute("class"));
};

// Every two squares of each key that is shown look different. Returns how many pairs there were.
export async function areToldApart(page, eyes) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setEmulatedVisionDeficiency", { type: eyes });
  const decoder = await open("about:blank");
  let pairs = 0;
  for (const key of await page.locator(".key >> visible=true").all()) {
    const names = await key.evaluate(lay), boxes = names.map((_, at) => ({ x: 20 * at, y: 0, width: 12, height: 12 }));
    const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 20 * names.length, height: 12 } });
    await page.evaluate(() => document.getElementById("corner").remove());
    const squares = await pixels(decoder.page, picture, boxes);
    squares.forEach((square, at) => squares.slice(0, at).forEach((other, before) => {
      const told = share(square, other);
      assert.ok(told >= SHARE, `${eyes}: ${names[before]} and ${names[at]} differ in ${told} of their pixels`);
      pairs += 1;
    }));
  }
  await decoder.close();
  return pairs;
}
