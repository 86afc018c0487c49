/* stakeout.yaml(5), made of the tables that `config --reference` is made of. */
#include "config/config_parts.h"
#include "config/reference.h"

static const char beginning[] = ".TH STAKEOUT.YAML 5 \"\" \"stakeout " STAKEOUT_VERSION "\"\n"
                                ".SH NAME\n"
                                "stakeout.yaml \\- configuration of stakeout\n"
                                ".SH SYNOPSIS\n"
                                ".I /etc/stakeout/stakeout.yaml\n";

static const char ending[] = ".SH EXAMPLE\n"
                             ".nf\n"
                             "service: woogles\n"
                             "app:\n"
                             "  debug: http://localhost:6060/debug/pprof\n"
                             "export:\n"
                             "  directory: /var/lib/stakeout/captures\n"
                             ".fi\n"
                             ".PP\n"
                             "\\fBstakeout check\\fR tries every part of it for real,\n"
                             "\\fBstakeout config\\fR prints it with all defaults,\n"
                             "\\fBstakeout config \\-\\-schema\\fR is a JSON Schema for editors.\n"
                             ".SH SEE ALSO\n"
                             ".BR stakeout (1)\n";

void config_print_man(const struct config_kinds *kinds, FILE *out)
{
    fputs(beginning, out);
    config_write_reference(kinds, &(struct reference){out, REFERENCE_ROFF});
    fputs(ending, out);
}
