/**
 * @file options.h
 * The options of the program: every one declared once, read from a YAML file and the command line.
 *
 * Modules hand in tables of their options; the case file (nested YAML) and the command line, which
 * wins, are then checked against all tables. What was used and what was left at its default is kept
 * for the record of a run. Messages about a value of the case file begin with its place there.
 */
#ifndef ENGRAM_BASE_OPTIONS_H
#define ENGRAM_BASE_OPTIONS_H

#include <petscsys.h>

/** Longest value of an option, an expression included. */
#define ENGRAM_OPTION_LENGTH 4096

/** How the text of a value is understood. */
typedef enum EngramOptionKind {
    ENGRAM_OPTION_REAL,
    ENGRAM_OPTION_INTEGER,
    ENGRAM_OPTION_BOOLEAN,
    ENGRAM_OPTION_TEXT,
    ENGRAM_OPTION_EXPRESSION,
} EngramOptionKind;

/** Lower bound of a number. */
typedef enum EngramOptionBound {
    ENGRAM_BOUND_NONE,
    ENGRAM_BOUND_ABOVE,
    ENGRAM_BOUND_AT_LEAST,
} EngramOptionBound;

/** Declaration of one option. The strings live as long as the program. */
typedef struct EngramOption {
    const char *name; /**< without the dash, e.g. "model_noise" */
    EngramOptionKind kind;
    const char *default_value; /**< as it would be written; NULL: the option must be given */
    const char *unit;          /**< "dimensionless", "time", ...; for expressions the variables */
    const char *meaning;       /**< one sentence for -help and the reference */
    EngramOptionBound bound;   /**< of numbers */
    double bound_value;
} EngramOption;

/** A module's options under one heading. */
typedef struct EngramOptionTable {
    const char *heading;
    const EngramOption *options;
    int count;
} EngramOptionTable;

/**
 * Options that exist once for each name in a list which the user gives, as prefix_NAME_ending. What
 * begins with = in a default value is the name of another option, whose value is the default.
 */
typedef struct EngramOptionFamily {
    const char *list;                 /**< option with the names, commas between them, or "none" */
    const EngramOptionTable *members; /**< as in -help, with names like "phase_NAME_duration" */
} EngramOptionFamily;

/** Word in the names of a family that stands for one of the list. */
#define ENGRAM_FAMILY_WORD "NAME"

/** One option of a run, with its value. */
typedef struct EngramOptionRecord {
    const EngramOption *option;
    const char *value;
    PetscBool is_default;
    PetscBool is_command; /**< says what to do with a case and is no part of it */
} EngramOptionRecord;

/** The options of a run. */
typedef struct EngramOptions *EngramOptions;

/** Creates an empty set. Not collective. */
PetscErrorCode EngramOptionsCreate(EngramOptions *options);

/** Adds a module's table, which must outlive the set. Not collective. */
PetscErrorCode EngramOptionsRegister(EngramOptions options, const EngramOptionTable *table);

/** Adds a table of options that say what to do with a case and are no part of it. Not collective.
 */
PetscErrorCode EngramOptionsRegisterCommands(EngramOptions options, const EngramOptionTable *table);

/**
 * Adds a family, which must outlive the set; its table of members is for -help. Not collective. The
 * option with the list must be registered, too.
 */
PetscErrorCode EngramOptionsRegisterFamily(EngramOptions options, const EngramOptionFamily *family);

/**
 * Reads the case file into PETSc's options and the command line once more over it, then takes the
 * value of every registered option from there. Collective on PETSC_COMM_WORLD.
 *
 * @param case_file  path of a YAML file, "-" for standard input, or NULL
 * @param argc,argv  command line as main got it
 * @return ENGRAM_ERR_INPUT for a missing or malformed file, a value that is not of its kind or out
 *         of bounds, or an option that must be given and is not
 */
PetscErrorCode EngramOptionsLoad(EngramOptions options, const char *case_file, int argc,
                                 char **argv);

/**
 * Refuses options of the case file or the command line that nobody asked for, and suggests names.
 * Call it when all objects have read their options. Collective.
 */
PetscErrorCode EngramOptionsRefuseUnknown(EngramOptions options);

/** A number. The name must be registered as a real or an integer. Not collective. */
PetscErrorCode EngramOptionsGetReal(EngramOptions options, const char *name, double *value);

/** A whole number. Not collective. */
PetscErrorCode EngramOptionsGetInteger(EngramOptions options, const char *name, PetscInt *value);

/** A truth value. Not collective. */
PetscErrorCode EngramOptionsGetBoolean(EngramOptions options, const char *name, PetscBool *value);

/**
 * Gives a registered real number another value than the case has, until the variation ends; the
 * record keeps that of the case. Not collective.
 * @return ENGRAM_ERR_INPUT when there is no such option, it is no real number, or out of its bounds
 */
PetscErrorCode EngramOptionsVaryReal(EngramOptions options, const char *name, double value);

/** The same for a whole number. */
PetscErrorCode EngramOptionsVaryInteger(EngramOptions options, const char *name, PetscInt value);

/**
 * Gives a registered real number that the user has left open the value that follows from others;
 * the record has it as a default. Not collective.
 */
PetscErrorCode EngramOptionsConcludeReal(EngramOptions options, const char *name, double value);

/** The same for a registered text. Not collective. */
PetscErrorCode EngramOptionsConcludeText(EngramOptions options, const char *name,
                                         const char *value);

/** Goes back to the values of the case. Not collective. */
PetscErrorCode EngramOptionsEndVariation(EngramOptions options);

/** Whether EngramOptionsVaryReal would accept the value; sets nothing. Same errors. */
PetscErrorCode EngramOptionsCheckReal(EngramOptions options, const char *name, double value);

/** The text of a value; borrowed from the set. Not collective. */
PetscErrorCode EngramOptionsGetText(EngramOptions options, const char *name, const char **value);

/**
 * One name out of a list, as its place in it. Not collective.
 * @return ENGRAM_ERR_INPUT, with the names, when it is none of them
 */
PetscErrorCode EngramOptionsGetChoice(EngramOptions options, const char *name,
                                      const char *const *choices, int count, int *choice);

/** Whether two texts mean the same value of an option, as 1 and 1.0 of a number. Not collective. */
PetscBool EngramOptionIsSame(const EngramOption *option, const char *a, const char *b);

/** Whether an option has the value that it has by default, given or not. Not collective. */
PetscErrorCode EngramOptionsIsDefault(EngramOptions options, const char *name,
                                      PetscBool *is_default);

/** Number of options, and the i-th record; borrowed. In the order of registration. */
int EngramOptionsCount(EngramOptions options);
EngramOptionRecord EngramOptionsRecordAt(EngramOptions options, int i);

/**
 * Options of the slice solver that the user gave and PETSc understands but no table declares; they
 * belong to the record of a run. Borrowed; valid after EngramOptionsRefuseUnknown.
 */
int EngramOptionsForeignCount(EngramOptions options);
const char *EngramOptionsForeignName(EngramOptions options, int i);
const char *EngramOptionsForeignValue(EngramOptions options, int i);

/** Number of tables, and the i-th one; borrowed. */
int EngramOptionsTableCount(EngramOptions options);
const EngramOptionTable *EngramOptionsTableAt(EngramOptions options, int i);

/** Frees the set; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramOptionsDestroy(EngramOptions *options);

/**
 * Distance of two names: insertions, deletions, substitutions and swaps of neighbours needed to
 * turn one into the other (optimal string alignment). Not collective.
 */
int EngramNameDistance(const char *a, const char *b);

#endif
