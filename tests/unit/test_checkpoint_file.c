/**
 * A checkpoint gives back what was written, and no file with another bit or length is taken for
 * one.
 */
#include <fcntl.h>
#include <petscsys.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engram/checkpoint/checkpoint_file.h"
#include "seal.h"
#include "unit_support.h"

enum { CELLS = 23, COMMON = 5, FLIPS = 4000 };

static char folder[] = "/tmp/engram_unit_XXXXXX";
static char path[PETSC_MAX_PATH_LEN];

/** A grid, a state on it, and the file that it was written to. */
typedef struct Fixture {
    EngramOptions options;
    EngramGrid *grid;
    double *slices;
    double common[COMMON];
    EngramStateParts state;
    EngramPosition position;
    long bytes;
} Fixture;

static void SetState(Fixture *kept, PetscInt v_cells)
{
    const EngramGridParameters parameters = {.v_min = -4.0,
                                             .v_reset = 1.0,
                                             .v_threshold = 2.0,
                                             .v_cells = v_cells,
                                             .v_order = 2,
                                             .w_min = 0.0,
                                             .w_max = 1.0,
                                             .w_cells = CELLS,
                                             .w_order = 2};
    assert_int_equal(EngramGridCreate(PETSC_COMM_WORLD, &parameters, &kept->grid), 0);
    const PetscInt rows = kept->grid->v_nodes;
    const PetscInt stride = kept->grid->w_stride;
    kept->slices = UnitAllocate(rows * stride);
    assert_int_equal(
        EngramStateAddSlices(&kept->state, "density", "1", "p", rows, stride, kept->slices), 0);
    assert_int_equal(EngramStateAddCommon(&kept->state, "numbers", "1", "n", COMMON, kept->common),
                     0);
}

static double SliceValue(PetscInt i)
{
    return sin((double)i) * pow(10.0, (double)(i % 300));
}

static int Start(void **state)
{
    char name[] = "unit";
    char *words[] = {name, NULL};
    static const EngramFileSums no_files = {.count = 0};
    static const EngramProvenance provenance = {.entries = {{"engram", "0"}}, .count = 1};
    Fixture *kept = calloc(1, sizeof(*kept));
    if (!kept || !mkdtemp(folder) || PetscInitializeNoArguments() != 0) {
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/checkpoint.h5", folder);
    assert_int_equal(EngramOptionsCreate(&kept->options), 0);
    assert_int_equal(EngramOptionsRegister(kept->options, &EngramGridOptions), 0);
    assert_int_equal(EngramOptionsLoad(kept->options, NULL, 1, words), 0);
    SetState(kept, 30);
    for (PetscInt i = 0; i < kept->grid->v_nodes * kept->grid->w_stride; i++) {
        kept->slices[i] = SliceValue(i);
    }
    kept->common[0] = -0.0;
    kept->common[1] = 5e-324;
    kept->common[2] = (double)NAN;
    kept->common[3] = 0.1;
    assert_int_equal(EngramPositionAdd(&kept->position, UINT64_MAX), 0);
    const EngramCheckpointContent content = {.step = INT64_C(5000000000),
                                             .time = 0.1,
                                             .state = &kept->state,
                                             .options = kept->options,
                                             .files = &no_files,
                                             .provenance = &provenance,
                                             .outputs = 1,
                                             .output_names = {"series"},
                                             .positions = {&kept->position}};
    assert_int_equal(EngramCheckpointWrite(kept->grid, path, &content), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    kept->bytes = (long)status.st_size;
    *state = kept;
    return 0;
}

static int Stop(void **state)
{
    Fixture *kept = *state;
    (void)remove(path);
    (void)remove(folder);
    free(kept->slices);
    assert_int_equal(EngramPositionDestroy(&kept->position), 0);
    assert_int_equal(EngramGridDestroy(&kept->grid), 0);
    assert_int_equal(EngramOptionsDestroy(&kept->options), 0);
    free(kept);
    return PetscFinalize() != 0;
}

/** Whether the file is a checkpoint that is whole. */
static int IsWhole(EngramCheckpointHead *head)
{
    char reason[ENGRAM_CHECKPOINT_REASON] = "";
    assert_int_equal(EngramCheckpointVerify(PETSC_COMM_WORLD, path, head, reason), 0);
    return reason[0] == '\0';
}

/** Changes bits of one byte of the file. */
static void ChangeByte(int file, long place, int mask)
{
    unsigned char byte = 0;
    assert_int_equal(pread(file, &byte, 1, place), 1);
    byte = (unsigned char)(byte ^ mask);
    assert_int_equal(pwrite(file, &byte, 1, place), 1);
}

static void TestContentComesBack(void **state)
{
    Fixture *kept = *state;
    Fixture again = {.state = {.count = 0}};
    EngramCheckpointHead head = {0, 0.0, 0};
    EngramCheckpointFile file;
    char text[64] = "";
    PetscBool is_there = PETSC_FALSE;
    assert_true(IsWhole(&head));
    assert_true(head.step == INT64_C(5000000000) && head.time == 0.1 &&
                head.bytes == (uint64_t)kept->bytes);
    SetState(&again, 30);
    assert_int_equal(EngramCheckpointOpen(again.grid, path, &file), 0);
    assert_int_equal(EngramCheckpointReadState(&file, &again.state), 0);
    for (PetscInt k = 0; k < again.grid->v_nodes; k++) {
        for (PetscInt j = 0; j < CELLS; j++) {
            const PetscInt i = k * again.grid->w_stride + j;
            UNIT_ASSERT_SAME_BITS(again.slices[i], SliceValue(i));
        }
    }
    for (int i = 0; i < COMMON; i++) {
        UNIT_ASSERT_SAME_BITS(again.common[i], kept->common[i]);
    }
    assert_int_equal(EngramCheckpointReadPosition(&file, "series", &again.position), 0);
    assert_true(again.position.count == 1 && again.position.words[0] == UINT64_MAX);
    assert_int_equal(
        EngramCheckpointReadOption(&file, "grid_v_cells", text, sizeof(text), &is_there), 0);
    assert_true(is_there);
    assert_string_equal(text, "60");
    assert_int_equal(EngramCheckpointReadOption(&file, "absent", text, sizeof(text), &is_there), 0);
    assert_false(is_there);
    assert_int_equal(EngramCheckpointClose(&file), 0);
    assert_int_equal(EngramPositionDestroy(&again.position), 0);
    assert_int_equal(EngramGridDestroy(&again.grid), 0);
    free(again.slices);
}

/** Every bit of the head counts, and bits anywhere after it. */
static void TestFlippedBits(void **state)
{
    Fixture *kept = *state;
    UnitRandom random = {20};
    EngramCheckpointHead head;
    const int body = (int)(kept->bytes - SEAL_BYTES);
    const int file = open(path, O_RDWR);
    assert_true(file >= 0 && body > 1000);
    for (int i = 0; i < 8 * SEAL_BYTES + FLIPS; i++) {
        const int is_head = i < 8 * SEAL_BYTES;
        const long at = is_head ? i / 8 : SEAL_BYTES + UnitRandomBelow(&random, body);
        const int mask = 1 << (is_head ? i % 8 : UnitRandomBelow(&random, 8));
        ChangeByte(file, at, mask);
        if (IsWhole(&head)) {
            fail_msg("byte %ld of %ld with bits %d changed is not noticed", at, kept->bytes, mask);
        }
        ChangeByte(file, at, mask);
    }
    assert_true(IsWhole(&head));
    assert_int_equal(close(file), 0);
}

/** Programs wrote seals without a checksum of their own numbers: these are taken as they are. */
static void TestOlderSeal(void **state)
{
    char seal[SEAL_BYTES];
    char older[SEAL_BYTES + 1];
    EngramCheckpointHead head;
    (void)state;
    const int file = open(path, O_RDWR);
    assert_int_equal(pread(file, seal, SEAL_BYTES, 0), SEAL_BYTES);
    memcpy(older, seal, SEAL_BYTES);
    older[SEAL_BYTES] = '\0';
    char *line = strstr(older, "\nhead ");
    assert_non_null(line);
    memset(line, '\n', strlen("\nhead ") + 16);
    assert_int_equal(pwrite(file, older, SEAL_BYTES, 0), SEAL_BYTES);
    assert_true(IsWhole(&head));
    assert_true(head.step == INT64_C(5000000000));
    /* Half of the line is no older seal. */
    memcpy(line, seal + (line - older), 9);
    assert_int_equal(pwrite(file, older, SEAL_BYTES, 0), SEAL_BYTES);
    assert_false(IsWhole(&head));
    assert_int_equal(pwrite(file, seal, SEAL_BYTES, 0), SEAL_BYTES);
    assert_true(IsWhole(&head));
    assert_int_equal(close(file), 0);
}

/** Of any length but its own. */
static void TestLengths(void **state)
{
    Fixture *kept = *state;
    EngramCheckpointHead head;
    unsigned char *content = malloc((size_t)kept->bytes);
    assert_non_null(content);
    const int file = open(path, O_RDWR);
    assert_int_equal(pread(file, content, (size_t)kept->bytes, 0), kept->bytes);
    for (long length = 2 * kept->bytes; length >= 0; length -= length == kept->bytes + 1 ? 2 : 1) {
        const int is_near = labs(length - kept->bytes) < 20 || labs(length - SEAL_BYTES) < 20;
        if (is_near || length % 97 == 0) {
            assert_int_equal(ftruncate(file, length), 0);
            if (IsWhole(&head)) {
                fail_msg("%ld bytes of %ld are taken for a checkpoint", length, kept->bytes);
            }
        }
    }
    assert_int_equal(pwrite(file, content, (size_t)kept->bytes, 0), kept->bytes);
    assert_true(IsWhole(&head));
    assert_int_equal(close(file), 0);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestContentComesBack),
        cmocka_unit_test(TestFlippedBits),
        cmocka_unit_test(TestOlderSeal),
        cmocka_unit_test(TestLengths),
    };
    return cmocka_run_group_tests(tests, Start, Stop);
}
