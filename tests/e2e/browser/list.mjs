// The list of `stakeout review`: rows, filters, the keyboard, what comes in while one looks.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { input, looks, scenarios } from "./watch.mjs";

const rows = (page) => page.locator("li.group");
const focusedRow = (page) => page.evaluate(() => document.activeElement.closest("li.group")?.dataset.newest);

async function open(watch, query = "") {
    const page = await watch.page();
    await page.goto(input.base + query);
    await rows(page).first().waitFor();
    return page;
}

await scenarios({
    "looks right everywhere": (watch) => looks(watch, input.base, "list"),

    "has a row for a spike that recurs": async (watch) => {
        const page = await open(watch);
        const row = rows(page).filter({ hasText: "GetRematchStreak" }).filter({ hasText: "cpu-high" });
        assert.equal(await row.count(), 1, "one row for all of them");
        assert.match(await row.textContent(), new RegExp(`${input.ids.rounds.length}(th)? time`), "that counts them");
        assert.ok(await row.locator("svg.spark").first().isVisible(), "with a picture of the metric");
        assert.match(await row.locator(".peak").first().textContent(), /9\d%/, "and its peak");
        assert.ok(!await row.locator(".opened").isVisible(), "closed at first");
        await row.locator("summary").first().click();
        assert.ok(await row.locator(".earlier li").first().isVisible(), "it opens to the earlier ones");
        await watch.innocent(page);
        await page.context().close();
    },

    "fits thirty rows on a screen": async (watch) => {
        const page = await open(watch);
        const heights = await rows(page).evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
        assert.ok(Math.max(...heights) <= 28, `rows are ${heights} px high`);
        for (const peak of await page.locator(".row .peak").all())
            assert.ok(await peak.evaluate((cell) => cell.scrollWidth <= cell.clientWidth),
                `"${await peak.textContent()}" has room beside the verdict`);
        for (const time of await page.locator(".row time").allTextContents()) assert.match(time, /UTC$/);
        await page.context().close();
    },

    "keeps its filters in the address": async (watch) => {
        const page = await open(watch);
        const all = await rows(page).count();
        await page.locator('select[name="service"]').selectOption("billing");
        await page.waitForURL(/service=billing/);
        await rows(page).first().waitFor();
        const billing = await rows(page).count();
        assert.ok(billing > 0 && billing < all, `fewer rows: ${billing} of ${all}`);
        for (const text of await rows(page).allTextContents()) assert.match(text, /billing/);
        await page.reload();
        assert.equal(await rows(page).count(), billing, "the same after a reload");
        assert.equal(await page.locator('select[name="service"]').inputValue(), "billing");
        await page.goBack();
        await page.waitForURL((url) => !url.search.includes("service=billing"));
        await page.goto(`${input.base}?service=nobody`);
        assert.match(await page.textContent("main"), /[Cc]lear/, "nothing found says what to do next");
        await page.context().close();
    },

    "is used by keyboard": async (watch) => {
        const page = await open(watch);
        const names = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.newest));
        await page.keyboard.press("j");
        assert.equal(await focusedRow(page), names[0], "j goes to the first");
        await page.keyboard.press("j");
        assert.equal(await focusedRow(page), names[1], "and on");
        await page.keyboard.press("k");
        assert.equal(await focusedRow(page), names[0], "k goes back");
        await page.keyboard.press("/");
        assert.equal(await page.evaluate(() => document.activeElement.name), "q", "/ goes to the search");
        await page.keyboard.type("rematch");
        await Promise.all([page.waitForURL(/q=rematch/), page.keyboard.press("Enter")]);
        for (const text of await rows(page).allTextContents()) assert.match(text, /rematch/i, "what is typed is looked for");
        await rows(page).first().waitFor();
        await page.evaluate(() => document.activeElement.blur());
        await page.keyboard.press("j");
        await Promise.all([page.waitForURL(/incident\//), page.keyboard.press("Enter")]);
        assert.ok(page.url().includes(names.find((name) => page.url().includes(name))), "Enter opens it");
        await page.context().close();
    },

    "stays on the row that was marked": async (watch) => {
        const page = await open(watch);
        const looked = (name) => page.locator(`li.group[data-newest="${name}"] .row .dot.looked`);
        await page.keyboard.press("j");
        await page.keyboard.press("j");
        const name = await focusedRow(page);
        await page.keyboard.press("m");
        await looked(name).waitFor();
        assert.equal(await focusedRow(page), name, "the focus is where it was");
        await page.keyboard.press("m");
        await looked(name).waitFor({ state: "detached" });
        assert.equal(await focusedRow(page), name, "and again");
        await page.context().close();
    },

    "shows a new incident without a reload": async (watch) => {
        const page = await open(watch);
        await page.evaluate(() => { window.sameDocument = true; });
        const id = execFileSync(input.python, [input.maker, input.root, "--now"], { encoding: "utf8" }).trim();
        await page.locator(`li.group[data-newest="${id}"]`).waitFor({ timeout: 20000 });
        assert.ok(await page.evaluate(() => window.sameDocument), "it is the same page");
        assert.equal(await page.locator("li.group").first().getAttribute("data-newest"), id, "on top");
        await page.context().close();
    },
});
