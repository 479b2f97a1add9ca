/**
 * @file error.h
 * Errors: the user's mistakes, states that cannot be continued, and faults of the program.
 *
 * Functions return a PetscErrorCode and are called under PetscCall. A user's mistake is reported by
 * the function that finds it, in one message from one rank, and travels up as ENGRAM_ERR_INPUT
 * without a stack trace. Every other code is a fault of the program or of its surroundings and gets
 * PETSc's trace.
 */
#ifndef ENGRAM_BASE_ERROR_H
#define ENGRAM_BASE_ERROR_H

#include <petscsys.h>

/* PETSc names the code of success from 3.19 on. */
#ifndef PETSC_SUCCESS
#define PETSC_SUCCESS 0
#endif

/** Error codes of the program, outside the range of PETSc's. */
#define ENGRAM_ERR_INPUT 2002
#define ENGRAM_ERR_OUTPUT 2004
#define ENGRAM_ERR_SOLVER 2006
#define ENGRAM_ERR_INSITU 2008

/** Exit codes of the executable. */
typedef enum EngramExitCode {
    ENGRAM_EXIT_DONE = 0,
    ENGRAM_EXIT_INTERNAL = 1,
    ENGRAM_EXIT_INPUT = 2,
    ENGRAM_EXIT_NONFINITE = 3,
    ENGRAM_EXIT_OUTPUT = 4,       /**< results could not be written */
    ENGRAM_EXIT_INSITU = 5,       /**< an in situ script failed, and failures end the run */
    ENGRAM_EXIT_REQUEUE = 85,     /**< left at a checkpoint, to be continued by the next job */
    ENGRAM_EXIT_INTERRUPTED = 86, /**< left at a checkpoint at the user's wish */
} EngramExitCode;

/** Makes PETSc's error handler pass the program's own codes on in silence. Collective. */
PetscErrorCode EngramErrorHandlerInstall(void);

/** Takes that error handler away again. Collective; call before PetscFinalize. */
PetscErrorCode EngramErrorHandlerRemove(void);

/**
 * Reports a mistake of the user: rank 0 of PETSC_COMM_WORLD prints "engram: error: ..." to stderr.
 * Collective in the sense that every rank must find the same mistake.
 *
 * @param format  printf format of the message: the option's name, its value and what would work
 * @return ENGRAM_ERR_INPUT
 */
PetscErrorCode EngramInputError(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** Where the options stand that a message names, for its beginning and its end; may be empty. */
typedef struct EngramErrorPlaces {
    char before[PETSC_MAX_PATH_LEN + 32];
    char after[2 * PETSC_MAX_PATH_LEN];
} EngramErrorPlaces;

/** Finds these places. */
typedef void (*EngramPlacesFinder)(const char *message, void *context, EngramErrorPlaces *places);

/** From here on EngramInputError says what the finder finds; NULL ends that. Not collective. */
void EngramErrorFindPlaces(EngramPlacesFinder finder, void *context);

/** Reports a failure to write output, as EngramInputError does. @return ENGRAM_ERR_OUTPUT */
PetscErrorCode EngramOutputError(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** Reports a solve that failed, as EngramInputError does. @return ENGRAM_ERR_SOLVER */
PetscErrorCode EngramSolverError(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** Reports a failure of an in situ script that ends the run, as above. @return ENGRAM_ERR_INSITU */
PetscErrorCode EngramInsituError(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** PETSc's message of an error that the program reports in its own words. */
typedef struct EngramErrorCapture {
    char message[512];
} EngramErrorCapture;

/** From here on PETSc's errors are kept in `capture` instead of printed. Not collective. */
PetscErrorCode EngramErrorCaptureBegin(EngramErrorCapture *capture);

/** Ends the capture begun last. Not collective. */
PetscErrorCode EngramErrorCaptureEnd(void);

/**
 * Prints to stdout from rank 0 of PETSC_COMM_WORLD. PetscPrintf would write whole numbers by %g
 * with a dot at their end.
 */
PetscErrorCode EngramPrint(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** Prints "engram: ..." to stderr, from rank 0: what a run has to say of itself. Not an error. */
PetscErrorCode EngramNote(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/**
 * Holds back errors, notes and warnings, for work whose failure is no failure of the program;
 * errors of PETSc and MPI are still told of. The last message of an error is kept. Not collective.
 */
void EngramMessagesSilence(PetscBool silent);

/** The last message of an error on this rank, without "engram: error: "; empty before the first. */
const char *EngramErrorMessage(void);

/** Makes a message the last one, as before other work has failed. Not collective. */
void EngramErrorMessageKeep(const char *message);

/** Prints "engram: warning: ..." once, from rank 0, and keeps it. Not an error. */
PetscErrorCode EngramWarning(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

/** How many warnings are kept, and their texts, cut to 511 characters, from 0; borrowed. */
int EngramWarningCount(void);
const char *EngramWarningText(int number);

/**
 * Makes the outcome of rank 0 that of all ranks: for work that only rank 0 does. Collective.
 *
 * @param comm   communicator
 * @param code   of rank 0; ignored on the others
 * @param agreed code of rank 0, on all ranks
 */
PetscErrorCode EngramAgreeOnRoot(MPI_Comm comm, PetscErrorCode code, PetscErrorCode *agreed);

/** The exit code that belongs to an error code. */
EngramExitCode EngramExitCodeOf(PetscErrorCode code);

#endif
