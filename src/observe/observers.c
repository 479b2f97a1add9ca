#include "engram/observe/observer.h"

/* The record comes first, so that case.yaml is there while the run goes on. */
const EngramObserverConstructor EngramObserverConstructors[] = {
    EngramRecordCreate,
    EngramSeriesCreate,
    EngramFieldsCreate,
    EngramProgressCreate,
};

const int EngramObserverConstructorCount =
    (int)(sizeof(EngramObserverConstructors) / sizeof(EngramObserverConstructors[0]));
