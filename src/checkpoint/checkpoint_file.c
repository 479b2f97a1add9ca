#include "engram/checkpoint/checkpoint_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"
#include "seal.h"

/* Longest name of a dataset with its group. */
enum { LONGEST_NAME = 128 };

/** This rank's part of a part of the state. Common numbers are written by rank 0, read by all. */
static EngramHdf5Part PartOf(const EngramGrid *grid, const EngramStatePart *part, PetscBool is_read)
{
    const hsize_t rows = (hsize_t)part->rows;
    const hsize_t cells = (hsize_t)grid->w_cells;
    const hsize_t local = (hsize_t)grid->w_local;
    if (part->layout == ENGRAM_STATE_COMMON) {
        const hsize_t count = (hsize_t)part->count;
        const hsize_t own = is_read || grid->rank == 0 ? count : 0;
        return (EngramHdf5Part){1, {count}, {0}, {own}, {count > 0 ? count : 1}};
    }
    return (EngramHdf5Part){2,
                            {rows, cells},
                            {0, (hsize_t)grid->w_start},
                            {rows, local},
                            {rows, (hsize_t)part->stride}};
}

/** Checksum of a whole part, over all ranks. Collective. */
static PetscErrorCode SumPart(const EngramGrid *grid, const EngramStatePart *part, uint64_t *sum)
{
    uint64_t own = 0;
    PetscFunctionBeginUser;
    if (part->layout == ENGRAM_STATE_COMMON) {
        *sum = EngramChecksum(0, part->values, part->count);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (PetscInt k = 0; k < part->rows; k++) {
        const uint64_t first = (uint64_t)k * (uint64_t)grid->w_cells + (uint64_t)grid->w_start;
        own += EngramChecksum(first, part->values + k * part->stride, grid->w_local);
    }
    PetscCallMPI(MPI_Allreduce(&own, sum, 1, MPI_UINT64_T, MPI_SUM, grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void FormatSum(uint64_t sum, char *text, size_t size)
{
    (void)snprintf(text, size, "%016" PRIx64, sum);
}

/** Notes what must be found when the file is read again. */
static PetscErrorCode NotePart(const EngramGrid *grid, EngramHdf5File *file, const char *name,
                               const EngramStatePart *part, uint64_t sum, SealParts *written)
{
    SealPart *noted = &written->parts[written->count];
    PetscFunctionBeginUser;
    PetscCheck(written->count < SEAL_MAXIMUM_PARTS, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "Too many parts of a state");
    PetscCall(EngramHdf5Place(file, name, &noted->place));
    noted->words = part->layout == ENGRAM_STATE_COMMON
                       ? (uint64_t)part->count
                       : (uint64_t)part->rows * (uint64_t)grid->w_cells;
    noted->checksum = sum;
    written->count += noted->place % 8 == 0 ? 1 : 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteState(const EngramGrid *grid, EngramHdf5File *file,
                                 const EngramStateParts *state, SealParts *written)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5CreateGroup(file, "state"));
    for (int i = 0; i < state->count; i++) {
        const EngramStatePart *part = &state->parts[i];
        const EngramHdf5Part own = PartOf(grid, part, PETSC_FALSE);
        char name[LONGEST_NAME];
        char text[32];
        uint64_t sum = 0;
        PetscCall(PetscSNPrintf(name, sizeof(name), "state/%s", part->name));
        PetscCall(EngramHdf5WriteOnce(file, name, ENGRAM_HDF5_DOUBLE, &own, part->values));
        PetscCall(EngramHdf5Describe(file, name, part->unit, part->description));
        PetscCall(SumPart(grid, part, &sum));
        FormatSum(sum, text, sizeof(text));
        PetscCall(EngramHdf5WriteText(file, name, "checksum", text));
        PetscCall(NotePart(grid, file, name, part, sum, written));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteCase(EngramHdf5File *file, EngramOptions options)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5CreateGroup(file, "case"));
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const EngramOptionRecord record = EngramOptionsRecordAt(options, i);
        if (!record.is_command) {
            PetscCall(EngramHdf5WriteText(file, "case", record.option->name, record.value));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteFileSums(EngramHdf5File *file, const EngramFileSums *files)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5CreateGroup(file, "files"));
    for (int i = 0; i < files->count; i++) {
        char text[ENGRAM_FILE_SUM_TEXT];
        FormatSum(files->list[i].checksum, text, sizeof(text));
        PetscCall(EngramHdf5WriteText(file, "files", files->list[i].option, text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteOutputs(const EngramGrid *grid, EngramHdf5File *file,
                                   const EngramCheckpointContent *content)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5CreateGroup(file, "outputs"));
    for (int i = 0; i < content->outputs; i++) {
        char name[LONGEST_NAME];
        char text[32];
        uint64_t sum = 0;
        PetscInt64 count = content->positions[i]->count;
        PetscCallMPI(MPI_Bcast(&count, 1, MPIU_INT64, 0, grid->comm));
        const hsize_t whole = (hsize_t)count;
        const hsize_t own = grid->rank == 0 ? whole : 0;
        const EngramHdf5Part part = {1, {whole}, {0}, {own}, {whole > 0 ? whole : 1}};
        PetscCall(PetscSNPrintf(name, sizeof(name), "outputs/%s", content->output_names[i]));
        PetscCall(
            EngramHdf5WriteOnce(file, name, ENGRAM_HDF5_WORD, &part, content->positions[i]->words));
        if (grid->rank == 0) {
            sum = EngramChecksum(0, content->positions[i]->words, (ptrdiff_t)count);
        }
        PetscCallMPI(MPI_Bcast(&sum, 1, MPI_UINT64_T, 0, grid->comm));
        FormatSum(sum, text, sizeof(text));
        PetscCall(EngramHdf5WriteText(file, name, "checksum", text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** All but the seal. */
static PetscErrorCode WriteContent(const EngramGrid *grid, EngramHdf5File *file,
                                   const EngramCheckpointContent *content, SealParts *written)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < content->provenance->count; i++) {
        const EngramProvenanceEntry *entry = &content->provenance->entries[i];
        PetscCall(EngramHdf5WriteText(file, "/", entry->name, entry->text));
    }
    PetscCall(WriteCase(file, content->options));
    PetscCall(WriteFileSums(file, content->files));
    PetscCall(WriteOutputs(grid, file, content));
    PetscCall(WriteState(grid, file, content->state, written));
    PetscCall(EngramHdf5Close(file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Bytes that a checkpoint will need, about. */
static uint64_t EstimateBytes(const EngramGrid *grid, const EngramCheckpointContent *content)
{
    static const uint64_t rest = 1 << 16;
    uint64_t words = 0;
    for (int i = 0; i < content->state->count; i++) {
        const EngramStatePart *part = &content->state->parts[i];
        words += part->layout == ENGRAM_STATE_COMMON
                     ? (uint64_t)part->count
                     : (uint64_t)part->rows * (uint64_t)grid->w_cells;
    }
    for (int i = 0; i < content->outputs; i++) {
        words += (uint64_t)content->positions[i]->count;
    }
    return 8 * words + rest;
}

/** Reserves the room for a file that was just created, so that a full disk is noticed by name. */
static PetscErrorCode Reserve(const EngramGrid *grid, const EngramCheckpointContent *content,
                              const char *path)
{
    int failure = 0;
    PetscFunctionBeginUser;
    if (grid->rank == 0) {
        failure = EngramFileReserve(path, 0, EstimateBytes(grid, content));
    }
    PetscCall(EngramFileAgree(grid->comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes a complete and sealed file under its passing name. */
static PetscErrorCode WritePart(const EngramGrid *grid, const char *part,
                                const EngramCheckpointContent *content, EngramHdf5File *file)
{
    EngramCheckpointHead head = {content->step, content->time, 0};
    SealParts written = {.count = 0};
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5Create(grid->comm, part, SEAL_BYTES, file));
    file->begins_sync = PETSC_TRUE;
    PetscCall(Reserve(grid, content, part));
    PetscCall(WriteContent(grid, file, content, &written));
    PetscCall(SealWrite(grid->comm, part, &written, &head, &failure));
    if (failure == SEAL_LOST_WRITE) {
        PetscCall(EngramOutputError("cannot write %s: what is read again is not what was written; "
                                    "the disk, or the way to it, is at fault",
                                    part));
    }
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", part, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointWrite(const EngramGrid *grid, const char *path,
                                     const EngramCheckpointContent *content)
{
    char part[PETSC_MAX_PATH_LEN];
    EngramHdf5File file = {.id = -1, .comm = grid->comm};
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(part, sizeof(part), "%s.part", path));
    const PetscErrorCode code = WritePart(grid, part, content, &file);
    if (code) {
        file.has_failed = PETSC_TRUE;
        PetscCall(EngramHdf5Close(&file));
        if (grid->rank == 0) {
            /* What is there of it takes room that others may need. */
            (void)remove(part);
        }
        PetscCall(code);
    }
    if (grid->rank == 0) {
        failure = EngramFileReplace(part, path);
    }
    PetscCall(EngramFileAgree(grid->comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointVerify(MPI_Comm comm, const char *path, EngramCheckpointHead *head,
                                      char *reason)
{
    PetscFunctionBeginUser;
    PetscCall(SealVerify(comm, path, head, reason));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointOpen(const EngramGrid *grid, const char *path,
                                    EngramCheckpointFile *file)
{
    PetscFunctionBeginUser;
    file->grid = grid;
    PetscCall(EngramHdf5Open(grid->comm, path, PETSC_FALSE, &file->hdf5));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointCount(EngramCheckpointFile *file, const char *name, PetscInt *count)
{
    char path[LONGEST_NAME];
    PetscInt64 extent = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(path, sizeof(path), "state/%s", name));
    PetscCall(EngramHdf5Extent(&file->hdf5, path, &extent));
    *count = (PetscInt)PetscMax(extent, 0);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Compares a checksum with the one that is written beside a dataset. */
static PetscErrorCode CheckSum(EngramHdf5File *file, const char *name, uint64_t sum)
{
    char text[32];
    char written[32];
    PetscBool is_there = PETSC_FALSE;
    PetscFunctionBeginUser;
    FormatSum(sum, text, sizeof(text));
    PetscCall(EngramHdf5ReadText(file, name, "checksum", written, sizeof(written), &is_there));
    if (!is_there || strcmp(text, written) != 0) {
        PetscCall(EngramOutputError("%s: dataset %s does not have the checksum it was written "
                                    "with; the disk or the memory is at fault",
                                    file->path, name));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadPart(EngramCheckpointFile *file, const EngramStatePart *part)
{
    char name[LONGEST_NAME];
    PetscInt64 extent = 0;
    uint64_t sum = 0;
    PetscFunctionBeginUser;
    const PetscInt expected = part->layout == ENGRAM_STATE_COMMON ? part->count : part->rows;
    PetscCall(PetscSNPrintf(name, sizeof(name), "state/%s", part->name));
    PetscCall(EngramHdf5Extent(&file->hdf5, name, &extent));
    if (extent != expected) {
        PetscCall(EngramInputError("-restart %s: it has no %s of this kind of model (with or "
                                   "without -model_refractory, -model_epsilon 0)",
                                   file->hdf5.path, part->name));
    }
    const EngramHdf5Part own = PartOf(file->grid, part, PETSC_TRUE);
    PetscCall(EngramHdf5Read(&file->hdf5, name, ENGRAM_HDF5_DOUBLE, &own, part->values));
    PetscCall(SumPart(file->grid, part, &sum));
    PetscCall(CheckSum(&file->hdf5, name, sum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointReadState(EngramCheckpointFile *file, const EngramStateParts *state)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < state->count; i++) {
        PetscCall(ReadPart(file, &state->parts[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointReadPosition(EngramCheckpointFile *file, const char *output,
                                            EngramPosition *position)
{
    char name[LONGEST_NAME];
    PetscInt64 extent = 0;
    uint64_t *words = NULL;
    uint64_t sum = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(name, sizeof(name), "outputs/%s", output));
    PetscCall(EngramHdf5Extent(&file->hdf5, name, &extent));
    EngramPositionClear(position);
    if (extent <= 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const PetscMPIInt rank = file->grid->rank;
    if (rank == 0) {
        PetscCall(EngramPositionExtend(position, extent, &words));
    }
    const hsize_t whole = (hsize_t)extent;
    const EngramHdf5Part part = {1, {whole}, {0}, {rank == 0 ? whole : 0}, {whole}};
    PetscCall(EngramHdf5Read(&file->hdf5, name, ENGRAM_HDF5_WORD, &part, words));
    if (rank == 0) {
        sum = EngramChecksum(0, words, (ptrdiff_t)extent);
    }
    PetscCallMPI(MPI_Bcast(&sum, 1, MPI_UINT64_T, 0, file->grid->comm));
    PetscCall(CheckSum(&file->hdf5, name, sum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointReadOption(EngramCheckpointFile *file, const char *name, char *text,
                                          size_t size, PetscBool *is_there)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5ReadText(&file->hdf5, "case", name, text, size, is_there));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointReadFileSum(EngramCheckpointFile *file, const char *name, char *text,
                                           size_t size, PetscBool *is_there)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5HasGroup(&file->hdf5, "files", is_there));
    if (*is_there) {
        PetscCall(EngramHdf5ReadText(&file->hdf5, "files", name, text, size, is_there));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointClose(EngramCheckpointFile *file)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5Close(&file->hdf5));
    PetscFunctionReturn(PETSC_SUCCESS);
}
