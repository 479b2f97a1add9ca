/**
 * A file of growing datasets is put back to where its image was taken, whatever has happened to
 * what HDF5 keeps in it since.
 */
#include <petscsys.h>
#include <stdio.h>
#include <unistd.h>

#include "engram/base/file_system.h"
#include "engram/base/hdf5_image.h"
#include "engram/base/hdf5_rows.h"
#include "unit_support.h"

enum { NODES = 7, CELLS = 31, KEPT = 150, LOST = 90, DATASETS = 3 };

static char folder[] = "/tmp/engram_unit_XXXXXX";
static char path[PETSC_MAX_PATH_LEN];

static const EngramHdf5Part number = {0, {0}, {0}, {0}, {0}};
static const EngramHdf5Part slices = {1, {CELLS}, {0}, {CELLS}, {CELLS}};
static const EngramHdf5Part plane = {2, {NODES, CELLS}, {0, 0}, {NODES, CELLS}, {NODES, CELLS}};

/* Small chunks of large rows: three of the seven nodes each, so that the last one is not full. */
static const hsize_t SMALL_CHUNK = sizeof(double) * 3 * CELLS;

static EngramHdf5Rows rows[DATASETS];

static double ValueAt(PetscInt row, PetscInt i)
{
    return (double)row + 1e-3 * (double)i;
}

/** Writes one row of all datasets. */
static void WriteRow(EngramHdf5File *file, EngramHdf5Image *image, PetscInt row, double change)
{
    double values[NODES * CELLS];
    const double time = (double)row + change;
    for (PetscInt i = 0; i < NODES * CELLS; i++) {
        values[i] = ValueAt(row, i) + change;
    }
    assert_int_equal(EngramHdf5RowsWrite(file, &rows[0], image, row, &time), 0);
    assert_int_equal(EngramHdf5RowsWrite(file, &rows[1], image, row, values), 0);
    assert_int_equal(EngramHdf5RowsWrite(file, &rows[2], image, row, values), 0);
}

/** Expects the rows as they were written first. */
static void ExpectRows(EngramHdf5File *file, PetscInt expected)
{
    static double times[KEPT + LOST];
    PetscInt64 extent = 0;
    assert_int_equal(EngramHdf5Extent(file, "time", &extent), 0);
    assert_int_equal(extent, expected);
    assert_int_equal(EngramHdf5Extent(file, "density", &extent), 0);
    assert_int_equal(extent, expected);
    const hsize_t count = (hsize_t)expected;
    const EngramHdf5Part part = {1, {count}, {0}, {count}, {count}};
    assert_int_equal(EngramHdf5Read(file, "time", ENGRAM_HDF5_DOUBLE, &part, times), 0);
    for (PetscInt row = 0; row < expected; row++) {
        UNIT_ASSERT_SAME_BITS(times[row], (double)row);
    }
    /* The planes as HDF5 reads them by itself: one row of three dimensions at a time. */
    const hid_t dataset = H5Dopen2(file->id, "density", H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    const hsize_t size[3] = {1, NODES, CELLS};
    const hid_t in_memory = H5Screate_simple(3, size, NULL);
    for (PetscInt row = 0; row < expected; row++) {
        double values[NODES * CELLS];
        const hsize_t offset[3] = {(hsize_t)row, 0, 0};
        assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, offset, NULL, size, NULL) >= 0);
        assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, in_memory, space, H5P_DEFAULT, values) >=
                    0);
        for (PetscInt i = 0; i < NODES * CELLS; i++) {
            UNIT_ASSERT_SAME_BITS(values[i], ValueAt(row, i));
        }
    }
    (void)H5Sclose(in_memory);
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
}

static void CreateFile(EngramHdf5File *file, EngramHdf5Image *image, hsize_t largest_chunk)
{
    *image = (EngramHdf5Image){.datasets = DATASETS};
    assert_int_equal(EngramHdf5Create(PETSC_COMM_WORLD, path, 0, file), 0);
    file->largest_chunk = largest_chunk;
    assert_int_equal(EngramHdf5RowsCreate(file, "time", 0, &number, "1", "time", &rows[0]), 0);
    assert_int_equal(EngramHdf5RowsCreate(file, "rate", 1, &slices, "1", "rate", &rows[1]), 0);
    assert_int_equal(EngramHdf5RowsCreate(file, "density", 2, &plane, "1", "p", &rows[2]), 0);
    for (PetscInt row = 0; row < KEPT; row++) {
        WriteRow(file, image, row, 0.0);
    }
    assert_int_equal(EngramHdf5Flush(file), 0);
}

/** Opens a file that was put back, to go on with it. */
static void OpenAgain(EngramHdf5File *file, EngramHdf5Image *image, const EngramPosition *position)
{
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_TRUE, file), 0);
    assert_int_equal(EngramHdf5RowsOpen(file, "time", 0, &number, &rows[0]), 0);
    assert_int_equal(EngramHdf5RowsOpen(file, "rate", 1, &slices, &rows[1]), 0);
    assert_int_equal(EngramHdf5RowsOpen(file, "density", 2, &plane, &rows[2]), 0);
    assert_int_equal(EngramHdf5ImageResume(image, position->words, position->count), 0);
}

/** What the rows of the file look like beside those of an image. */
static int Verdict(const EngramPosition *position)
{
    int failure = 0;
    assert_int_equal(
        EngramHdf5ImageVerify(PETSC_COMM_WORLD, path, position->words, position->count, &failure),
        0);
    return failure;
}

/** Writes over all bytes of a file that are in its image, and adds some. */
static void Devastate(const EngramPosition *position)
{
    FILE *stream = fopen(path, "r+");
    assert_non_null(stream);
    for (uint64_t i = 0; i < position->words[1]; i++) {
        assert_int_equal(fseek(stream, (long)position->words[2 + 2 * i], SEEK_SET), 0);
        for (uint64_t at = position->words[2 + 2 * i]; at < position->words[3 + 2 * i]; at++) {
            assert_int_equal(fputc(0xA5, stream), 0xA5);
        }
    }
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    assert_true(fputs("rows that nobody knows of", stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

/** A file with some rows, and its image. */
typedef struct Fixture {
    EngramHdf5File file;
    EngramHdf5Image image;
    EngramPosition position;
} Fixture;

static int Create(void **state, hsize_t largest_chunk)
{
    static Fixture kept;
    kept.position = (EngramPosition){NULL, 0, 0};
    CreateFile(&kept.file, &kept.image, largest_chunk);
    assert_int_equal(EngramHdf5ImageTake(&kept.image, &kept.file, &kept.position), 0);
    *state = &kept;
    return 0;
}

static int CreateSmall(void **state)
{
    return Create(state, 0);
}

static int CreateLarge(void **state)
{
    return Create(state, SMALL_CHUNK);
}

/** The file itself is closed by the test. */
static int Destroy(void **state)
{
    Fixture *kept = *state;
    assert_int_equal(EngramHdf5ImageDestroy(&kept->image), 0);
    assert_int_equal(EngramPositionDestroy(&kept->position), 0);
    return 0;
}

static void TestFileComesBack(void **state)
{
    Fixture *kept = *state;
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&kept->file, &kept->image, row, 0.5);
    }
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    Devastate(&kept->position);
    assert_int_equal(Verdict(&kept->position), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, kept->position.words, kept->position.count), 0);
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_TRUE, &kept->file), 0);
    ExpectRows(&kept->file, KEPT);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
}

/** A file that goes on after it came back has images as good as those of the first. */
static void TestFileGoesOn(void **state)
{
    Fixture *kept = *state;
    EngramPosition later = {NULL, 0, 0};
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, kept->position.words, kept->position.count), 0);
    OpenAgain(&kept->file, &kept->image, &kept->position);
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&kept->file, &kept->image, row, 0.0);
    }
    assert_int_equal(EngramHdf5Flush(&kept->file), 0);
    assert_int_equal(EngramHdf5ImageTake(&kept->image, &kept->file, &later), 0);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    Devastate(&later);
    assert_int_equal(Verdict(&later), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, later.words, later.count), 0);
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_FALSE, &kept->file), 0);
    ExpectRows(&kept->file, KEPT + LOST);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    assert_int_equal(EngramPositionDestroy(&later), 0);
}

/** A row that is larger than a chunk may be has several of them. */
static void TestLargeRows(void **state)
{
    Fixture *kept = *state;
    assert_int_equal(rows[2].chunks, 3);
    assert_int_equal(rows[2].chunk[0], 1);
    ExpectRows(&kept->file, KEPT);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    Devastate(&kept->position);
    assert_int_equal(Verdict(&kept->position), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, kept->position.words, kept->position.count), 0);
    OpenAgain(&kept->file, &kept->image, &kept->position);
    assert_int_equal(rows[2].chunks, 3);
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&kept->file, &kept->image, row, 0.0);
    }
    ExpectRows(&kept->file, KEPT + LOST);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
}

/** What is kept for a file does not grow with its rows as long as they share a chunk. */
static void TestImageIsSmall(void **state)
{
    Fixture *kept = *state;
    const PetscInt64 before = kept->position.count;
    const PetscInt64 chunks = kept->image.count;
    /* 37 rows of the density share a chunk, 264 of the rate, 2048 numbers. */
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&kept->file, &kept->image, row, 0.0);
    }
    assert_int_equal(EngramHdf5Flush(&kept->file), 0);
    EngramPositionClear(&kept->position);
    assert_int_equal(EngramHdf5ImageTake(&kept->image, &kept->file, &kept->position), 0);
    UNIT_ASSERT_AT_MOST(kept->image.count - chunks, 3);
    UNIT_ASSERT_AT_MOST(8 * (kept->position.count - before), 3 * 2048 + 3 * 16 * 8);
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
}

/** Changes one byte of a file. */
static void ChangeByte(uint64_t place)
{
    FILE *stream = fopen(path, "r+");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, (long)place, SEEK_SET), 0);
    const int old = fgetc(stream);
    assert_int_equal(fseek(stream, (long)place, SEEK_SET), 0);
    assert_true(fputc(old ^ 1, stream) != EOF);
    assert_int_equal(fclose(stream), 0);
}

/** Every byte of a row counts, and none of what has no row yet. */
static void TestChangedRowsAreFound(void **state)
{
    Fixture *kept = *state;
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    for (int d = 0; d < DATASETS; d++) {
        const uint64_t places[2] = {rows[d].places[0], kept->image.unfilled[d].begin - 1};
        for (int i = 0; i < 2; i++) {
            ChangeByte(places[i]);
            assert_int_equal(Verdict(&kept->position), ENGRAM_HDF5_IMAGE_CHANGED);
            ChangeByte(places[i]);
            assert_int_equal(Verdict(&kept->position), 0);
        }
        ChangeByte(kept->image.unfilled[d].begin);
        assert_int_equal(Verdict(&kept->position), 0);
    }
    /* An image of a program that kept no checksum is taken without. */
    ChangeByte(rows[2].places[0]);
    kept->position.count -= 2 + 2 * DATASETS;
    assert_int_equal(Verdict(&kept->position), 0);
    assert_int_equal(
        EngramHdf5ImageResume(&kept->image, kept->position.words, kept->position.count), 0);
    assert_true(kept->image.has_no_sum);
}

/** Another file is told by its length, a missing one by errno. */
static void TestOtherFilesAreRefused(void **state)
{
    Fixture *kept = *state;
    assert_int_equal(EngramHdf5Close(&kept->file), 0);
    assert_int_equal(truncate(path, (off_t)kept->position.words[0] - 1), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, kept->position.words, kept->position.count), -1);
    assert_int_equal(Verdict(&kept->position), ENGRAM_FILE_TOO_SHORT);
    assert_int_equal(remove(path), 0);
    assert_true(Verdict(&kept->position) > 0);
    assert_true(EngramHdf5ImageRestore(path, kept->position.words, kept->position.count) > 0);
}

static int Start(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || PetscInitializeNoArguments() != 0) {
        return 1;
    }
    return snprintf(path, sizeof(path), "%s/fields.h5", folder) < 0;
}

static int Stop(void **state)
{
    (void)state;
    (void)remove(path);
    (void)remove(folder);
    return PetscFinalize() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(TestFileComesBack, CreateSmall, Destroy),
        cmocka_unit_test_setup_teardown(TestFileGoesOn, CreateSmall, Destroy),
        cmocka_unit_test_setup_teardown(TestLargeRows, CreateLarge, Destroy),
        cmocka_unit_test_setup_teardown(TestImageIsSmall, CreateSmall, Destroy),
        cmocka_unit_test_setup_teardown(TestChangedRowsAreFound, CreateSmall, Destroy),
        cmocka_unit_test_setup_teardown(TestOtherFilesAreRefused, CreateSmall, Destroy),
    };
    return cmocka_run_group_tests(tests, Start, Stop);
}
