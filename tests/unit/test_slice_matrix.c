/**
 * The matrix I + lambda D as entries and as a product: both against the definition, the column sums
 * that conserve mass, and the elimination as its inverse.
 */
#include "slice_problem.h"

#include <float.h>

#include "engram/kernels/slice_matrix.h"

enum { NODES = 53, SLICES = 13, STRIDE = 16 };

/* The last one is too small for the polynomials. */
static const double NOISES[3] = {1.0, 0.02, 1e-4};
static const double LAMBDAS[4] = {1e-4, 0.3, 50.0, 1e8};
static const int RESETS[4] = {0, 40, NODES - 2, NODES - 1};

/** A random problem with its matrix. */
typedef struct MatrixProblem {
    SliceProblem slices;
    EngramSliceMatrix matrix;
    double lambda;
} MatrixProblem;

static void CreateMatrixProblem(int trial, MatrixProblem *problem)
{
    const SliceGrid grid = {NODES, RESETS[trial % 4], -4.0, 2.0, NOISES[trial / 4 % 3]};
    UnitRandom random = {(uint64_t)trial};
    problem->slices = SliceProblemCreate(grid, SLICES, STRIDE);
    SliceProblemFill(&problem->slices, &random);
    problem->lambda = LAMBDAS[trial / 12];
    problem->matrix.table = &problem->slices.table;
    problem->matrix.slices = SLICES;
    problem->matrix.stride = STRIDE;
    problem->matrix.up = UnitAllocate(NODES * STRIDE);
    problem->matrix.down = UnitAllocate(NODES * STRIDE);
    problem->matrix.kappa = UnitAllocate(STRIDE);
    problem->matrix.content = UnitAllocate(STRIDE);
    EngramSliceMatrixFill(&problem->matrix, problem->lambda, problem->slices.drift);
}

static void DestroyMatrixProblem(MatrixProblem *problem)
{
    free(problem->matrix.up);
    free(problem->matrix.down);
    free(problem->matrix.kappa);
    free(problem->matrix.content);
    SliceProblemDestroy(&problem->slices);
}

/** Calls a check for all noises, reset nodes and lambdas. */
static void ForAllProblems(void (*check)(MatrixProblem *problem))
{
    for (int trial = 0; trial < 48; trial++) {
        MatrixProblem problem;
        CreateMatrixProblem(trial, &problem);
        check(&problem);
        DestroyMatrixProblem(&problem);
    }
}

/** strength B(-q) and strength B(q) of a face, or zeros for a face that carries no flux. */
static void Weights(const MatrixProblem *problem, int face, ptrdiff_t slice, double *up,
                    double *down)
{
    const EngramFaceTable *table = &problem->slices.table;
    *up = 0.0;
    *down = 0.0;
    if (face >= 0) {
        const double strength = problem->lambda * table->noise / (table->spacing * table->spacing);
        EngramFaceWeights(table, face, 1, &problem->slices.drift[slice], up, down);
        *up *= strength;
        *down *= strength;
    }
}

static void ExpectClose(double value, double expected)
{
    const double size = fabs(expected) + 1e-300;
    UNIT_ASSERT_AT_MOST(fabs(value - expected) / size, 4.0 * DBL_EPSILON);
}

static void CheckEntries(MatrixProblem *problem)
{
    const EngramSliceMatrix *matrix = &problem->matrix;
    for (ptrdiff_t i = 0; i < SLICES; i++) {
        double up = 0.0;
        double down = 0.0;
        for (int k = 0; k < NODES; k++) {
            double up_below;
            double down_below;
            Weights(problem, k - 1, i, &up_below, &down_below);
            Weights(problem, k, i, &up, &down);
            const EngramSliceRow row = EngramSliceMatrixRow(matrix, k, i);
            ExpectClose(row.left, -up_below);
            ExpectClose(row.diagonal, 1.0 + (up + down_below));
            ExpectClose(row.right, k < NODES - 1 ? -down : 0.0);
        }
        ExpectClose(EngramSliceMatrixSpike(matrix, i), -up);
    }
}

static void TestEntries(void **state)
{
    (void)state;
    ForAllProblems(CheckEntries);
}

/** Every column sums to 1, to round-off of its largest entry. */
static void CheckColumnSums(MatrixProblem *problem)
{
    const EngramSliceMatrix *matrix = &problem->matrix;
    for (ptrdiff_t i = 0; i < SLICES; i++) {
        for (int column = 0; column < NODES; column++) {
            const double diagonal = EngramSliceMatrixRow(matrix, column, i).diagonal;
            long double sum = (long double)diagonal;
            if (column > 0) {
                sum += (long double)EngramSliceMatrixRow(matrix, column - 1, i).right;
            }
            if (column < NODES - 1) {
                sum += (long double)EngramSliceMatrixRow(matrix, column + 1, i).left;
            } else {
                sum += (long double)EngramSliceMatrixSpike(matrix, i);
            }
            UNIT_ASSERT_AT_MOST(fabsl(sum - 1.0L) / (long double)diagonal, 4.0 * DBL_EPSILON);
        }
    }
}

static void TestColumnSums(void **state)
{
    (void)state;
    ForAllProblems(CheckColumnSums);
}

/** The product with a unit vector is a column: its entries, and nothing else. */
static double ColumnEntry(const EngramSliceMatrix *matrix, int row, int column, ptrdiff_t slice)
{
    const EngramSliceRow entries = EngramSliceMatrixRow(matrix, row, slice);
    const int has_spike = row == matrix->table->reset_node && column == NODES - 1;
    double entry = has_spike ? EngramSliceMatrixSpike(matrix, slice) : 0.0;
    entry += row == column ? entries.diagonal : 0.0;
    entry += row == column + 1 ? entries.left : 0.0;
    entry += row == column - 1 ? entries.right : 0.0;
    return entry;
}

static void CheckProductsWithUnitVectors(MatrixProblem *problem)
{
    double x[NODES * STRIDE];
    double y[NODES * STRIDE];
    for (int column = 0; column < NODES; column++) {
        memset(x, 0, sizeof(x));
        for (ptrdiff_t i = 0; i < SLICES; i++) {
            x[column * STRIDE + i] = 1.0;
        }
        EngramSliceMatrixMultiply(&problem->matrix, x, y);
        for (int k = 0; k < NODES; k++) {
            for (ptrdiff_t i = 0; i < SLICES; i++) {
                UNIT_ASSERT_AT_MOST(
                    fabs(y[k * STRIDE + i] - ColumnEntry(&problem->matrix, k, column, i)), 0.0);
            }
        }
    }
}

static void TestProductsWithUnitVectors(void **state)
{
    (void)state;
    ForAllProblems(CheckProductsWithUnitVectors);
}

/** Sum of the magnitudes of the terms of a row's product: what its round-off is measured by. */
static double SizeOfTerms(const MatrixProblem *problem, int k, ptrdiff_t i)
{
    const double *x = problem->slices.solution;
    const EngramSliceRow row = EngramSliceMatrixRow(&problem->matrix, k, i);
    double size = row.diagonal * fabs(x[k * STRIDE + i]);
    size += k > 0 ? fabs(row.left * x[(k - 1) * STRIDE + i]) : 0.0;
    size += k < NODES - 1 ? fabs(row.right * x[(k + 1) * STRIDE + i]) : 0.0;
    if (k == problem->slices.table.reset_node) {
        const double last = x[(NODES - 1) * STRIDE + i];
        size += fabs(EngramSliceMatrixSpike(&problem->matrix, i) * last);
    }
    return size;
}

/** The matrix takes the elimination's solution back to the right-hand side. */
static void CheckInverse(MatrixProblem *problem)
{
    SliceProblem *slices = &problem->slices;
    double product[NODES * STRIDE];
    SliceProblemSolve(slices, problem->lambda);
    EngramSliceMatrixMultiply(&problem->matrix, slices->solution, product);
    const double bound = 5e-15;
    for (int k = 0; k < NODES; k++) {
        for (ptrdiff_t i = 0; i < SLICES; i++) {
            const double residual = product[k * STRIDE + i] - slices->rhs[k * STRIDE + i];
            UNIT_ASSERT_AT_MOST(fabs(residual) / (SizeOfTerms(problem, k, i) + 1e-280), bound);
        }
    }
}

static void TestEliminationIsItsInverse(void **state)
{
    (void)state;
    ForAllProblems(CheckInverse);
}

/** A product leaves the columns that are no slices as they were. */
static void TestTouchesOnlyItsSlices(void **state)
{
    (void)state;
    MatrixProblem problem;
    double y[NODES * STRIDE];
    CreateMatrixProblem(5, &problem);
    for (int i = 0; i < NODES * STRIDE; i++) {
        y[i] = -7.0;
    }
    for (int i = 0; i < NODES * STRIDE; i++) {
        problem.slices.rhs[i] = i % STRIDE < SLICES ? 1.0 : NAN;
    }
    EngramSliceMatrixMultiply(&problem.matrix, problem.slices.rhs, y);
    for (int i = 0; i < NODES * STRIDE; i++) {
        const int is_untouched = UnitBits(y[i]) == UnitBits(-7.0);
        assert_true(isfinite(y[i]) && is_untouched == (i % STRIDE >= SLICES));
    }
    DestroyMatrixProblem(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestEntries),
        cmocka_unit_test(TestColumnSums),
        cmocka_unit_test(TestProductsWithUnitVectors),
        cmocka_unit_test(TestEliminationIsItsInverse),
        cmocka_unit_test(TestTouchesOnlyItsSlices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
