/* The in situ back end on Catalyst 2, whose implementation (ParaView's, by
 * CATALYST_IMPLEMENTATION_* in the environment) is found when it starts. It has no cheap question
 * whether a script wants a step, so all that are asked for are shown. */
#include <stdio.h>

#include "blueprint.h"

static int has_told;

/** Notes what a call has answered. */
static void Judge(enum catalyst_status status, const char *call, EngramInsituReport *report)
{
    if (status == catalyst_status_ok) {
        return;
    }
    report->failures++;
    if (!has_told) {
        (void)snprintf(report->text, sizeof(report->text), "%s has failed with status %d", call,
                       (int)status);
    }
    has_told = 1;
}

static int Start(const EngramInsituSetup *setup, EngramInsituReport *report)
{
    conduit_node *root = conduit_node_create();
    EngramBlueprintStart(setup, root);
    Judge(catalyst_initialize(root), "catalyst_initialize", report);
    conduit_node_destroy(root);
    return report->failures > 0;
}

static int Wants(int64_t step, double time, int is_last)
{
    (void)step;
    (void)time;
    (void)is_last;
    return 1;
}

static void Show(const EngramInsituScene *scene, EngramInsituReport *report)
{
    conduit_node *root = conduit_node_create();
    EngramBlueprintShow(scene, root);
    Judge(catalyst_execute(root), "catalyst_execute", report);
    conduit_node_destroy(root);
}

static void Stop(EngramInsituReport *report)
{
    conduit_node *root = conduit_node_create();
    Judge(catalyst_finalize(root), "catalyst_finalize", report);
    conduit_node_destroy(root);
}

static const EngramInsituBackend backend = {
    ENGRAM_INSITU_VERSION, "catalyst", Start, Wants, Show, Stop};

const EngramInsituBackend *EngramInsituGetBackend(void)
{
    return &backend;
}
