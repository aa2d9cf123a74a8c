// The page that explains, in Chromium. Reads {page, folder, cases} from standard input; writes what was seen as JSON.
// A case is {input, binary, now, scheme, trust, keys, lists, own}; `binary` is base64 of a file that is dropped, as are those of
// `several`.
import { createServer } from "node:http";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

// A read of the descriptor fails where a pipe has nothing yet; the stream waits.
process.stdin.setEncoding("utf8");
let asked = "";
for await (const piece of process.stdin) asked += piece;
const { page: file, folder, cases, several } = JSON.parse(asked);
const html = readFileSync(file);
const seen = { requests: [], hits: [], errors: [], accessibility: [], answers: [] };

const server = createServer((request, response) => {
  seen.hits.push(request.url);
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(request.url === "/" ? html : "");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  // In a container the tests run as root, where Chromium has no sandbox.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--lang=nl"],
  protocolTimeout: 60_000,
});

async function open(url) {
  const page = await browser.newPage();
  page.on("request", (request) => seen.requests.push(request.url().slice(0, 200)));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  await page.emulateTimezone("Pacific/Auckland");
  await page.setViewport({ width: 1100, height: 900 });
  const downloads = join(folder, "downloads");
  mkdirSync(downloads, { recursive: true });
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
  await page.goto(url);
  if (url === address || url.endsWith(file)) await ready(page);
  return page;
}

const ready = (page) => page.waitForFunction(() => !document.querySelector("#status").textContent.startsWith("Loading"));
const status = (page) => page.$eval("#status", (element) => element.textContent);

function fill(page, wanted) {
  return page.evaluate((wanted) => {
    for (const id of ["input", "trust", "keys", "lists", "own", "scheme", "audience"])
      document.getElementById(id).value = wanted[id] ?? "";
    document.getElementById("moment").value = new Date(wanted.now * 1000).toISOString().slice(0, 19);
    const start = performance.now();
    document.getElementById("input").dispatchEvent(new Event("input"));
    return performance.now() - start;
  }, wanted);
}

async function judge(page, wanted) {
  const took = await fill(page, wanted);
  if (wanted.binary) {
    await page.evaluate((binary) => {
      const bytes = Uint8Array.from(atob(binary), (character) => character.charCodeAt(0));
      return take("input", [new File([bytes], "dropped.der")]);
    }, wanted.binary);
  }
  const answer = await page.evaluate(() => explanation && [explanation.json(), explanation.document()]);
  return { json: answer?.[0], html: answer?.[1], status: await status(page), took };
}

async function check(page, name) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, nodes } of found.violations)
    seen.accessibility.push(`${name}: ${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function download(page, press, name) {
  const path = join(folder, "downloads", name);
  await press();
  for (let tries = 0; tries < 100 && !existsSync(path); tries++) await new Promise((done) => setTimeout(done, 50));
  return readFileSync(path, "utf8");
}

async function tabTo(page, id) {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.id)) === id) return;
  }
  throw new Error(`Tab does not reach ${id}`);
}

async function drop(page, paths) {
  const box = await (await page.$("#input")).boundingBox();
  const session = await page.createCDPSession();
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"])
    await session.send("Input.dispatchDragEvent", { type, x: box.x + 20, y: box.y + 20, data });
}

try {
  const disk = await open(pathToFileURL(file).href);
  for (const wanted of cases) seen.answers.push(await judge(disk, wanted));
  seen.disk = await status(disk);
  await disk.close();

  const page = await open(address);
  await check(page, "empty");
  seen.hits_of_loading = seen.hits.length;
  seen.examples = await page.evaluate(() => EXAMPLES.length);

  // Pasted.
  const other = await browser.newPage();
  await other.setContent("<textarea></textarea>");
  await other.$eval("textarea", (area, text) => ((area.value = text), area.focus()), `\n ${cases[0].input}\n`);
  await other.keyboard.press("KeyA", { commands: ["SelectAll"] });
  await other.keyboard.press("KeyC", { commands: ["Copy"] });
  await other.close();
  await page.bringToFront();
  await page.focus("#input");
  await page.keyboard.press("KeyV", { commands: ["Paste"] });
  seen.pasted = await status(page);

  // Kept, sent, in the address.
  seen.kept = await page.evaluate(async () => ({
    cookie: document.cookie,
    local: localStorage.length,
    session: sessionStorage.length,
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    address: location.href,
    history: history.length,
  }));
  seen.address = address;
  seen.blocked = await page.evaluate(async (address) => {
    const image = new Promise((done) => {
      const image = new Image();
      image.onload = () => done("loaded");
      image.onerror = () => done("blocked");
      image.src = `${address}image`;
    });
    const request = fetch(`${address}fetch`).then(() => "sent", () => "blocked");
    const beacon = navigator.sendBeacon(`${address}beacon`);
    return [await image, await request, String(beacon)];
  }, address);
  await page.reload();
  await ready(page);
  seen.after_reload = await page.$eval("#input", (area) => area.value);

  // Dropped.
  writeFileSync(join(folder, "dropped.txt"), cases[0].input);
  await drop(page, [join(folder, "dropped.txt")]);
  await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Result"));
  seen.dropped = await status(page);
  await fill(page, { input: "", now: cases[0].now });
  const parts = several.map((part, position) => {
    const path = join(folder, `part-${position}.der`);
    writeFileSync(path, Buffer.from(part, "base64"));
    return path;
  });
  await drop(page, parts);
  await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Result"));
  seen.several = await page.evaluate(() => explanation.json());
  await drop(page, [...parts, join(folder, "dropped.txt")]);
  await page.waitForFunction(() => document.querySelector("#status").textContent.includes("file "));
  seen.several_kinds = await status(page);

  mkdirSync(join(folder, "folder"), { recursive: true });
  writeFileSync(join(folder, "empty.pem"), "");
  seen.left_below_an_error = [];
  for (const [name, said] of [["folder", "folder"], ["empty.pem", "is empty"]]) {
    await fill(page, { input: cases[0].input, now: cases[0].now });
    await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Result"));
    await drop(page, [join(folder, name)]);
    await page.waitForFunction((said) => document.querySelector("#status").textContent.includes(said), {}, said);
    seen.left_below_an_error.push(await page.evaluate(() => [at("report").innerHTML, at("save").hidden]));
  }

  // By keyboard alone, from the top of the page.
  await page.reload();
  await ready(page);
  await tabTo(page, "input");
  await page.keyboard.sendCharacter(cases[0].input);
  await tabTo(page, "moment");
  await tabTo(page, "save-json");
  seen.saved_json = await download(page, () => page.keyboard.press("Enter"), "privyseal-report.json");

  // Examples, both colour schemes, a narrow screen.
  seen.example_headlines = [];
  for (let example = 0; example < seen.examples; example++) {
    await page.select("#example", String(example));
    seen.example_headlines.push(await status(page));
  }
  // An example goes with all that it brought; what is the user's own stays, or comes back.
  const type = async (id, text) => {
    await page.evaluate((id) => (at(id).focus(), at(id).select()), id);
    await page.keyboard.sendCharacter(text);
  };
  const fields = () => page.evaluate(() => ASKED.map((id) => at(id).value));
  await page.click("#clear");
  await page.evaluate(() => (at("more").open = true));
  await page.select("#example", "0");
  await type("input", cases[0].input);
  seen.own = [await fields(), await status(page)];
  await type("trust", "mine");
  for (const example of ["2", ""]) await page.select("#example", example);
  seen.own.push(await fields());
  await page.select("#example", "0");
  await type("trust", "other");
  await page.select("#example", "");
  seen.own.push(await fields());
  await page.click("#clear");

  // What is open stays open while something is typed, also after what cannot be read; a drop of nothing changes nothing; an
  // example that was changed says so until it is chosen again.
  await page.select("#example", "0");
  const isOpen = () => page.$eval("#report details", (fold) => fold.open);
  seen.open = [await isOpen()];
  await page.evaluate(() => (at("report").querySelector("details").open = true));
  await type("audience", "EU.EORI.NL000000000");
  seen.open.push(await isOpen());
  await type("keys", "{");
  seen.unreadable = await status(page);
  await type("keys", "");
  await page.keyboard.press("Backspace");
  seen.open.push(await isOpen());
  const title = () => page.$eval("#example", (select) => select.options[1].text);
  seen.titles = [await title()];
  const before = await fields();
  await page.evaluate(() => {
    const nothing = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
    at("input").dispatchEvent(nothing);
  });
  seen.dropped_nothing = [before, await fields(), await status(page)];
  await page.select("#example", "1");
  seen.titles.push(await title());

  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await check(page, "light");
  seen.saved_html = await download(page, () => page.click("#save-html"), "privyseal-report.html");
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await check(page, "dark");
  await page.setViewport({ width: 320, height: 700 });
  await check(page, "narrow");
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.setViewport({ width: 1100, height: 900 });
  await fill(page, { input: "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", now: cases[0].now });
  seen.private_key = await status(page);
  await fill(page, { input: `${cases[0].input}\n${cases[0].trust}`, now: cases[0].now });
  seen.token_and_certificates = await status(page);
  seen.example_left = await page.evaluate(() => [at("example").value, at("about").hidden]);
  await check(page, "wrong");
  await page.click("#clear");
  seen.cleared = await page.evaluate(() => document.querySelector("#report").innerHTML + document.querySelector("#input").value);
  seen.errors_of_page = seen.errors.splice(0);

  const report = await open(pathToFileURL(join(folder, "downloads", "privyseal-report.html")).href);
  await check(report, "report");
  seen.report_style = await report.$eval(".headline", (element) => getComputedStyle(element).backgroundColor);
  seen.errors_of_report = seen.errors.splice(0);
} finally {
  await browser.close();
  server.close();
}
process.stdout.write(JSON.stringify(seen));
