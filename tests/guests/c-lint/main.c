// A lint plugin in C: YAML forbids tabs as indentation (YAML 1.2.2, section 6.1).
//
// The contract comes from `plugin.h`, which wit-bindgen makes of `wit/`; files are read with the C library.

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "plugin.h"

// Strings that are only lent to the host for the time of a call.
static plugin_string_t text(const char *chars) {
    return (plugin_string_t){.ptr = (uint8_t *)chars, .len = strlen(chars)};
}

static void report(sluice_plugin_types_borrow_sink_t sink, plugin_string_t path, uint32_t line, uint32_t column,
                   uint32_t tabs) {
    sluice_plugin_types_finding_t finding = {
        .rule = text("yaml/tab"),
        .severity = SLUICE_PLUGIN_TYPES_SEVERITY_ERROR,
        .message = text("tab in the indentation"),
        .span = {.is_some = true,
                 .val = {.path = path,
                         .start_line = line,
                         .start_column = column,
                         .end_line = line,
                         .end_column = column + tabs}},
        .help = {.is_some = true, .val = text("indent with spaces")},
    };
    sluice_plugin_types_list_finding_t findings = {.ptr = &finding, .len = 1};
    sluice_plugin_types_method_sink_findings(sink, &findings);
}

// Goes through a file byte by byte; one finding for the first run of tabs in the indentation of a line.
static void check(sluice_plugin_types_borrow_sink_t sink, plugin_string_t path, FILE *file) {
    uint32_t line = 1, column = 1, first = 0, tabs = 0;
    bool indentation = true;
    for (int c; (c = getc(file)) != EOF; column++) {
        if (indentation && c == '\t' && (tabs == 0 || first + tabs == column)) {
            first = tabs == 0 ? column : first;
            tabs++;
        }
        indentation = indentation && (c == ' ' || c == '\t');
        if (!indentation && tabs > 0) {
            if (c != '\n') report(sink, path, line, first, tabs); // A line of nothing but white space is no matter.
            tabs = 0;
        }
        if (c == '\n') {
            line++, column = 0, indentation = true;
        }
    }
}

// Returns whether the file could be read; `err` says why not.
static bool check_file(sluice_plugin_types_borrow_sink_t sink, plugin_string_t path,
                       exports_sluice_plugin_lint_failure_t *err) {
    char name[4096], message[4400];
    snprintf(name, sizeof name, "%.*s", (int)path.len, (const char *)path.ptr);
    FILE *file = fopen(name, "rb");
    if (file != NULL) {
        check(sink, path, file);
        bool broken = ferror(file);
        fclose(file);
        if (!broken) return true;
    }
    snprintf(message, sizeof message, "cannot read `%s`: %s", name, strerror(errno));
    err->tag = SLUICE_PLUGIN_TYPES_FAILURE_FAILED;
    plugin_string_dup(&err->val.failed.message, message);
    err->val.failed.help.is_some = false;
    return false;
}

bool exports_sluice_plugin_lint_lint(sluice_plugin_types_borrow_step_t step, sluice_plugin_types_borrow_sink_t sink,
                                     exports_sluice_plugin_lint_failure_t *err) {
    plugin_string_t globs[] = {text("**/*.yaml"), text("**/*.yml")};
    plugin_list_string_t wanted = {.ptr = globs, .len = 2}, paths;
    bool fine = sluice_plugin_types_method_step_files(step, &wanted, &paths, err);
    if (fine) {
        for (size_t i = 0; fine && i < paths.len; i++) fine = check_file(sink, paths.ptr[i], err);
        char count[24];
        snprintf(count, sizeof count, "%zu", paths.len);
        plugin_string_t output = text("files"), value = text(count);
        fine = fine && sluice_plugin_types_method_sink_output(sink, &output, &value, err);
        plugin_list_string_free(&paths);
    }
    // Borrowed handles go back before the call returns.
    sluice_plugin_types_step_drop_borrow(step);
    sluice_plugin_types_sink_drop_borrow(sink);
    return fine;
}
