/**
 * @file insitu.h
 * The contract between the program and an in situ back end, in plain C.
 *
 * A back end is a shared object that is loaded only when a run asks for scripts. It exports one
 * function, EngramInsituGetBackend, whose table the program calls in the order start, then for
 * every step that may be shown wants and, where the answer is yes, show, at last stop. All of them
 * are collective on the communicator of the start. A back end never ends the program, never throws
 * and writes what went wrong into a report.
 *
 * What is shown, the names being the same for all back ends:
 *
 *   channel `density`  rectilinear grid of cells in weight and potential; cell data `density`, and
 *                      `deviation` where asked for: p less its quasi-static state H Q(v; mu)
 *   channel `weights`  cells in weight; cell data `weight_density` H, `firing_rate` N,
 *                      `learning_velocity` Phi = K N Nbar, `drift` mu
 *   numbers of both    `time`, `step`, `total_rate`, `mass_error`, `threshold`, `reset`,
 *                      `density_range`, `weight_density_range`, `firing_rate_range` [2] over all
 *                      ranks, `domain` [4] of channel `density` (w_min, w_max, v_min, v_max),
 *                      `display` (1 if pictures can be drawn), `steering`
 *   texts of both      `steering_names`, one by one, or, in back end catalyst, joined by commas
 *
 * The nodes of the potential are the centres of the cells of channel `density`. All quantities are
 * dimensionless.
 */
#ifndef ENGRAM_INSITU_H
#define ENGRAM_INSITU_H

#include <mpi.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this contract; a back end of another one is refused. */
#define ENGRAM_INSITU_VERSION 1

/** What a script may request, as places in the array `steering`. */
enum {
    ENGRAM_STEER_INPUT_FACTOR,
    ENGRAM_STEER_INSITU_EVERY,
    ENGRAM_STEER_FIELDS_EVERY,
    ENGRAM_STEER_SERIES_EVERY,
    ENGRAM_STEER_CHECKPOINT_EVERY,
    ENGRAM_STEER_STOP, /**< any number: write a checkpoint and leave */
    ENGRAM_STEER_COUNT
};

/** Their names, in that order: options, and `stop`. */
#define ENGRAM_STEERING_NAMES                                                                      \
    {                                                                                              \
        "steer_input_factor", "insitu_every", "output_fields_every", "output_series_every",        \
            "checkpoint_every", "stop"                                                             \
    }

/** Room in a scene. */
enum { ENGRAM_INSITU_FIELDS = 4, ENGRAM_INSITU_CHANNELS = 2, ENGRAM_INSITU_NUMBERS = 16 };

/** Longest text of a report. */
enum { ENGRAM_INSITU_TEXT = 1024 };

/** An array of this rank or, for numbers, of all ranks. Borrowed during the call. */
typedef struct EngramInsituArray {
    const char *name;
    int64_t count;
    const double *values; /**< [count]; of cells with the weight running fastest */
} EngramInsituArray;

/** A grid with the part of it that a rank holds, and what is on it. Borrowed during the call. */
typedef struct EngramInsituChannel {
    const char *name;
    int dimensions;    /**< 1: weight; 2: weight and potential */
    int64_t cells[2];  /**< of all ranks; the second is 1 where there is one dimension */
    int64_t first;     /**< first cell of this rank in weight */
    int64_t local;     /**< cells of this rank in weight, at least 1; in potential it has all */
    const double *w;   /**< [local + 1] faces */
    const double *v;   /**< [cells[1] + 1] faces; one zero where there is one dimension */
    double spacing[2]; /**< distance of the faces, the same on all ranks; 0 where they differ */
    int fields;
    EngramInsituArray field[ENGRAM_INSITU_FIELDS];
} EngramInsituChannel;

/** One state of a run. */
typedef struct EngramInsituScene {
    int64_t step;
    double time;
    int is_last; /**< no other will follow: whatever a script would do some day, it does now */
    int channels;
    EngramInsituChannel channel[ENGRAM_INSITU_CHANNELS];
    int numbers;
    EngramInsituArray number[ENGRAM_INSITU_NUMBERS]; /**< all but `steering` and `display` */
    double *steering; /**< [ENGRAM_STEER_COUNT] NaN, or what scripts write; those of rank 0 count.
                           The same memory in all calls */
} EngramInsituScene;

/** What a run asks for. Borrowed during the call. */
typedef struct EngramInsituSetup {
    MPI_Comm comm; /**< of the back end alone */
    int scripts;
    const char *const *script; /**< [scripts] paths */
    const char *live;          /**< HOST:PORT of a viewer that waits, or NULL */
} EngramInsituSetup;

/** What went wrong in a call on this rank. The caller clears it. */
typedef struct EngramInsituReport {
    int failures;                  /**< scripts or calls that failed */
    char text[ENGRAM_INSITU_TEXT]; /**< of failures that were not told of before, or empty */
} EngramInsituReport;

/** A back end. */
typedef struct EngramInsituBackend {
    int version; /**< ENGRAM_INSITU_VERSION */
    const char *name;
    /** Loads the scripts. A failure that leaves nothing to call is answered with nonzero. */
    int (*start)(const EngramInsituSetup *setup, EngramInsituReport *report);
    /** Whether any script would do something at this step; cheap, the same on all ranks. */
    int (*wants)(int64_t step, double time, int is_last);
    /** Lets the scripts work on a scene. */
    void (*show)(const EngramInsituScene *scene, EngramInsituReport *report);
    /** Ends the scripts; once, after a start that succeeded. */
    void (*stop)(EngramInsituReport *report);
} EngramInsituBackend;

/** The table of a back end; it lives as long as the program. Exported by the shared object. */
const EngramInsituBackend *EngramInsituGetBackend(void);

/** Its name, for looking it up, and its type. */
#define ENGRAM_INSITU_SYMBOL "EngramInsituGetBackend"
typedef const EngramInsituBackend *(*EngramInsituGetBackendFunction)(void);

#ifdef __cplusplus
}
#endif

#endif
