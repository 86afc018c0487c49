/* Who it is: the suspect as a card, and what else it could be. */
#include "core/buf.h"
#include "core/incident.h"
#include "review/analysis/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/page/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void page_suspect(struct buf *out, const struct page *page)
{
    (void)out;
    (void)page;
}
