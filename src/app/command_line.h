/**
 * @file command_line.h
 * What the command line asks for besides a run: help, version, a dry run.
 */
#ifndef ENGRAM_SRC_APP_COMMAND_LINE_H
#define ENGRAM_SRC_APP_COMMAND_LINE_H

#include <petscsys.h>

#include "engram/app/simulation.h"
#include "engram/base/options.h"
#include "engram/base/provenance.h"

/** What is asked for. */
typedef struct CommandLine {
    PetscBool wants_help;
    PetscBool wants_version;
    PetscBool wants_dry_run;
    const char *case_file; /* borrowed from argv, or NULL */
} CommandLine;

/** The options that are commands, for registration. */
extern const EngramOptionTable CommandLineOptions;

/** Reads the words, and takes -help and -version out, which PETSc would answer itself. */
void CommandLineParse(int *argc, char **argv, CommandLine *command);

/** Prints the usage and all options with units and defaults, from rank 0. */
PetscErrorCode CommandLinePrintHelp(EngramOptions options);

/** Prints the versions, from rank 0. */
PetscErrorCode CommandLinePrintVersion(const EngramProvenance *provenance);

/** Prints what a run would be: grid, memory, steps, CFL number, error to expect, output. */
PetscErrorCode CommandLinePrintDryRun(const EngramSimulation *simulation,
                                      const EngramOutputParameters *output,
                                      const EngramErrorEstimate *forecast);

/** Bytes of the results of a run with so many unknowns, about. Not collective. */
double CommandLineOutputBytes(const EngramSimulation *simulation,
                              const EngramOutputParameters *output, double unknowns);

/** Warns when a launcher of another MPI started many runs of one rank each. */
PetscErrorCode CommandLineWarnOfSingletons(void);

#endif
