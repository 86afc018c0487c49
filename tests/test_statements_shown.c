/* The statements of a database in the report and in `show`. */
#include "commands/view.h"
#include "core/incident.h"
#include "review/page/report.h"
#include "review/store/store.h"

#include "evidence_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROW                                                                                        \
    "{\"query_id\":\"-7\",\"text\":\"SELECT <b>\\n\\t\\tFROM games\",\"calls\":1234567,\"rows\":"  \
    "58800,\"time_ms\":20900,\"percent\":99.5,\"blocks_read\":3,\"blocks_hit\":4}"

static const char incident[] =
    "\"kind\": \"spike\", \"statements\": "
    "[{\"name\":\"games\",\"from\":\"2026-11-23T15:03:00.000Z\","
    "\"to\":\"2026-11-23T15:04:30.000Z\",\"calls\":1234570,\"time_ms\":21000,\"top\":[" ROW
    ",{\"query_id\":\"8\",\"calls\":1,\"rows\":1,\"time_ms\":1,\"percent\":0.1}],\"others\":2,"
    "\"started_over\":3,\"gone\":4,\"running\":[{\"text\":\"UPDATE <i>\\nSET a = ?\",\"state\":"
    "\"active\",\"waits_for\":\"Lock: tuple\",\"time_ms\":12300},{\"state\":\"idle in "
    "transaction\","
    "\"time_ms\":2000}],\"running_others\":5},{\"name\":\"users\",\"problem\":\"GRANT it\"}]";

static struct evidence *evidence_of(const char *more)
{
    static char text[4096];
    const struct rig_file files[] = {{"incident.json", text, 0}, {NULL, NULL, 0}};
    rig_incident(text, sizeof text, more);
    struct error err;
    struct evidence *evidence = rig_evidence(files, NULL, 1 << 20, &err);
    if (!evidence)
        fail_msg("%s", err.text);
    return evidence;
}

static void expect_all(const char *text, const char *const *parts)
{
    for (; *parts; parts++)
        if (!strstr(text, *parts))
            fail_msg("no \"%s\" in:\n%s", *parts, text);
}

static void the_report_has_a_table(void **state)
{
    (void)state;
    static const char *const parts[] = {"What the database did", "<h3>games</h3>",
        "<td class=\"number\">20.9 s</td><td class=\"number\">99.5%</td>", ">1,234,567<",
        "SELECT &lt;b&gt;", "<code>query 8</code>", "21 s of time in all, 1,234,570 calls",
        "2 more statements", "3 were reset or evicted in between: of them only",
        "4 were reset or evicted in between and are not known", "<caption>Still running at ",
        "<td class=\"number\">12.3 s</td><td>active</td><td>Lock: tuple</td><td><code>UPDATE "
        "&lt;i&gt;",
        "<td>idle in transaction</td><td>nothing</td>", "5 more ran still", "<h3>users</h3>",
        "Its statements are not known: GRANT it", NULL};
    struct evidence *evidence = evidence_of(incident);
    struct buf page;
    buf_init(&page, REPORT_MAX);
    report_write(&page, evidence, NULL);
    expect_all(page.data, parts);
    buf_free(&page);
    evidence_free(evidence);
    evidence = evidence_of("\"kind\": \"spike\"");
    buf_init(&page, REPORT_MAX);
    report_write(&page, evidence, NULL);
    assert_null(strstr(page.data, "What the database did"));
    buf_free(&page);
    evidence_free(evidence);
}

static void show_has_it_too(void **state)
{
    (void)state;
    static const char *const text_parts[] = {"DATABASE TIME",
        "20.9 s  99.5%  1234567  58800  SELECT <b> FROM games\n", "STILL RUNNING FOR",
        "12.3 s  active               Lock: tuple  UPDATE <i> SET a = ?\n",
        "users: not known: GRANT it", NULL};
    static const char *const markdown_parts[] = {
        "| database time | share | calls | rows | statement |", "| `SELECT <b> FROM games` |",
        "| still running for | state | waits for | statement |",
        "| `active` | `Lock: tuple` | `UPDATE <i> SET a = ?` |", NULL};
    struct evidence *evidence = evidence_of(incident);
    static char location[] = "/captures";
    struct store_incident stored = {.incident = evidence->incident, .location = location};
    const struct view_extras extras = {.evidence = evidence};
    for (int markdown = 0; markdown < 2; markdown++) {
        struct view view;
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        view_init(&view, &stored, &extras);
        if (markdown)
            view_print_markdown(&view, out);
        else
            view_print_text(&view, out);
        fclose(out);
        expect_all(text, markdown ? markdown_parts : text_parts);
        view_free(&view);
        free(text);
    }
    evidence_free(evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_has_a_table),
        cmocka_unit_test(show_has_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
