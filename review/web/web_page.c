#include "review/web/web_page.h"

#include "review/page/html.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

void web_page_begin(
    const struct web_site *site, struct web_reply *reply, const char *title, const char *class)
{
    struct buf *out = &reply->body;
    html_printf(out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>%s</title>\n"
        "<link rel=\"icon\" href=\"/static/icon.svg\">\n"
        "<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
        "<link rel=\"stylesheet\" href=\"/static/flame.css\">\n"
        "<link rel=\"stylesheet\" href=\"/static/web.css\">\n"
        "<script src=\"/static/flame.js\" defer></script>\n"
        "<script src=\"/static/web.js\" defer></script>\n"
        "</head>\n<body class=\"%s\">\n",
        title, class);
    html_printf(out,
        "<header class=\"top\"><a class=\"home\" href=\"/\">stakeout</a>"
        "<nav><a href=\"/\" data-list>All incidents</a></nav>"
        "<span class=\"place\" title=\"where these incidents are stored\">%s</span></header>\n"
        "<main>\n",
        web_stores_where(site->stores));
}

void web_page_end(struct web_reply *reply)
{
    html_printf(&reply->body, "</main>\n</body>\n</html>\n");
}

static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "This address means nothing here";
    case 403:
        return "Refused";
    case 404:
        return "There is nothing here";
    case 405:
        return "Not in this way";
    case 413:
        return "Too much";
    default:
        return "That did not work";
    }
}

void web_page_problem(
    const struct web_site *site, struct web_reply *reply, unsigned status, const char *text)
{
    buf_clear(&reply->body);
    reply->status = status;
    reply->type = "text/html; charset=utf-8";
    web_page_begin(site, reply, title_of(status), "problem");
    html_printf(&reply->body, "<h1>%s</h1>\n<p>%s</p>\n<p><a href=\"/\">All incidents</a></p>\n",
        title_of(status), text);
    web_page_end(reply);
}
