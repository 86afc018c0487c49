// One incident in `stakeout review`, two compared, and its profile in speedscope.
import { strict as assert } from "node:assert";
import { usesFlameGraph } from "./flame.mjs";
import { input, looks, scenarios, screenshot } from "./watch.mjs";

const ATTACK = '</textarea></title><script>window.pwned=1</script>"><img src=x onerror=window.pwned=1>';
const address = (id) => `${input.base}incident/${id}`;

async function open(watch, id) {
    const page = await watch.page();
    await page.goto(address(id));
    await page.locator("h1").first().waitFor();
    return page;
}

async function submit(page, button) {
    await Promise.all([
        page.waitForResponse((response) => response.request().method() === "POST"),
        page.getByRole("button", { name: button }).first().click(),
    ]);
    await page.locator("h1").first().waitFor();
}

async function openEverything(page) {
    for (const summary of await page.locator("summary:visible").all()) await summary.click();
}

await scenarios({
    "looks right everywhere": async (watch) => {
        await looks(watch, address(input.ids.round), "incident");
        await looks(watch, address(input.ids.failed), "incident-failed");
    },

    "tells the story of the report": async (watch) => {
        const page = await open(watch, input.ids.round);
        const text = await page.locator("h1").first().textContent();
        assert.match(text, /CPU rose from \d+(\.\d+)?% to \d+(\.\d+)?%.*GetRematchStreak.*database/s);
        assert.match(await page.textContent("main"), /every 30 min/, "how regular");
        await usesFlameGraph(page);
        await watch.innocent(page);
        await page.context().close();
    },

    "searches from anywhere": async (watch) => {
        const page = await open(watch, input.ids.round);
        for (const top of [0, 1e6]) {
            await page.evaluate((y) => { document.activeElement.blur(); scrollTo(0, y); }, top);
            await page.keyboard.press("/");
            await page.keyboard.type("njku?m");
            const typed = await page.evaluate(() => document.activeElement.matches(".flame input") &&
                document.activeElement.value);
            assert.equal(typed, "njku?m", `from ${top}`);
            assert.equal(page.url(), address(input.ids.round));
            await page.keyboard.press("Escape");
        }
        await page.evaluate(() => document.activeElement.blur());
        await page.keyboard.press("?");
        assert.match(await page.locator("dialog").textContent(), /\/search/);
        await page.context().close();
    },

    "keeps a note and that it was looked at": async (watch) => {
        const page = await open(watch, input.ids.rounds[1]);
        await page.locator('textarea[name="note"]').fill(`An empty id. ${ATTACK}`);
        await submit(page, "Save");
        await submit(page, "Mark as looked at");
        await page.reload();
        assert.equal(await page.locator('textarea[name="note"]').inputValue(), `An empty id. ${ATTACK}`);
        assert.ok(await page.getByRole("button", { name: /undo/ }).first().isVisible(), "it is marked");
        await watch.innocent(page);
        await page.goto(`${input.base}?q=empty`);
        assert.match(await page.locator("li.group").first().textContent(), /An empty id/, "the list has the note");
        await watch.innocent(page);
        await page.context().close();
    },

    "runs nothing that comes from a profile": async (watch) => {
        const page = await open(watch, input.ids.hostile);
        await openEverything(page);
        await watch.innocent(page);
        assert.match(await page.textContent("body"), /window\.pwned=1/, "it is there, as text");
        await page.goto(`${input.base}?service=hostile&q=${encodeURIComponent(ATTACK)}`);
        await watch.innocent(page);
        watch.allowed.push(/status of 40[04]/);
        await page.goto(`${input.base}?service=${encodeURIComponent(ATTACK)}&since=${encodeURIComponent(ATTACK)}`);
        await watch.innocent(page);
        await page.goto(`${input.base}incident/${encodeURIComponent(ATTACK)}`);
        await watch.innocent(page);
        await page.context().close();
    },

    "compares two that are picked in the list": async (watch) => {
        const page = await watch.page();
        await page.goto(`${input.base}?service=games&kind=all`);
        const row = page.locator("li.group").filter({ hasText: "GetRematchStreak" })
            .filter({ hasText: "cpu-high" });
        await row.locator("summary").first().click();
        await row.locator(".pick").nth(0).check();
        await row.locator(".pick").nth(5).check();
        await Promise.all([page.waitForURL(/compare/), page.getByRole("button", { name: "Compare" }).click()]);
        assert.equal(await page.locator(".side").count(), 2);
        assert.ok(await page.locator(".flame-graph").first().isVisible(), "with a flame graph of the difference");
        await watch.innocent(page);
        await looks(watch, page.url(), "compare");
        await page.goto(`${input.base}compare?a=${input.ids.hostile}&b=${input.ids.round}`);
        await openEverything(page);
        await watch.innocent(page);
        await page.context().close();
    },

    "opens a profile in speedscope": async (watch) => {
        watch.allowed.push(/script-src by eval/); // it goes on without, see assets.h
        for (const id of [input.ids.round, input.ids.hostile]) {
            const page = await open(watch, id);
            const link = page.locator('a[href^="/speedscope/"]').first();
            if (!input.speedscope) {
                assert.equal(await link.count(), 0, "no link to what is not built in");
            } else {
                const url = await link.getAttribute("href");
                const answered = page.waitForResponse(/cpu\.pb\.gz/);
                await page.goto(new URL(url, input.base).href);
                assert.equal((await answered).status(), 200);
                await page.waitForFunction(() => /cpu/.test(document.title) &&
                    /Left Heavy/.test(document.body.textContent));
                await screenshot(page, `speedscope-${id}`, false);
                await watch.innocent(page);
            }
            await page.context().close();
        }
    },
});
