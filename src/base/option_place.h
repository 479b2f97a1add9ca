/**
 * @file option_place.h
 * Where the options stand in the case file that a message names.
 */
#ifndef ENGRAM_SRC_BASE_OPTION_PLACE_H
#define ENGRAM_SRC_BASE_OPTION_PLACE_H

#include "engram/base/error.h"

/**
 * Finds the options of a message that have their value from the case file. The message begins with
 * the place of the first one, unless it is about another option of the command line; it ends with
 * those of the others. `-group_...` stands for all options of a group. Not collective.
 *
 * @param context  the EngramOptionsSource
 */
void OptionPlacesFind(const char *message, void *context, EngramErrorPlaces *places);

#endif
