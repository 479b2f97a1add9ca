/**
 * @file insitu_options.h
 * The options of the in situ observer, as it uses them.
 */
#ifndef ENGRAM_SRC_OBSERVE_INSITU_OPTIONS_H
#define ENGRAM_SRC_OBSERVE_INSITU_OPTIONS_H

#include "engram/base/options.h"

enum { INSITU_SCRIPTS = 16 };

/** What a run asks for. */
typedef struct InsituParameters {
    int scripts;
    const char *script[INSITU_SCRIPTS]; /* paths, in `text` */
    char text[ENGRAM_OPTION_LENGTH];
    const char *backend; /* name, or "auto"; borrowed */
    const char *live;    /* HOST:PORT, or NULL; borrowed */
    double every_time;   /* 0: by steps */
    PetscBool is_strict;
    PetscBool with_deviation;
} InsituParameters;

/**
 * Reads the options. Not collective.
 * @return ENGRAM_ERR_INPUT for a list of scripts, a back end or a viewer that cannot be meant
 */
PetscErrorCode InsituParametersGet(EngramOptions options, InsituParameters *parameters);

#endif
