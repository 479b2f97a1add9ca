/**
 * @file insitu_scene.h
 * What the in situ observer shows: the arrays of a scene, and how they follow from a snapshot.
 */
#ifndef ENGRAM_SRC_OBSERVE_INSITU_SCENE_H
#define ENGRAM_SRC_OBSERVE_INSITU_SCENE_H

#include "engram/insitu.h"
#include "engram/observe/observer.h"

/** The numbers of a scene, in the order in which they are shown. */
typedef enum InsituNumber {
    INSITU_TIME,
    INSITU_STEP,
    INSITU_TOTAL_RATE,
    INSITU_MASS_ERROR,
    INSITU_THRESHOLD,
    INSITU_RESET,
    INSITU_DENSITY_RANGE,
    INSITU_WEIGHT_DENSITY_RANGE,
    INSITU_FIRING_RATE_RANGE,
    INSITU_DOMAIN,
    INSITU_NUMBER_COUNT,
} InsituNumber;

/** A scene and its memory. */
typedef struct InsituScene {
    EngramInsituScene scene;
    double *w;         /* [w_local + 1] faces */
    double *v;         /* [v_nodes + 1] faces */
    double *rows;      /* [v_nodes * w_local] the density without padding, or NULL: it has none */
    double *deviation; /* [v_nodes * w_local], or NULL */
    double numbers[INSITU_NUMBER_COUNT][4];
    double steering[ENGRAM_STEER_COUNT];
} InsituScene;

/** Allocates a scene of a grid. Not collective. */
PetscErrorCode InsituSceneCreate(const EngramGrid *grid, PetscBool with_deviation,
                                 InsituScene *scene);

/** Fills a scene from a snapshot. Collective; two Allreduces. */
PetscErrorCode InsituSceneTake(const EngramSnapshot *snapshot, InsituScene *scene);

/** Frees a scene; may be called twice. Not collective. */
PetscErrorCode InsituSceneDestroy(InsituScene *scene);

#endif
