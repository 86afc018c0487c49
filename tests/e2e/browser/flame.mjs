// What a person does with a flame graph, whichever page it is on.
import { strict as assert } from "node:assert";

const CULPRIT = "GetRematchStreak";

async function share(frame) {
    return Number(/([\d.]+)%$/.exec(await frame.getAttribute("aria-label"))[1]);
}

async function zoomsByMouse(graph) {
    const culprit = graph.locator(`.frame[aria-label*="${CULPRIT}"]`).first();
    const reset = graph.locator(".flame-tools button");
    const all = await graph.locator(".frame").count();
    const before = (await culprit.boundingBox()).width;
    assert.ok(await reset.isDisabled(), "nothing is zoomed at first");
    await culprit.click();
    const after = (await culprit.boundingBox()).width;
    assert.ok(after > before && after > 0.95 * (await graph.locator(".flame-graph").boundingBox()).width,
        `the frame that was clicked fills the width: ${before} px became ${after}`);
    assert.ok(await graph.locator(".frame.is-above").count() > 2, "what is above is still there, and set apart");
    assert.match(await graph.locator(".flame-details").textContent(), new RegExp(CULPRIT), "its details are told");
    await reset.click();
    assert.equal(await graph.locator(".frame").count(), all, "reset shows everything again");
    assert.ok(await reset.isDisabled(), "and there is nothing left to reset");
}

async function zoomsByKeyboard(page, graph) {
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    await graph.locator('.frame[tabindex="0"]').focus();
    const root = await focused();
    await page.keyboard.press("ArrowDown");
    const child = await focused();
    assert.notEqual(child, root, "down goes to the first that is called");
    await page.keyboard.press("ArrowUp");
    assert.equal(await focused(), root, "up goes back");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await focused(), child, "right goes to its neighbour");
    await page.keyboard.press("Enter");
    assert.ok(await graph.locator(".flame-tools button").isEnabled(), "Enter zooms in");
    await page.keyboard.press("Escape");
    assert.ok(await graph.locator(".flame-tools button").isDisabled(), "Escape zooms out");
    assert.equal(await graph.locator('.frame[tabindex="0"]').count(), 1, "one stop for the tabulator");
}

async function searches(page, graph) {
    await graph.locator('.frame[tabindex="0"]').focus();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search", "/ goes to the search");
    const details = graph.locator(".flame-details");
    await page.keyboard.type("rematch");
    assert.ok(await graph.locator(".frame.is-hit").count() > 0, "what matches is set apart");
    assert.match(await details.textContent(), /frames? match.*\d%/, "and summed up");
    await page.keyboard.press("Enter");
    assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? ""),
        new RegExp(CULPRIT), "Enter goes to the first match");
    const search = graph.locator('input[type="search"]');
    await search.fill("/(/");
    assert.equal(await search.getAttribute("aria-invalid"), "true", "a broken expression is said");
    await search.fill("/^encoding.json[.]Unmarshal$/");
    assert.ok(await graph.locator(".frame.is-hit").count() > 0, "an expression matches");
    await search.fill("no such function");
    assert.match(await details.textContent(), /No frame/i, "nothing found is said");
    await page.keyboard.press("Escape");
    assert.equal(await search.inputValue(), "", "Escape ends the search");
}

async function switchesModes(graph) {
    const legend = (name) => graph.locator(`.flame-legend.in-${name}`);
    const culprit = graph.locator(`.frame[aria-label*="${CULPRIT}"]`).first();
    const now = await share(culprit);
    const colour = () => culprit.evaluate((e) => getComputedStyle(e).backgroundColor);
    const grown = await colour();
    assert.ok(await legend("diff").isVisible() && !await legend("plain").isVisible(), "difference is first");
    await graph.locator("label", { hasText: /^Plain$/ }).click();
    assert.ok(await legend("plain").isVisible() && !await legend("diff").isVisible(), "plain is a click away");
    assert.notEqual(await colour(), grown, "and has colours of its own");
    await graph.locator(".to-then + label").click();
    const then = graph.locator(`.frame[aria-label*="${CULPRIT}"]`);
    assert.ok(await then.count() === 0 || await share(then.first()) < now, "the calm day's widths are its own");
    await graph.locator("label", { hasText: /^Difference$/ }).click();
    assert.ok(await legend("diff").isVisible(), "and back");
}

export async function usesFlameGraph(page) {
    const graph = page.locator(".flame.with-base").first();
    await graph.scrollIntoViewIfNeeded();
    await graph.locator(".flame-graph.is-live").waitFor();
    await zoomsByMouse(graph);
    await zoomsByKeyboard(page, graph);
    await searches(page, graph);
    await switchesModes(graph);
}
