// Persons at a web application's page, each in a browser of their own (Chromium, contexts that share nothing).
//
// Reads one line of JSON from standard input: { url, persons }; prints one line of JSON for each thing that is seen:
// { person, qr } for each new image, { person, text } at the end; and at last { cookies, errors }. Each person waits, once
// all see a code, for a line on standard input.
import { once } from 'node:events';
import readline from 'node:readline';
import puppeteer from 'puppeteer-core';

setTimeout(() => process.exit(1), 240_000);
const lines = readline.createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
const { url, persons } = JSON.parse(first);
const say = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium',
  // In a container the tests run as root, where Chromium has no sandbox.
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
  protocolTimeout: 120_000,
});
const errors = [];
const cookies = [];

async function log_in(person) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  await page.click('button');
  await page.waitForSelector('img:not([hidden])', { timeout: 120_000 });
  // That the browser can show it, and not only that it is there.
  await page.waitForFunction(() => document.querySelector('img').naturalWidth > 100, { timeout: 60_000 });
  say({ person, qr: await page.$eval('img', (image) => image.src) });
  return async () => {
    await page.waitForFunction(() => /Welcome|did not/.test(document.querySelector('p').textContent), { timeout: 120_000 });
    cookies.push(...(await context.cookies()).map(({ name, httpOnly, sameSite, value }) => ({ name, httpOnly, sameSite, value })));
    const script = await page.evaluate(() => document.cookie);
    say({ person, text: await page.$eval('p', (text) => text.textContent), hidden: await page.$eval('img', (image) => image.hidden), script });
  };
}

try {
  const ends = await Promise.all(persons.map(log_in));
  await once(lines, 'line');
  await Promise.all(ends.map((end) => end()));
  say({ cookies, errors });
} finally {
  await browser.close();
}
process.exit(0);
