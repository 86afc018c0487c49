// Chromium with an eye on everything that no page of ours may do: say an error, break its own
// Content-Security-Policy, ask another origin, run what came from a profile.
import { strict as assert } from "node:assert";
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.STAKEOUT_MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };

// What the test that started this has to say: addresses, ids, folders.
export const input = JSON.parse(process.env.STAKEOUT_INPUT);

export class Watch {
    constructor(browser) {
        this.browser = browser;
        this.problems = [];
        this.allowed = []; // patterns of problems that are meant
    }

    static async open() {
        const options = ["--enable-unsafe-swiftshader", "--force-color-profile=srgb"];
        if (process.getuid() === 0) options.push("--no-sandbox"); // Chromium refuses root otherwise
        return new Watch(await chromium.launch({ executablePath: input.chromium, args: options }));
    }

    // A page in a context of its own: no cookies, no storage, no cache of another.
    async page(options = {}) {
        const context = await this.browser.newContext({ viewport: WIDE, ...options });
        context.setDefaultTimeout(30000); // for machines that have other things to do
        await context.addInitScript(() => {
            document.addEventListener("securitypolicyviolation", (event) =>
                console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`));
        });
        const page = await context.newPage();
        this.listen(page);
        context.on("page", (other) => this.listen(other));
        return page;
    }

    listen(page) {
        const note = (text) => {
            if (!this.allowed.some((pattern) => pattern.test(text))) {
                this.problems.push(`${page.url()}: ${text}`);
            }
        };
        page.on("console", (said) => said.type() === "error" && note(`console: ${said.text()}`));
        page.on("pageerror", (error) => note(`error: ${error.message}`));
        page.on("dialog", (dialog) => {
            note(`dialog: ${dialog.message()}`);
            dialog.dismiss();
        });
        page.on("request", (request) => {
            const url = request.url();
            const own = url.startsWith(input.base ?? "file:") || /^(data|blob):/.test(url);
            if (!own) note(`asks another origin: ${url}`);
        });
    }

    // After something was done on a page: nothing foreign ran.
    async innocent(page) {
        assert.equal(await page.evaluate(() => window.pwned), undefined, `${page.url()}: foreign code ran`);
        const foreign = await page.evaluate(() =>
            [...document.querySelectorAll("img, svg, b, script")]
                .filter((e) => /pwned/.test(e.getAttribute("onerror") + e.getAttribute("onload")) ||
                    (e.tagName === "SCRIPT" && /^window\.pwned/.test(e.textContent)))
                .map((e) => e.outerHTML.slice(0, 200)));
        assert.deepEqual(foreign, [], `${page.url()}: foreign markup`);
    }

    // No serious finding of axe, for people who use a keyboard or a screen reader.
    async accessible(page, name) {
        await page.evaluate(axe);
        const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        const serious = result.violations
            .filter((v) => v.impact === "serious" || v.impact === "critical")
            .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
        if (serious.length > 0) this.problems.push(`${name}: ${serious.join("\n   ")}`);
    }

    // Nothing sticks out to the right of the window.
    async fits(page, name) {
        const wide = await page.evaluate(() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return null;
            const clips = (e) => e && (getComputedStyle(e).overflowX !== "visible" || clips(e.parentElement));
            const out = [...document.body.querySelectorAll("*")]
                .filter((e) => e.getBoundingClientRect().right > width + 1 && !clips(e.parentElement))
                .map((e) => `${e.tagName}.${e.getAttribute("class")} ${e.getBoundingClientRect().right}`);
            return `${document.documentElement.scrollWidth} of ${width} px: ${out.slice(0, 4)}`;
        });
        if (wide) this.problems.push(`${name} scrolls sideways: ${wide}`);
    }

    async close() {
        await this.browser.close();
    }
}

export async function screenshot(page, name, fullPage = true) {
    mkdirSync(input.screenshots, { recursive: true });
    await page.screenshot({ path: path.join(input.screenshots, `${name}.png`), fullPage });
}

// A page as people meet it: in the light, in the dark, on a phone, on paper.
export async function looks(watch, url, name) {
    const page = await watch.page({ colorScheme: "light" });
    await page.goto(url);
    await watch.accessible(page, `${name}, light`);
    await watch.fits(page, `${name}, light`);
    await screenshot(page, `${name}-light`);
    await page.emulateMedia({ colorScheme: "dark" });
    await watch.accessible(page, `${name}, dark`);
    await screenshot(page, `${name}-dark`);
    await page.setViewportSize(PHONE);
    await watch.fits(page, `${name}, phone`);
    await watch.accessible(page, `${name}, phone`);
    await screenshot(page, `${name}-phone`);
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ colorScheme: "light", media: "print" });
    await watch.fits(page, `${name}, print`);
    await screenshot(page, `${name}-print`);
    await watch.innocent(page);
    await page.context().close();
}

// Runs the scenarios of a file, each with its own name, and ends with what was wrong.
export async function scenarios(all) {
    const watch = await Watch.open();
    const failed = [];
    for (const [name, run] of Object.entries(all)) {
        try {
            await run(watch);
        } catch (error) {
            failed.push(`${name}: ${error.stack.split("\n").slice(0, 8).join("\n    ")}`);
        }
        failed.push(...watch.problems.splice(0).map((problem) => `${name}: ${problem}`));
        watch.allowed = [];
    }
    await watch.close();
    console.log(JSON.stringify({ scenarios: Object.keys(all), failed }));
}
