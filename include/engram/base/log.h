/**
 * @file log.h
 * The program's stages and events for PETSc's -log_view.
 */
#ifndef ENGRAM_BASE_LOG_H
#define ENGRAM_BASE_LOG_H

#include <petscsys.h>

/** Stages of a run. */
typedef enum EngramStage {
    ENGRAM_STAGE_SETUP,
    ENGRAM_STAGE_STEPS,
    ENGRAM_STAGE_FINISH,
    ENGRAM_STAGE_COUNT,
} EngramStage;

/** Events inside the stages. */
typedef enum EngramEvent {
    ENGRAM_EVENT_SLICE_SOLVE,
    ENGRAM_EVENT_TRANSPORT,
    ENGRAM_EVENT_HALO,
    ENGRAM_EVENT_RATE_SUM,
    ENGRAM_EVENT_OBSERVE,
    ENGRAM_EVENT_FIELDS_WRITE,
    ENGRAM_EVENT_CHECKPOINT,
    ENGRAM_EVENT_INSITU,
    ENGRAM_EVENT_COUNT,
} EngramEvent;

/** Registers all of them. Collective; call once, after PetscInitialize. */
PetscErrorCode EngramLogRegister(void);

/** Enters a stage. Collective. */
PetscErrorCode EngramLogStageBegin(EngramStage stage);

/** Leaves the stage entered last. Collective. */
PetscErrorCode EngramLogStageEnd(void);

/** Begins an event. Not collective. */
PetscErrorCode EngramLogEventBegin(EngramEvent event);

/** Ends an event and counts `flops` floating-point operations. Not collective. */
PetscErrorCode EngramLogEventEnd(EngramEvent event, PetscLogDouble flops);

#endif
