/**
 * A file of growing datasets is put back to where its image was taken, whatever has happened to
 * what HDF5 keeps in it since.
 */
#include <petscsys.h>
#include <stdio.h>
#include <unistd.h>

#include "engram/base/hdf5_image.h"
#include "unit_support.h"

enum { NODES = 7, CELLS = 31, KEPT = 150, LOST = 90 };

static char folder[] = "/tmp/engram_unit_XXXXXX";
static char path[PETSC_MAX_PATH_LEN];

static const EngramHdf5Part number = {0, {0}, {0}, {0}, {0}};
static const EngramHdf5Part plane = {2, {NODES, CELLS}, {0, 0}, {NODES, CELLS}, {NODES, CELLS}};

static double ValueAt(PetscInt row, PetscInt i)
{
    return (double)row + 1e-3 * (double)i;
}

/** Writes one row of both datasets. */
static void WriteRow(EngramHdf5File *file, PetscInt row, double change)
{
    double values[NODES * CELLS];
    const double time = (double)row + change;
    for (PetscInt i = 0; i < NODES * CELLS; i++) {
        values[i] = ValueAt(row, i) + change;
    }
    assert_int_equal(EngramHdf5WriteRow(file, "time", row, &number, &time), 0);
    assert_int_equal(EngramHdf5WriteRow(file, "density", row, &plane, values), 0);
}

/** Expects the rows as they were written first. */
static void ExpectRows(EngramHdf5File *file, PetscInt rows)
{
    static double times[KEPT + LOST];
    PetscInt64 extent = 0;
    assert_int_equal(EngramHdf5Extent(file, "time", &extent), 0);
    assert_int_equal(extent, rows);
    assert_int_equal(EngramHdf5Extent(file, "density", &extent), 0);
    assert_int_equal(extent, rows);
    const hsize_t count = (hsize_t)rows;
    const EngramHdf5Part part = {1, {count}, {0}, {count}, {count}};
    assert_int_equal(EngramHdf5Read(file, "time", ENGRAM_HDF5_DOUBLE, &part, times), 0);
    for (PetscInt row = 0; row < rows; row++) {
        UNIT_ASSERT_SAME_BITS(times[row], (double)row);
    }
    /* The planes as HDF5 reads them by itself: one row of three dimensions at a time. */
    const hid_t dataset = H5Dopen2(file->id, "density", H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    const hsize_t size[3] = {1, NODES, CELLS};
    const hid_t in_memory = H5Screate_simple(3, size, NULL);
    for (PetscInt row = 0; row < rows; row++) {
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

static void CreateFile(EngramHdf5File *file)
{
    assert_int_equal(EngramHdf5Create(PETSC_COMM_WORLD, path, 0, file), 0);
    assert_int_equal(EngramHdf5CreateRows(file, "time", &number, "1", "time"), 0);
    assert_int_equal(EngramHdf5CreateRows(file, "density", &plane, "1", "density"), 0);
    for (PetscInt row = 0; row < KEPT; row++) {
        WriteRow(file, row, 0.0);
    }
}

static EngramHdf5Image NewImage(void)
{
    EngramHdf5Image image = {.names = {"time", "density"}, .datasets = 2};
    return image;
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

static void TestFileComesBack(void **state)
{
    (void)state;
    EngramHdf5File file;
    EngramHdf5Image image = NewImage();
    EngramPosition position = {NULL, 0, 0};
    CreateFile(&file);
    assert_int_equal(EngramHdf5Flush(&file), 0);
    assert_int_equal(EngramHdf5ImageTake(&image, &file, &position), 0);
    UNIT_ASSERT_AT_MOST(8 * position.count, 400 * KEPT);
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&file, row, 0.5);
    }
    assert_int_equal(EngramHdf5Close(&file), 0);
    Devastate(&position);
    assert_int_equal(EngramHdf5ImageRestore(path, position.words, position.count), 0);
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_TRUE, &file), 0);
    ExpectRows(&file, KEPT);
    assert_int_equal(EngramHdf5Close(&file), 0);
    assert_int_equal(EngramHdf5ImageDestroy(&image), 0);
    assert_int_equal(EngramPositionDestroy(&position), 0);
}

/** A file that goes on after it came back has images as good as those of the first. */
static void TestFileGoesOn(void **state)
{
    (void)state;
    EngramHdf5File file;
    EngramHdf5Image image = NewImage();
    EngramPosition position = {NULL, 0, 0};
    EngramPosition later = {NULL, 0, 0};
    CreateFile(&file);
    assert_int_equal(EngramHdf5Flush(&file), 0);
    assert_int_equal(EngramHdf5ImageTake(&image, &file, &position), 0);
    assert_int_equal(EngramHdf5Close(&file), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, position.words, position.count), 0);
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_TRUE, &file), 0);
    assert_int_equal(EngramHdf5ImageResume(&image, &file, position.words, position.count), 0);
    for (PetscInt row = KEPT; row < KEPT + LOST; row++) {
        WriteRow(&file, row, 0.0);
    }
    assert_int_equal(EngramHdf5Flush(&file), 0);
    assert_int_equal(EngramHdf5ImageTake(&image, &file, &later), 0);
    assert_int_equal(EngramHdf5Close(&file), 0);
    Devastate(&later);
    assert_int_equal(EngramHdf5ImageRestore(path, later.words, later.count), 0);
    assert_int_equal(EngramHdf5Open(PETSC_COMM_WORLD, path, PETSC_FALSE, &file), 0);
    ExpectRows(&file, KEPT + LOST);
    assert_int_equal(EngramHdf5Close(&file), 0);
    assert_int_equal(EngramHdf5ImageDestroy(&image), 0);
    assert_int_equal(EngramPositionDestroy(&position), 0);
    assert_int_equal(EngramPositionDestroy(&later), 0);
}

/** Another file is told by its length, a missing one by errno. */
static void TestOtherFilesAreRefused(void **state)
{
    (void)state;
    EngramHdf5File file;
    EngramHdf5Image image = NewImage();
    EngramPosition position = {NULL, 0, 0};
    CreateFile(&file);
    assert_int_equal(EngramHdf5Flush(&file), 0);
    assert_int_equal(EngramHdf5ImageTake(&image, &file, &position), 0);
    assert_int_equal(EngramHdf5Close(&file), 0);
    assert_int_equal(truncate(path, (off_t)position.words[0] - 1), 0);
    assert_int_equal(EngramHdf5ImageRestore(path, position.words, position.count), -1);
    assert_int_equal(remove(path), 0);
    assert_true(EngramHdf5ImageRestore(path, position.words, position.count) > 0);
    assert_int_equal(EngramHdf5ImageDestroy(&image), 0);
    assert_int_equal(EngramPositionDestroy(&position), 0);
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
        cmocka_unit_test(TestFileComesBack),
        cmocka_unit_test(TestFileGoesOn),
        cmocka_unit_test(TestOtherFilesAreRefused),
    };
    return cmocka_run_group_tests(tests, Start, Stop);
}
