#include "engram/observe/observer.h"

/* Observers start in this order and stop in the reverse one. Where there is a status there is a
 * run, so it comes before all files; and the run is said to be done when all of them are closed. */
const EngramObserverConstructor EngramObserverConstructors[] = {
    EngramProgressCreate, EngramStatusCreate, EngramRecordCreate,
    EngramSeriesCreate,   EngramFieldsCreate,
};

const int EngramObserverConstructorCount =
    (int)(sizeof(EngramObserverConstructors) / sizeof(EngramObserverConstructors[0]));
