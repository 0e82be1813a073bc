// SPDX-License-Identifier: MIT
// Drives VS Code in a browser through a debugging session; TAP on standard output, a picture of each step in a folder.
// node vscode.js URL PROJECT SOURCE LOG PICTURES: LOG is what the adapter and VS Code say to each other.
const fs = require('fs');
const { chromium } = require(`${process.cwd()}/build/ide/node_modules/playwright-core`);

const [url, project, source, log, pictures] = process.argv.slice(2);
const LIMIT = Number(process.env.LIMIT || 60000);
const LINE = fs.readFileSync(`${project}/${source}`, 'utf8').split('\n')
	.findIndex(text => text.includes('count(&route->requests, 1);')) + 1;
let count = 0, page;

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function until(what, condition) {
	for (const end = Date.now() + LIMIT; Date.now() < end; await sleep(50)) {
		const result = await condition();
		if (result)
			return result;
	}
	throw new Error(`${what}: not within a minute`);
}

// What was said since the step began, and what is shown.
let seen = 0;
const whole = () => fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '';
const said = () => whole().slice(seen);
const says = pattern => until(`${pattern} is said`, () => said().match(pattern));
const shown = (where = 'body') => page.locator(where).first().innerText().catch(() => '');
const shows = (pattern, where) => until(`${pattern} is shown`, async () => (await shown(where)).match(pattern));

async function step(title, run) {
	count++;
	seen = whole().length;
	const name = `${pictures}/${String(count).padStart(2, '0')}-${title.replace(/[^a-z]+/gi, '-')}.png`;
	try {
		await run();
		await page.screenshot({ path: name });
		console.log(`ok ${count} - ${title}`);
	} catch (error) {
		await page.screenshot({ path: name }).catch(() => {});
		console.log(`# step ${count}, ${title}: ${String(error.stack).replace(/\n/g, '\n# ')}`);
		for (const line of said().split('\n').slice(-25))
			console.log(`# ${line.slice(0, 300)}`);
		throw error;
	}
}

// By its name in the palette, whose list is made when it opens: keys depend on who has the focus. Others begin with the
// same words, and what an extension brings comes late.
async function choose(name) {
	await page.keyboard.press('F1');
	const input = page.locator('.quick-input-widget input').first();
	await input.waitFor();
	await input.fill(`>${name}`);
	for (let i = 0; i < 40; i++, await sleep(50)) {
		const row = page.locator('.quick-input-list .monaco-list-row').filter({ has: page.locator('.label-name') });
		const names = await row.locator('.label-name').allInnerTexts().catch(() => []);
		const at = names.map(each => each.replace(/\u00a0/g, ' ').trim()).indexOf(name);
		if (at < 0)
			continue;
		await row.nth(at).click();
		await page.locator('.quick-input-widget').first().waitFor({ state: 'hidden' });
		return true;
	}
	await page.keyboard.press('Escape');
	return false;
}
const command = name => until(`the command ${name}`, () => choose(name));

// Into the debug console, whose brackets close by themselves.
async function type(line) {
	await command('Debug Console: Focus on Debug Console View');
	const input = page.locator('.repl-input-wrapper .monaco-editor').first();
	await input.click();
	await page.keyboard.insertText(line);
	await until('the line is there', async () => (await shown('.repl-input-wrapper .view-lines')).includes(line.slice(0, 5)));
	await page.keyboard.press('Enter');
}

const CONSOLE = '.repl';
const stopped = () => says(/"event":"stopped"/);

async function session() {
	await step('opens the source of the program', async () => {
		const { host } = new URL(url);
		const file = `vscode-remote://${host}${project}/${source}`;
		await page.goto(`${url}?folder=${project}&payload=${encodeURIComponent(JSON.stringify([['openFile', file]]))}`);
		await page.locator('.view-line').first().waitFor({ timeout: LIMIT });
		await shows(/http_server\.c/);
	});
	await step('attaches to the server, which runs on', async () => {
		await command('Debug: Start Debugging');
		await says(/"command":"configurationDone","success":true/);
		await page.locator('.repl-input-wrapper').waitFor();
	});
	await step('calls while the program runs', async () => {
		await type('http_stats()');
		await says(/"command":"evaluate","success":true,"body":\{"result":"\{accepted = \d+/);
		await shows(/accepted = \d+/, CONSOLE);
		if (/"event":"stopped"/.test(whole()))
			throw new Error('it stopped for that');
	});
	await step('undoes a slow call when its toast is cancelled', async () => {
		await type('sleep(1000)');
		await says(/"event":"progressStart"/);
		const button = page.locator('.notifications-toasts .monaco-button', { hasText: 'Cancel' }).first();
		await button.waitFor({ timeout: LIMIT });
		await page.screenshot({ path: `${pictures}/toast.png` });
		await button.click();
		await says(/<- .*"command":"cancel"/);
		await says(/"command":"evaluate","success":false,"message":"cancelled"/);
	});
	await step('hits a breakpoint that is set while it runs', async () => {
		await command('View: Focus Active Editor Group');
		await page.keyboard.press('Control+g');
		await page.locator('.quick-input-widget input').first().fill(`:${LINE}`);
		await page.keyboard.press('Enter');
		await command('Debug: Toggle Breakpoint');
		await says(/"command":"setBreakpoints","success":true.*"verified":true/);
		await stopped();
		await page.locator('.debug-top-stack-frame-line').first().waitFor({ timeout: LIMIT });
		// Whoever else asks is not to wait.
		await command('Debug: Toggle Breakpoint');
		await says(/"command":"setBreakpoints","success":true,"body":\{"breakpoints":\[\]\}/);
	});
	await step('shows locals', async () => {
		await until('arguments and locals', async () => {
			const text = await shown('.debug-variables');
			return text.includes('request') && text.includes('Locals');
		});
	});
	await step('hovers over a variable and a function, and calls nothing', async () => {
		for (const name of ['route', 'count']) {
			// What the last one showed may lie over it for a while.
			await until(`a hover over ${name}`, async () => {
				await page.mouse.move(600, 700);
				await sleep(500);
				await page.locator('.view-line span span').getByText(name, { exact: true }).first().hover();
				await sleep(1500);
				return new RegExp(`"expression":"${name}".*"context":"hover"`).test(said());
			});
		}
	});
	await step('watches a call, which runs when it is asked to', async () => {
		await page.locator('.pane-header', { hasText: /^Watch/i }).first().hover();
		await page.locator('[aria-label="Add Expression"]').first().click();
		await page.locator('.monaco-list .inputBoxActionWrapper, .debug-view .monaco-inputbox input, .monaco-tl-contents input')
			.first().waitFor();
		await page.keyboard.insertText('strlen(request->path)');
		await page.keyboard.press('Enter');
		await says(/a call; open it to run it/);
		const watch = page.locator('.debug-watch .monaco-list-row', { hasText: 'a call; open it' }).first();
		await watch.waitFor();
		await sleep(500);
		if (/"command":"variables".*"name":"value"/.test(said()))
			throw new Error('it ran by itself');
		await watch.locator('.monaco-tl-twistie').click();
		await says(/"command":"variables","success":true.*"value":"\d+","name":"value"/);
	});
	await step('calls on the thread that stands', async () => {
		await type('strlen(request->method) + 1');
		await says(/"command":"evaluate","success":true,"body":\{"result":"\d+"/);
	});
	await step('steps', async () => {
		await command('Debug: Step Over');
		await says(/"event":"stopped".*"reason":"step"/);
	});
	await step('goes on', async () => {
		await command('Debug: Continue');
		await says(/"command":"continue","success":true/);
	});
	await step('disconnects in the middle of a call, which is undone', async () => {
		await type('sleep(1000)');
		await says(/<- .*sleep\(1000\)/);
		await command('Debug: Disconnect');
		await says(/"message":"cancelled"/);
		await says(/"command":"disconnect","success":true/);
	});
}

(async () => {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	let failed = false;
	try {
		page = await browser.newPage({ viewport: { width: 1200, height: 760 } });
		page.setDefaultTimeout(LIMIT);
		await session();
	} catch (error) {
		failed = true;
		console.log(`# ${String(error).split('\n')[0]}`);
	}
	await browser.close();
	process.exit(failed ? 1 : 0);
})();
