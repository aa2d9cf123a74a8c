// A person in Chromium: opens an address, fills in one page of a provider after the other, and goes where that leads.
//
// Reads JSON from standard input: { url, stop, forms }; `stop` is where the browser's way ends, `forms` a list of
// { name: value }, one for each page. Prints the address that it was sent to in the end, which is not opened.
import puppeteer from 'puppeteer-core';

setTimeout(() => process.exit(1), 240_000);
process.stdin.setEncoding('utf8');
let asked = '';
for await (const piece of process.stdin) asked += piece;
const { url, stop, forms } = JSON.parse(asked);

const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium',
  // In a container the tests run as root, where Chromium has no sandbox; the provider's CA is one of the tests.
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
  acceptInsecureCerts: true,
  protocolTimeout: 120_000,
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.setRequestInterception(true);
  const end = new Promise((done) => {
    page.on('request', (request) => {
      if (!request.url().startsWith(stop)) return request.continue();
      done(request.url());
      return request.abort();
    });
  });
  await page.goto(url);
  for (const form of forms) {
    await page.waitForSelector('form [type=submit]');
    for (const [name, value] of Object.entries(form)) await page.type(`form [name="${name}"]`, value);
    const next = page.waitForNavigation().catch(() => {});
    await page.click('form [type=submit]');
    await Promise.race([next, end]);
  }
  process.stdout.write(await end);
} finally {
  await browser.close();
}
process.exit(0);
