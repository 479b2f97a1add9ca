#include "engram/base/log.h"

#include <petsclog.h>

#include "engram/base/error.h"

static PetscLogStage stages[ENGRAM_STAGE_COUNT];
static PetscLogEvent events[ENGRAM_EVENT_COUNT];

PetscErrorCode EngramLogRegister(void)
{
    static const char *const stage_names[ENGRAM_STAGE_COUNT] = {"Engram set-up", "Engram steps",
                                                                "Engram finish"};
    static const char *const event_names[ENGRAM_EVENT_COUNT] = {
        "EngramSlices",  "EngramTransprt", "EngramHalo",    "EngramRateSum",
        "EngramObserve", "EngramFields",   "EngramCheckpt", "EngramInsitu"};
    PetscClassId class_id;
    PetscFunctionBeginUser;
    PetscCall(PetscClassIdRegister("Engram", &class_id));
    for (int i = 0; i < ENGRAM_STAGE_COUNT; i++) {
        PetscCall(PetscLogStageRegister(stage_names[i], &stages[i]));
    }
    for (int i = 0; i < ENGRAM_EVENT_COUNT; i++) {
        PetscCall(PetscLogEventRegister(event_names[i], class_id, &events[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramLogStageBegin(EngramStage stage)
{
    PetscFunctionBeginUser;
    PetscCall(PetscLogStagePush(stages[stage]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramLogStageEnd(void)
{
    PetscFunctionBeginUser;
    PetscCall(PetscLogStagePop());
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramLogEventBegin(EngramEvent event)
{
    PetscFunctionBeginUser;
    PetscCall(PetscLogEventBegin(events[event], 0, 0, 0, 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramLogEventEnd(EngramEvent event, PetscLogDouble flops)
{
    PetscFunctionBeginUser;
    PetscCall(PetscLogFlops(flops));
    PetscCall(PetscLogEventEnd(events[event], 0, 0, 0, 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}
