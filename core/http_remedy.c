#include "core/http_remedy.h"

#include <string.h>

/* In libcurl's and OpenSSL's words; the first that is in the sentence holds. */
static const struct {
    const char *words[2];
    const char *remedy;
} known[] = {
    {{"CONNECT tunnel failed", "407"}, "the proxy wants a user: put it into HTTPS_PROXY"},
    {{"CONNECT tunnel failed"},
        "the proxy on the way refuses: mend HTTPS_PROXY, or name the host in NO_PROXY"},
    {{"resolve proxy"}, "mend HTTPS_PROXY, or name the host in NO_PROXY"},
    {{"resolve host"}, "is its name right, and is there a name server?"},
    {{"Empty reply from server"}, "does it want https:// and not http://?"},
    {{"wrong version number"}, "nothing there speaks TLS: is it http:// and not https://?"},
    {{"setting certificate"}, "ca_file has to be a PEM file of certificates that can be read"},
    {{"match", "target host name"},
        "its certificate is one for another host: write the host as the certificate does"},
    {{"certificate has expired"}, "its certificate has to be renewed, or a clock is off"},
};

static const char *remedy_of_words(const char *error)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *second = known[i].words[1];
        if (strstr(error, known[i].words[0]) && (!second || strstr(error, second)))
            return known[i].remedy;
    }
    return NULL;
}

/* libcurl names whom it could not connect to, and that is the proxy where there is one. */
static bool names(const char *error, const char *host)
{
    size_t length = strcspn(host, ":");
    if (host[0] == '[') { /* an IPv6 address, which libcurl names without brackets */
        host++;
        length = strcspn(host, "]");
    }
    for (const char *at = error; (at = strchr(at, host[0])); at++)
        if (!strncmp(at, host, length))
            return true;
    return false;
}

const char *http_remedy(
    enum http_outcome outcome, const char *error, const char *host, bool ca_file)
{
    const char *remedy = remedy_of_words(error);
    if (remedy)
        return remedy;
    if (outcome == HTTP_BAD_TLS)
        return ca_file ? "does ca_file hold the authority that signed its certificate?"
                       : "set ca_file to the authority that signed its certificate";
    if (outcome == HTTP_NOT_HTTP)
        return "who answers does not speak HTTP: is the URL right?";
    if (outcome != HTTP_UNREACHED)
        return "";
    if (host && *host && strstr(error, "Failed to connect to") && !names(error, host))
        return "that is the proxy: mend HTTPS_PROXY, or name the host in NO_PROXY";
    return "is it up, and the way there open?";
}
