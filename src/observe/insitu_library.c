#include "insitu_library.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"

/* Where libraries are installed, relative to the prefix. */
#ifndef ENGRAM_LIBRARY_FOLDER
#define ENGRAM_LIBRARY_FOLDER "lib"
#endif

static const char *const backend_names[] = {"paraview", "catalyst"};

enum { BACKENDS = (int)(sizeof(backend_names) / sizeof(backend_names[0])) };

static const int guarded_signals[INSITU_GUARDED_SIGNALS] = {
    SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGABRT, SIGSEGV, SIGFPE, SIGPIPE, SIGCHLD};

void InsituGuardBegin(InsituGuard *guard, PetscBool blocks)
{
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    for (int i = 0; i < INSITU_GUARDED_SIGNALS; i++) {
        (void)sigaction(guarded_signals[i], NULL, &guard->actions[i]);
    }
    if (blocks) {
        (void)sigaddset(&blocked, SIGINT);
        (void)sigaddset(&blocked, SIGTERM);
        (void)sigaddset(&blocked, SIGUSR1);
        (void)sigaddset(&blocked, SIGUSR2);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, &guard->mask);
    (void)signal(SIGPIPE, SIG_IGN);
    const char *locale = setlocale(LC_ALL, NULL);
    (void)snprintf(guard->locale, sizeof(guard->locale), "%s", locale ? locale : "C");
    (void)fegetenv(&guard->arithmetic);
}

void InsituGuardEnd(const InsituGuard *guard)
{
    (void)fesetenv(&guard->arithmetic);
    const char *locale = setlocale(LC_ALL, NULL);
    if (!locale || strcmp(locale, guard->locale) != 0) {
        (void)setlocale(LC_ALL, guard->locale);
    }
    for (int i = 0; i < INSITU_GUARDED_SIGNALS; i++) {
        (void)sigaction(guarded_signals[i], &guard->actions[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &guard->mask, NULL);
}

/** Whether a folder, whose name need not end with a zero, has the library of a back end. */
static PetscBool IsIn(const char *folder, size_t length, const char *name, char *path, size_t size)
{
    const int written =
        snprintf(path, size, "%.*s/libengram_insitu_%s.so", (int)length, folder, name);
    return (PetscBool)(length > 0 && written > 0 && (size_t)written < size &&
                       EngramFileExists(path));
}

/** Looks in the folders of the environment. */
static PetscBool IsInPath(const char *name, char *path, size_t size)
{
    const char *folders = getenv("ENGRAM_INSITU_PATH");
    while (folders && *folders) {
        const size_t length = strcspn(folders, ":");
        if (IsIn(folders, length, name, path, size)) {
            return PETSC_TRUE;
        }
        folders += length + (folders[length] == ':');
    }
    return PETSC_FALSE;
}

/** Looks beside the program, in the folder above, and where libraries are installed. */
static PetscBool IsNearProgram(const char *name, char *path, size_t size)
{
    static const char *const places[] = {"", "/..", "/../" ENGRAM_LIBRARY_FOLDER};
    char program[PETSC_MAX_PATH_LEN] = "";
    char folder[PETSC_MAX_PATH_LEN + 64];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash = length > 0 ? strrchr(program, '/') : NULL;
    if (!slash) {
        return PETSC_FALSE;
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)snprintf(folder, sizeof(folder), "%s%s", program, places[i]);
        if (IsIn(folder, strlen(folder), name, path, size)) {
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

/** Path of the first back end that is there, or an empty one. */
static void FindLibrary(const char *name, char *path, size_t size)
{
    const PetscBool is_any = (PetscBool)(strcmp(name, "auto") == 0);
    for (int i = 0; i < BACKENDS; i++) {
        const PetscBool is_meant = (PetscBool)(is_any || strcmp(name, backend_names[i]) == 0);
        if (is_meant && (IsInPath(backend_names[i], path, size) ||
                         IsNearProgram(backend_names[i], path, size))) {
            return;
        }
    }
    path[0] = '\0';
}

/* It stays loaded: Python and VTK cannot be taken out of a program. */
static void *library;

/** Loads a library. @return its table, or NULL and why not */
static const EngramInsituBackend *Open(const char *path, char *reason, size_t size)
{
    InsituGuard guard;
    EngramInsituGetBackendFunction get = NULL;
    const EngramInsituBackend *backend = NULL;
    InsituGuardBegin(&guard, PETSC_TRUE);
    /* Python's own modules look for its symbols among the global ones. */
    library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library) {
        /* The way from a pointer to an object to one to a function that POSIX shows. */
        *(void **)(&get) = dlsym(library, ENGRAM_INSITU_SYMBOL);
        backend = get ? get() : NULL;
    }
    InsituGuardEnd(&guard);
    const char *message = library && get ? NULL : dlerror();
    if (backend && backend->version != ENGRAM_INSITU_VERSION) {
        (void)snprintf(reason, size, "it is of version %d of the contract, not %d",
                       backend->version, ENGRAM_INSITU_VERSION);
        return NULL;
    }
    (void)snprintf(reason, size, "%s", message ? message : "");
    return backend;
}

static PetscErrorCode RefuseMissing(const char *name)
{
    PetscFunctionBeginUser;
    const PetscBool is_any = (PetscBool)(strcmp(name, "auto") == 0);
    PetscCall(EngramInputError(
        "-insitu_scripts: no in situ back end%s%s was built with this program. For paraview "
        "install ParaView with its headers (Debian: paraview-dev python3-paraview libx11-dev), for "
        "catalyst "
        "give CMake the place of Catalyst 2 (-DCMAKE_PREFIX_PATH=...), then configure and build "
        "again; or set ENGRAM_INSITU_PATH to the folder of libengram_insitu_%s.so",
        is_any ? "" : " ", is_any ? "" : name, is_any ? "paraview" : name));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InsituLibraryLoad(MPI_Comm comm, const char *name,
                                 const EngramInsituBackend **backend)
{
    char path[PETSC_MAX_PATH_LEN] = "";
    char reason[512] = "";
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    if (rank == 0) {
        FindLibrary(name, path, sizeof(path));
    }
    PetscCallMPI(MPI_Bcast(path, (PetscMPIInt)sizeof(path), MPI_CHAR, 0, comm));
    if (path[0] == '\0') {
        PetscCall(RefuseMissing(name));
    }
    *backend = Open(path, reason, sizeof(reason));
    int failed = *backend ? -1 : rank;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, comm));
    if (failed >= 0) {
        PetscCallMPI(MPI_Bcast(reason, (PetscMPIInt)sizeof(reason), MPI_CHAR, failed, comm));
        PetscCall(EngramInputError("-insitu_backend: %s cannot be loaded on rank %d (%s)", path,
                                   failed, reason));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
