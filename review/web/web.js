// The pages of `stakeout review`: news without a reload, the keyboard, picking two to compare. All of it works without
// this, too.
"use strict";
(() => {
    const $ = (selector, within = document) => within.querySelector(selector);
    const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    document.documentElement.classList.add("script");

    // --- times -----------------------------------------------------------------------------------

    const dayOf = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

    function localTime(date) {
        const days = Math.round((dayOf(new Date()) - dayOf(date)) / 86400000);
        const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
        if (days === 0) return time;
        if (days > 0 && days < 7) return `${date.toLocaleDateString("en", { weekday: "short" })} ${time}`;
        const sameYear = date.getFullYear() === new Date().getFullYear();
        const day = `${date.getDate()} ${date.toLocaleDateString("en", { month: "short" })}`;
        return sameYear ? `${day} ${time}` : `${day} ${date.getFullYear()}`;
    }

    // Rows are in UTC, as headlines are; what that is here is said beside the exact time.
    function tellLocalTimes(within) {
        for (const time of $$(".group time", within)) {
            if (!time.told) time.title += ` (${localTime(new Date(time.dateTime))} here)`;
            time.told = true;
        }
    }

    // --- the list --------------------------------------------------------------------------------

    const list = () => $("#list");
    const rows = () => $$("li.group");
    const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
    const newestOf = (section) => $$("li.group", section).map((row) => row.dataset.newest).sort().pop() ?? "";

    // A row that is there already keeps what was done to it.
    function takeOver(row, old) {
        $("details", row).open = $("details", old).open;
        const picked = new Set($$(".pick:checked", old).map((box) => box.value));
        for (const box of $$(".pick", row)) box.checked = picked.has(box.value);
    }

    const nameOf = (element) => [element.tagName, element.className, element.getAttribute("href"), element.value,
        element.closest("form")?.getAttribute("action")].join(" ").replace(/ (yes|no) /, " ");

    // Whoever works with the keyboard goes on where they were: at the same row or, where it has gone, at the one that
    // has taken its place.
    function keepFocus() {
        const focused = document.activeElement, row = focused.closest("li.group"), at = rows().indexOf(row);
        if (!row) return () => {};
        return () => {
            if (document.activeElement === focused) return;
            const all = rows();
            const now = all.find((other) => other.dataset.key === row.dataset.key) ??
                all.find((other) => other.dataset.newest === row.dataset.newest) ?? all[Math.min(at, all.length - 1)];
            const same = now && ($$("a, button, input, summary", now).find((other) =>
                nameOf(other) === nameOf(focused)) ?? $("a.words", now));
            same?.focus({ preventScroll: true });
        };
    }

    function mergeRows(into, from) {
        const old = new Map($$(":scope > li.group", into).map((row) => [row.dataset.key, row]));
        let at = into.firstElementChild;
        for (const row of $$(":scope > li.group", from)) {
            const same = old.get(row.dataset.key);
            old.delete(row.dataset.key);
            if (same && same.shown === row.outerHTML) {
                if (same === at) at = at.nextElementSibling;
                else into.insertBefore(same, at);
                continue;
            }
            const shown = row.outerHTML;
            if (same) takeOver(row, same);
            if (same === at) at = at.nextElementSibling;
            into.insertBefore(row, at);
            same?.remove();
            row.shown = shown;
        }
        for (const gone of old.values()) gone.remove();
    }

    function remember(section) {
        for (const row of $$("li.group", section)) row.shown = row.outerHTML;
        tellLocalTimes(section);
    }

    // What is looked at stays where it is on the screen.
    function anchor() {
        const held = $("li.group:focus-within") ?? $("li.group details[open]")?.closest("li") ?? $("li.group:hover");
        if (!held) return () => {};
        const top = held.getBoundingClientRect().top;
        return () => {
            const now = $(`li.group[data-key="${held.dataset.key}"]`);
            if (now) scrollBy(0, now.getBoundingClientRect().top - top);
        };
    }

    // All but the rows is replaced: those stay in the document, with what is focused and selected in them.
    function replaceAround(now, ours, section, theirs) {
        for (const child of [...now.childNodes]) if (child !== ours) child.remove();
        let after = false;
        for (const child of [...section.childNodes]) {
            if (child === theirs) after = true;
            else if (after) now.append(child);
            else ours.before(child);
        }
        for (const { name, value } of section.attributes) now.setAttribute(name, value);
    }

    function merge(section) {
        const settle = anchor(), focus = keepFocus();
        const ours = $("#list > .groups"), theirs = $(":scope > .groups", section);
        const known = $("details.known");
        if (known && $("details.known", section)) $("details.known", section).open = known.open;
        if (ours && theirs) {
            mergeRows(ours, theirs);
            replaceAround(list(), ours, section, theirs);
        } else {
            if (theirs) remember(theirs);
            list().replaceWith(section);
        }
        tellLocalTimes(list());
        focus();
        settle();
    }

    let newestSeen = "";

    function tellNews(section) {
        const fresh = $$(":scope > .groups > li.group", section).filter((row) => row.dataset.newest > newestSeen);
        if (!fresh.length) return;
        for (const row of fresh) row.classList.add("fresh");
        newestSeen = newestOf(section);
        const news = $(".news");
        news.count += fresh.length;
        news.textContent = `${news.count} new ${news.count === 1 ? "incident" : "incidents"}`;
        news.hidden = scrollY < 40;
        if (news.hidden) news.count = 0;
        $("#said").textContent = `${fresh.length} new ${fresh.length === 1 ? "incident" : "incidents"}`;
    }

    async function refresh() {
        const answer = await fetch(`/api/list${location.search}`);
        if (!answer.ok) throw new Error(answer.statusText);
        const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
        const section = document.adoptNode($("#list", parsed));
        const wasComplete = list().dataset.complete === "1";
        merge(section);
        if (wasComplete) tellNews(list());
        else newestSeen = newestOf(list());
        countPicks();
    }

    function connection(lost) {
        $("#lost")?.remove();
        if (!lost) return;
        const notice = document.createElement("p");
        notice.id = "lost";
        notice.className = "notice bad";
        notice.textContent = "stakeout review does not answer: is it still running? This page goes on by itself when it does.";
        list().before(notice);
    }

    const visible = () => document.hidden && new Promise((done) =>
        document.addEventListener("visibilitychange", done, { once: true }));

    async function follow() {
        for (;;) {
            await visible();
            try {
                const answer = await fetch(`/api/changes?after=${list().dataset.version}`);
                const { version } = await answer.json();
                if (String(version) !== list().dataset.version) await refresh();
                connection(false);
                await pause(list().dataset.complete === "1" ? 100 : 700);
            } catch {
                connection(true);
                await pause(2000);
            }
        }
    }

    // --- forms -----------------------------------------------------------------------------------

    // Empty fields have no place in an address that is sent to somebody.
    function tidyFilters(form) {
        const wanted = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
        const now = wanted();
        form.addEventListener("submit", (event) => {
            if (wanted() === now) return event.preventDefault(); // that is this page
            for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
        });
        addEventListener("pageshow", () => {
            for (const field of form.elements) field.disabled = false;
        });
        for (const select of $$("select", form)) {
            select.classList.toggle("set", select.value !== "");
            select.addEventListener("change", () => form.requestSubmit());
        }
    }

    async function sendQuietly(event) {
        const form = event.target;
        if (!form.matches("form[data-quiet]")) return;
        event.preventDefault();
        const fields = new URLSearchParams(new FormData(form, event.submitter));
        const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
        if (answer.type === "opaqueredirect") await refresh();
        else form.submit();
    }

    // A click on a row, where it is no link and selects no text, opens it.
    function openRow(event) {
        const row = event.target.closest(".group > .row");
        if (!row || event.target.closest("a, input, button") || !getSelection().isCollapsed) return;
        const details = $("details", row.parentElement);
        details.open = !details.open;
    }

    // --- picking two -----------------------------------------------------------------------------

    let picks = [];

    function countPicks() {
        const form = $("#compare");
        if (!form) return;
        picks = picks.filter((id) => $$(".pick:checked").some((box) => box.value === id));
        $("span", form).textContent = picks.length === 1 ? "Pick another one to compare with" : "Two incidents";
        $("button", form).disabled = picks.length !== 2;
        form.classList.toggle("picked", picks.length > 0);
    }

    function pick(box) {
        picks = picks.filter((id) => id !== box.value);
        if (box.checked) picks.push(box.value);
        if (picks.length > 2) {
            const dropped = picks.shift();
            for (const other of $$(".pick")) if (other.value === dropped) other.checked = false;
        }
        countPicks();
    }

    // --- the keyboard ----------------------------------------------------------------------------

    const focusedRow = () => document.activeElement.closest?.("li.group");

    function step(by) {
        const all = rows().filter((row) => row.offsetParent);
        const at = all.indexOf(focusedRow());
        const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
        if (!next) return;
        $("a.words", next).focus();
        next.scrollIntoView({ block: "nearest" });
    }

    const inRow = (act) => () => {
        const row = focusedRow();
        if (row) act(row);
    };
    const follows = (selector) => () => $(selector)?.click();

    const listKeys = {
        j: () => step(1),
        k: () => step(-1),
        o: inRow((row) => { $("details", row).open = !$("details", row).open; }),
        c: inRow((row) => $(".pick", row).click()),
        C: () => picks.length === 2 && $("#compare").requestSubmit(),
        m: inRow((row) => $('form[action$="/looked"] button', row).click()),
        "/": () => $("input[type=search]").focus(),
    };
    const incidentKeys = {
        j: follows('a[rel="next"]'),
        k: follows('a[rel="prev"]'),
        u: follows("a[data-list]"),
        m: follows("form.looked button"),
        n: () => $("textarea[name=note]")?.focus(),
    };
    const listHelp = [["j k", "next, previous row"], ["Enter", "open the incident"], ["o", "open the row"],
        ["c", "pick to compare"], ["C", "compare the two"], ["m", "looked at, or not"], ["/", "search"], ["?", "this"]];
    const incidentHelp = [["j k", "older, newer incident"], ["u", "back to the list"], ["m", "looked at, or not"],
        ["n", "write a note"], ["/", "search in a flame graph"], ["?", "this"]];

    function showHelp(help) {
        const dialog = document.createElement("dialog");
        const terms = document.createElement("dl");
        dialog.className = "keys";
        dialog.ariaLabel = "Keys";
        for (const [keys, meaning] of help) {
            const term = terms.appendChild(document.createElement("dt"));
            for (const key of keys.split(" ")) term.appendChild(document.createElement("kbd")).textContent = key;
            terms.appendChild(document.createElement("dd")).textContent = meaning;
        }
        dialog.append(terms);
        document.body.append(dialog);
        dialog.addEventListener("close", () => dialog.remove());
        dialog.addEventListener("click", () => dialog.close());
        dialog.showModal();
    }

    function listen(keys, help) {
        addEventListener("keydown", (event) => {
            const target = event.target;
            if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $("dialog[open]")) return;
            if (target.matches("input[type=search], textarea") && event.key === "Escape") target.blur();
            if (isTyping(target) || target.closest(".flame")) return;
            if (event.key === "?") {
                event.preventDefault();
                showHelp(help);
            } else if (keys[event.key]) {
                event.preventDefault();
                keys[event.key]();
            }
        });
    }

    // --- beginning -------------------------------------------------------------------------------

    function add(tag, attributes) {
        return document.body.appendChild(Object.assign(document.createElement(tag), attributes));
    }

    function beginList() {
        const news = add("button", { className: "news", type: "button", hidden: true, count: 0 });
        add("div", { id: "said", className: "unseen", ariaLive: "polite" });
        news.addEventListener("click", () => scrollTo({ top: 0 }));
        addEventListener("scroll", () => {
            if (scrollY >= 40) return;
            news.hidden = true;
            news.count = 0;
        }, { passive: true });
        document.addEventListener("change", (event) => event.target.matches(".pick") && pick(event.target));
        document.addEventListener("submit", sendQuietly);
        document.addEventListener("click", openRow);
        picks = $$(".pick:checked").map((box) => box.value);
        for (const box of $$(".pick:checked").slice(2)) box.checked = false;
        tidyFilters($(".filters"));
        remember(list());
        newestSeen = newestOf(list());
        countPicks();
        sessionStorage.setItem("list", location.pathname + location.search);
        listen(listKeys, listHelp);
        follow();
    }

    function beginIncident() {
        const back = $("a[data-list]"), from = sessionStorage.getItem("list");
        if (from?.startsWith("/?")) back.href = from;
        listen(incidentKeys, incidentHelp);
    }

    if (list()) beginList();
    else if ($("a[data-list]")) beginIncident();
})();
