/**
 * @file program.h
 * The whole program as one call, and a run as an object for programs that embed it.
 */
#ifndef ENGRAM_APP_PROGRAM_H
#define ENGRAM_APP_PROGRAM_H

/**
 * Runs the command line of the executable: initialises PETSc and MPI, reads the case, runs it,
 * writes the results, finalises. Collective on MPI_COMM_WORLD.
 *
 * @return the exit code: 0 done, 1 internal error, 2 bad input, 3 stopped at a state that is not
 *         finite; the others are in EngramExitCode
 */
int EngramProgram(int argc, char **argv);

#endif
