/**
 * @file observer.h
 * The small interface through which everything watches a run: start, observe, stop; and, where a
 * run can be continued, save and resume.
 *
 * Observers see values, never the solver. All their functions are collective on the grid's
 * communicator and are called on all ranks with the same step.
 */
#ifndef ENGRAM_OBSERVE_OBSERVER_H
#define ENGRAM_OBSERVE_OBSERVER_H

#include <petscsys.h>

#include "engram/base/file_sums.h"
#include "engram/base/options.h"
#include "engram/base/position.h"
#include "engram/base/provenance.h"
#include "engram/base/reduction.h"
#include "engram/grid/grid.h"
#include "engram/observe/steering.h"

/** Ends of the axes at which neurons can be cut off; the threshold takes what comes. */
enum {
    ENGRAM_CUT_OFF_V_MIN,
    ENGRAM_CUT_OFF_W_MIN,
    ENGRAM_CUT_OFF_W_MAX,
    ENGRAM_CUT_OFF_COUNT,
};

/** What the ends of the axes cut off, the same bits on any number of ranks. */
typedef struct EngramCutOff {
    /** Shares of all neurons: that would be below v_min, and that are held back at the ends of w,
        in the last two cells, by a velocity Phi - w that leads out of the axis. */
    double share[ENGRAM_CUT_OFF_COUNT];
    double drift; /**< lowest mu, and largest noise a, seen while neurons were cut off at v_min; */
    double noise; /**< infinity and 0 where none were */
} EngramCutOff;

/** Integrals over the whole density, the same bits on any number of ranks. */
typedef struct EngramDiagnostics {
    double mass_error;  /**< integral of p minus one */
    double min_density; /**< smallest p */
    double mean_weight; /**< integral of w H over that of H */
    double var_weight;  /**< integral of (w - mean)^2 H over that of H */
    EngramCutOff cut_off;
} EngramDiagnostics;

/** What an observer may look at after a step; borrowed, valid during the call. */
typedef struct EngramSnapshot {
    const EngramGrid *grid;
    const char *plan; /**< what the run does, in some words */
    PetscInt64 step;
    PetscInt64 steps; /**< of the whole run; 0 where they are adaptive */
    double tolerance; /**< of adaptive steps; 0 where they are fixed */
    double time;
    double end_time;
    double start_time;      /**< at which this start of the program began: not 0 after a restart */
    int phase;              /**< of a protocol; 0 where there is none */
    const char *phase_name; /**< or NULL where there is none */
    double dt;              /**< length of the last step; 0 for the initial state */
    double total_rate;
    double clock;                 /**< MPI_Wtime when it was taken: to read it takes its time */
    const double *density;        /**< [v_nodes * w_stride] p[k * w_stride + i]; NULL when a run is
                                       stopped in a step that has spoilt it */
    const double *firing_rate;    /**< [w_local] N */
    const double *weight_density; /**< [w_local] H */
    const double *minimum;        /**< [w_local] smallest p of each slice */
    const double *refractory; /**< [w_local] refractory neurons R, or NULL without such a state */
    const double *drift;      /**< [w_local] mu of the present density; NULL where that is */
    const double *learning_velocity; /**< [w_local] Phi; zeros where the weights are frozen */
    PetscBool weights_move;          /**< they are not frozen */
    double noise;                    /**< a of the present density */
    double lowest_drift;             /**< f, the neuron's own drift, at the lowest node */
    double lowest_drift_slope;       /**< df/dv there */
    EngramCutOff *cut_off;           /**< the largest of the rows of the series so far */
    /** H Q(v; mu) in rows like the density, valid until the next call; NULL unless asked for. */
    PetscErrorCode (*quasi_static)(void *context, const double **density);
    void *quasi_static_context;
    EngramSteering *steering;       /**< present intervals of the output, and room for requests */
    PetscInt coupling_iterations;   /**< evaluations of the scalar equation in the last step */
    PetscInt coupling_solutions;    /**< total rates known to solve it; 0: none was found */
    PetscBool is_wanted;            /**< to be kept whatever the intervals of the output */
    PetscBool is_last;              /**< no step follows */
    EngramReduction reduction;      /**< for EngramSnapshotDiagnostics */
    const char *checkpoint;         /**< name of the last checkpoint written, or NULL */
    double checkpoint_time;         /**< time of its state */
    const char *checkpoint_written; /**< when it was written, UTC */
} EngramSnapshot;

/** What coarser runs of the same case say of the error of a run. */
typedef struct EngramErrorEstimate {
    PetscBool is_wanted; /**< false: nothing else is set */
    double error;        /**< largest error of Nbar over the run, relative to the largest Nbar; NaN:
                              unknown */
    double difference;   /**< largest difference to the coarser run, likewise; NaN: not measured */
    PetscInt v_cells;    /**< of the coarser grid; 0: there is none */
    PetscInt w_cells;
    char reason[512]; /**< why it is unknown, else empty */
} EngramErrorEstimate;

/** How a run ended. */
typedef struct EngramOutcome {
    PetscBool is_complete;  /**< the end time was reached */
    const char *failure;    /**< why not, or NULL */
    const char *departure;  /**< why the run was left to be continued from a checkpoint, or NULL */
    PetscBool is_requeued;  /**< left for the limit of time: to be continued by itself */
    PetscBool has_blown_up; /**< the total rate went beyond all bounds */
    double blowup_time;    /**< of the last state before, or of the first one beyond -blowup_rate */
    double last_time;      /**< of the last good state */
    double wall_seconds;   /**< of the step loop of this start, observers included */
    double step_seconds;   /**< of its steps alone */
    PetscInt64 first_step; /**< before this start of the program */
    PetscInt64 steps_done; /**< by all starts */
    PetscInt64 checkpoints;    /**< written by this start */
    double checkpoint_seconds; /**< that this took */
    PetscInt64 solves;         /**< of all slices, rejected attempts included */
    PetscInt64 parts;          /**< of all steps, where they are graded */
    PetscInt64 unmet;          /**< steps as short as may be that missed their tolerance */
    PetscInt64 substeps;       /**< transport sub-steps of all steps */
    double learning_courant; /**< most cells that learning crossed in an implicit transport step */
    PetscInt64 rejected;     /**< adaptive steps that were repeated */
    PetscInt64 ambiguous; /**< steps in which the total rate was known to have several solutions */
    PetscInt64 steady_states;       /**< found, where they were looked for; else negative */
    PetscInt64 coupling_iterations; /**< evaluations of the scalar equation in all steps */
    EngramErrorEstimate estimate;   /**< of the error, where it was asked for */
    PetscBool has_begun;            /**< the folder of the results was touched */
} EngramOutcome;

/** What all observers of a run are made from. Strings and handles are borrowed. */
typedef struct EngramOutputParameters {
    const char *directory;
    const char *checkpoint_directory; /**< where checkpoints go: a path, or "auto" */
    PetscBool overwrite;
    PetscInt series_every;       /**< steps */
    double series_interval;      /**< time between rows of the series; 0: by steps */
    double fields_every;         /**< time; 0: only the first and the last state */
    EngramOptions options;       /**< for the record */
    EngramProvenance provenance; /**< for the record */
    EngramFileSums files;        /**< that options name, for the record; borrowed */
    char solver[128];            /**< method of the slices, for the record */
} EngramOutputParameters;

/** One observer: a table of functions and its own context. Any function may be NULL. */
typedef struct EngramObserver {
    const char *name;
    void *context;
    PetscErrorCode (*start)(void *context, const EngramSnapshot *initial);
    PetscErrorCode (*observe)(void *context, const EngramSnapshot *snapshot);
    PetscErrorCode (*stop)(void *context, const EngramSnapshot *last, const EngramOutcome *outcome);
    PetscErrorCode (*destroy)(void *context);
    /** Brings all of the file to the disk and adds to a position where it stands. */
    PetscErrorCode (*save)(void *context, EngramPosition *position);
    /**
     * Before any file is touched: whether those that resume goes on with are the ones that the run
     * has written. @return ENGRAM_ERR_INPUT when they are not
     */
    PetscErrorCode (*verify)(void *context, const EngramSnapshot *snapshot,
                             const EngramPosition *position);
    /** Instead of start: puts the file back to a position, whose words are needed on rank 0. */
    PetscErrorCode (*resume)(void *context, const EngramSnapshot *snapshot,
                             const EngramPosition *position);
} EngramObserver;

/** Creates an observer from the common parameters. */
typedef PetscErrorCode (*EngramObserverConstructor)(const EngramGrid *grid,
                                                    const EngramOutputParameters *parameters,
                                                    EngramObserver *observer);

/** The observers of every run, in the order in which they are called; they stop in the reverse. */
extern const EngramObserverConstructor EngramObserverConstructors[];
extern const int EngramObserverConstructorCount;

/** The options of the output, for registration. */
extern const EngramOptionTable EngramOutputOptions;

/** Reads directory, overwrite and intervals. Not collective. */
PetscErrorCode EngramOutputParametersGet(EngramOptions options, EngramOutputParameters *parameters);

/** What a run does with the folder of its results. */
typedef enum EngramOutputMode {
    ENGRAM_OUTPUT_NEW,      /**< it must be empty, or may be overwritten */
    ENGRAM_OUTPUT_AGAIN,    /**< it may hold a run that was not continued and has not ended */
    ENGRAM_OUTPUT_CONTINUE, /**< the results in it are continued */
} EngramOutputMode;

/**
 * Keeps other runs out of the output directory as long as the program lives, if there is one.
 * Collective.
 * @return ENGRAM_ERR_INPUT when another run is writing into it
 */
PetscErrorCode EngramOutputLock(const EngramGrid *grid, const EngramOutputParameters *parameters);

/**
 * Whether the output directory may be used; changes nothing. Collective.
 * @return ENGRAM_ERR_INPUT when it holds anything and may not be overwritten, or cannot be listed
 */
PetscErrorCode EngramOutputCheck(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                 EngramOutputMode mode);

/**
 * Creates the output directory, or empties it of the results of another run. Collective.
 * @return ENGRAM_ERR_INPUT when it holds anything and may not be overwritten, or cannot be made
 */
PetscErrorCode EngramOutputPrepare(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                   EngramOutputMode mode);

/**
 * Notes in status.yaml that a run has failed, if there is one. On rank 0; not collective.
 *
 * @param reason  the message of the error
 */
void EngramStatusNoteFailure(const char *directory, const char *reason);

/** The integrals of a snapshot. Collective; one Allreduce. */
PetscErrorCode EngramSnapshotDiagnostics(const EngramSnapshot *snapshot,
                                         EngramDiagnostics *diagnostics);

/** Adds what a snapshot cuts off to entries [ENGRAM_CUT_OFF_COUNT] of a reduction. Not collective.
 */
void EngramCutOffAdd(const EngramSnapshot *snapshot, EngramReductionEntry *entries);

/** Reads it from the reduced entries. Not collective. */
void EngramCutOffConclude(const EngramSnapshot *snapshot, EngramReductionEntry *entries,
                          EngramCutOff *cut_off);

/** Keeps the largest. Not collective. */
void EngramCutOffNote(const EngramCutOff *present, EngramCutOff *largest);

/** The constructors, one file each: see the files of the same name in src/observe. */
PetscErrorCode EngramSeriesCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer);
PetscErrorCode EngramFieldsCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer);
PetscErrorCode EngramProgressCreate(const EngramGrid *grid,
                                    const EngramOutputParameters *parameters,
                                    EngramObserver *observer);
PetscErrorCode EngramStatusCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer);
PetscErrorCode EngramRecordCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer);

#endif
