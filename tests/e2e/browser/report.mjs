// report.html as it lies in an incident's folder.
import { strict as assert } from "node:assert";
import { usesFlameGraph } from "./flame.mjs";
import { WIDE, input, looks, scenarios } from "./watch.mjs";

async function headline(page) {
    const text = await page.locator("h1").first().textContent();
    assert.match(text, /CPU rose from \d+(\.\d+)?% to \d+(\.\d+)?%/);
    assert.match(text, /GetRematchStreak/);
    assert.match(text, /database/);
}

await scenarios({
    "looks right everywhere": (watch) => looks(watch, input.reports.round, "report"),

    "says what it has to without script": async (watch) => {
        const page = await watch.page({ javaScriptEnabled: false, viewport: WIDE });
        await page.goto(input.reports.round);
        await headline(page);
        assert.ok(await page.locator("svg").count() >= 4, "a chart for each metric");
        assert.ok(await page.locator(".flame-graph > *").count() > 10, "a flame graph");
        assert.ok(await page.locator("table:visible").count() > 1, "tables");
        assert.ok(!await page.locator(".flame-tools").first().isVisible(), "no tool that needs script");
        await page.context().close();
    },

    "is used with script": async (watch) => {
        const page = await watch.page();
        await page.goto(input.reports.round);
        await headline(page);
        await usesFlameGraph(page);
        await watch.innocent(page);
        await page.context().close();
    },

    "runs nothing that comes from a profile": async (watch) => {
        const page = await watch.page();
        await page.goto(input.reports.hostile);
        await page.locator("h1").first().waitFor();
        for (const summary of await page.locator("summary:visible").all()) await summary.click();
        await watch.innocent(page);
        assert.match(await page.textContent("body"), /window\.pwned=1/, "it is there, as text");
        await page.context().close();
    },

    "shows incidents of every kind": async (watch) => {
        for (const [name, url] of Object.entries(input.reports)) {
            const page = await watch.page({ viewport: { width: 360, height: 740 } });
            await page.goto(url);
            assert.ok((await page.locator("h1").first().textContent()).length > 10, `${name} has a headline`);
            await watch.fits(page, name);
            await watch.innocent(page);
            await page.context().close();
        }
    },
});
