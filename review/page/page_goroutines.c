/* Goroutines: groups by stack, the largest growth first. */
#include "core/buf.h"
#include "review/evidence/evidence.h"
#include "review/page/goroutine_table.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/suspect/goroutines.h"

void page_goroutines(struct buf *out, const struct page *page)
{
    enum { ROWS = 12 };
    const struct evidence_profile *profile = evidence_profile(page->evidence, "goroutine");
    struct goroutines goroutines;
    if (!profile)
        return;
    goroutines_of(profile->profile, profile->base, page->owners, &goroutines);
    buf_puts(out, "<section aria-labelledby=\"goroutines\">\n<h2 id=\"goroutines\">What its "
                  "goroutines do</h2>\n");
    goroutine_table_write(out, &goroutines, &(struct goroutine_table_options){.rows = ROWS});
    buf_puts(out, "</section>\n");
    goroutines_free(&goroutines);
}
