/**
 * @file interruption.h
 * Signals, as notices that all ranks get with the next reduction (notice.h).
 *
 * TERM, USR1 and HUP ask for a checkpoint and to leave, so that the run can be put into the queue
 * again; USR2 asks for a checkpoint; INT for a checkpoint and to stop, and so does PIPE where
 * nobody reads any more what the program prints. HUP that was ignored when the program started
 * stays so, as under nohup. A file that is larger than a limit allows is an error of writing and no
 * signal.
 */
#ifndef ENGRAM_SRC_APP_INTERRUPTION_H
#define ENGRAM_SRC_APP_INTERRUPTION_H

/** Takes the signals over. They are noted from here on, also while PETSc and MPI start. */
void InterruptionInstall(void);

/** Takes the signals over once more that libraries have taken meanwhile. */
void InterruptionRenew(void);

/** Gives the signals their usual meaning again; one that has been noted is obeyed at once. */
void InterruptionRemove(void);

/** Name of the signal that this rank has noted last, or NULL. */
const char *InterruptionSignal(void);

#endif
