#include "engram/base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "engram/base/options.h"

/* A message may quote several expressions. */
enum { LONGEST_INPUT_ERROR = 5 * ENGRAM_OPTION_LENGTH };

static EngramPlacesFinder find_places = NULL;
static void *places_context = NULL;

void EngramErrorFindPlaces(EngramPlacesFinder finder, void *context)
{
    find_places = finder;
    places_context = context;
}

static PetscBool IsOwnCode(PetscErrorCode code)
{
    return (PetscBool)(code == ENGRAM_ERR_INPUT || code == ENGRAM_ERR_OUTPUT ||
                       code == ENGRAM_ERR_SOLVER || code == ENGRAM_ERR_INSITU);
}

static PetscErrorCode HandleError(MPI_Comm comm, int line, const char *function, const char *file,
                                  PetscErrorCode code, PetscErrorType type, const char *message,
                                  void *context)
{
    if (IsOwnCode(code)) {
        return code;
    }
    return PetscTraceBackErrorHandler(comm, line, function, file, code, type, message, context);
}

PetscErrorCode EngramErrorHandlerInstall(void)
{
    PetscFunctionBeginUser;
    PetscCall(PetscPushErrorHandler(HandleError, NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramErrorHandlerRemove(void)
{
    PetscFunctionBeginUser;
    PetscCall(PetscPopErrorHandler());
    PetscFunctionReturn(PETSC_SUCCESS);
}

/* What a run says at most, and more; later ones are only printed. */
enum { MOST_WARNINGS = 32, LONGEST_MESSAGE = 512 };

static char last_message[LONGEST_MESSAGE];
static char warnings[MOST_WARNINGS][LONGEST_MESSAGE];
static int warning_count = 0;
static PetscBool is_silent = PETSC_FALSE;

void EngramMessagesSilence(PetscBool silent)
{
    is_silent = silent;
}

static void PrintFromRoot(const char *kind, const char *format, va_list arguments)
{
    int rank = 0;
    (void)MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
    if (rank == 0 && !is_silent) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "engram: %s", kind);
        (void)vfprintf(stderr, format, arguments);
        (void)fprintf(stderr, "\n");
        (void)fflush(stderr);
    }
}

static void PrintError(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    (void)vsnprintf(last_message, sizeof(last_message), format, again);
    va_end(again);
    PrintFromRoot("error: ", format, arguments);
}

static void PrintWords(const char *format, ...) PETSC_ATTRIBUTE_FORMAT(1, 2);

static void PrintWords(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PrintError(format, arguments);
    va_end(arguments);
}

const char *EngramErrorMessage(void)
{
    return last_message;
}

void EngramErrorMessageKeep(const char *message)
{
    (void)snprintf(last_message, sizeof(last_message), "%s", message);
}

PetscErrorCode EngramInputError(const char *format, ...)
{
    static char text[LONGEST_INPUT_ERROR];
    static EngramErrorPlaces places;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    places.before[0] = '\0';
    places.after[0] = '\0';
    if (find_places) {
        find_places(text, places_context, &places);
    }
    PrintWords("%s%s%s", places.before, text, places.after);
    return ENGRAM_ERR_INPUT;
}

PetscErrorCode EngramOutputError(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PrintError(format, arguments);
    va_end(arguments);
    return ENGRAM_ERR_OUTPUT;
}

PetscErrorCode EngramSolverError(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PrintError(format, arguments);
    va_end(arguments);
    return ENGRAM_ERR_SOLVER;
}

PetscErrorCode EngramInsituError(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PrintError(format, arguments);
    va_end(arguments);
    return ENGRAM_ERR_INSITU;
}

/* Signature given by PETSc. */
static PetscErrorCode CaptureError(MPI_Comm comm, int line, const char *function, const char *file,
                                   PetscErrorCode code, PetscErrorType type, const char *message,
                                   void *context)
{
    EngramErrorCapture *capture = context;
    (void)comm;
    (void)line;
    (void)function;
    (void)file;
    if (type == PETSC_ERROR_INITIAL && capture->message[0] == '\0' && message) {
        (void)snprintf(capture->message, sizeof(capture->message), "%s", message);
    }
    return code;
}

PetscErrorCode EngramErrorCaptureBegin(EngramErrorCapture *capture)
{
    PetscFunctionBeginUser;
    capture->message[0] = '\0';
    PetscCall(PetscPushErrorHandler(CaptureError, capture));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramErrorCaptureEnd(void)
{
    PetscFunctionBeginUser;
    PetscCall(PetscPopErrorHandler());
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramPrint(const char *format, ...)
{
    int rank = 0;
    va_list arguments;
    (void)MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
    va_start(arguments, format);
    if (rank == 0) {
        (void)vfprintf(stdout, format, arguments);
        (void)fflush(stdout);
    }
    va_end(arguments);
    return PETSC_SUCCESS;
}

PetscErrorCode EngramWarning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!is_silent && warning_count < MOST_WARNINGS) {
        va_list again;
        va_copy(again, arguments);
        (void)vsnprintf(warnings[warning_count++], LONGEST_MESSAGE, format, again);
        va_end(again);
    }
    PrintFromRoot("warning: ", format, arguments);
    va_end(arguments);
    return PETSC_SUCCESS;
}

int EngramWarningCount(void)
{
    return warning_count;
}

const char *EngramWarningText(int number)
{
    return warnings[number];
}

PetscErrorCode EngramNote(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PrintFromRoot("", format, arguments);
    va_end(arguments);
    return PETSC_SUCCESS;
}

PetscErrorCode EngramAgreeOnRoot(MPI_Comm comm, PetscErrorCode code, PetscErrorCode *agreed)
{
    PetscFunctionBeginUser;
    int shared = (int)code;
    PetscCallMPI(MPI_Bcast(&shared, 1, MPI_INT, 0, comm));
    *agreed = (PetscErrorCode)shared;
    PetscFunctionReturn(PETSC_SUCCESS);
}

EngramExitCode EngramExitCodeOf(PetscErrorCode code)
{
    switch ((int)code) {
    case PETSC_SUCCESS:
        return ENGRAM_EXIT_DONE;
    case ENGRAM_ERR_INPUT:
        return ENGRAM_EXIT_INPUT;
    case ENGRAM_ERR_OUTPUT:
        return ENGRAM_EXIT_OUTPUT;
    case ENGRAM_ERR_INSITU:
        return ENGRAM_EXIT_INSITU;
    default:
        return ENGRAM_EXIT_INTERNAL;
    }
}
